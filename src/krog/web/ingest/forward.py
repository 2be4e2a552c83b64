"""Hands a request to the pages behind their Unix socket, and the answer back, without holding either in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from krog.base.errors import KrogError, Transient
from krog.web.ingest.asgi import Receive, Scope, Send, answer, answer_problem, header

#: Headers that belong to one connection (RFC 9110, 7.6.1), and those that only this process may say.
HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
OURS = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"x-real-ip"}

#: Longest a page may think before the reader is told.
ANSWER_S = 60.0
CHUNK = 65_536

_WAITING = """<!doctype html><html lang="sl"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Krog</title><h1>Trenutek … · One moment …</h1><p>Strani se pravkar zaganjajo; poskusite znova.</p>
<p lang="en">The pages are just starting; try again in a few seconds.</p></html>""".encode()


class Forward:
    """One pool of connections to the pages."""

    def __init__(self, socket: Path):
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket), limit=256),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=ANSWER_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        await self._session.close()

    async def ready(self) -> bool:
        """Whether the pages answer."""
        try:
            async with self._session.get(
                "http://localhost/static/krog/circle.svg", timeout=aiohttp.ClientTimeout(total=5)
            ):
                return True
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer of the pages; a page of our own while they start."""
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        url = URL("http://localhost" + (path + (b"?" + query if query else b"")).decode("latin-1"), encoded=True)
        has_body = header(scope, b"content-length") not in ("", "0") or bool(header(scope, b"transfer-encoding"))
        started = False
        try:
            async with self._session.request(
                scope["method"],
                url,
                headers=_onward(scope),
                data=_body(receive) if has_body else None,
                allow_redirects=False,
            ) as found:
                headers = [(k.lower(), v) for k, v in found.raw_headers if k.lower() not in HOP]
                await send({"type": "http.response.start", "status": found.status, "headers": headers})
                started = True
                async for chunk in found.content.iter_chunked(CHUNK):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except ConnectionResetError:
            return  # The reader has left.
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            if not started:
                await _unavailable(scope, send, failure)


def _onward(scope: Scope) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    named = {part.strip().lower().encode() for part in header(scope, b"connection").split(",")}
    for key, value in scope["headers"]:
        if key not in HOP and key not in OURS and key not in named:
            headers.add(key.decode("latin-1"), value.decode("latin-1"))
    client = scope.get("client")
    headers["X-Forwarded-For"] = client[0] if client else "0.0.0.0"
    headers["X-Forwarded-Proto"] = scope.get("scheme", "http")
    return headers


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionResetError
        if event.get("body"):
            yield event["body"]
        if not event.get("more_body"):
            return


async def _unavailable(scope: Scope, send: Send, failure: BaseException) -> None:
    slow = isinstance(failure, asyncio.TimeoutError)
    if "html" in header(scope, b"accept"):
        await answer(send, 503, _WAITING, b"text/html; charset=utf-8", [(b"retry-after", b"3")])
        return
    error: KrogError = Transient(
        "The pages took too long." if slow else "The pages are just starting.", todo="Try again in a few seconds."
    )
    await answer_problem(send, error)
