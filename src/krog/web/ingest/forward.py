"""Everything that is not answered here is handed to the process that renders the pages, streaming both ways."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from krog.base.errors import KrogError, TooLarge, Transient
from krog.web.ingest.http import Gone, Headers, Receive, Reply, Scope, Send, answer, discard, header, problem
from krog.web.problems import MACHINE_PATHS

log = logging.getLogger("krog.forward")

#: Headers that concern one connection only (RFC 9110, 7.6.1), and what clients may not say of themselves.
HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te",
     b"trailer", b"transfer-encoding", b"upgrade", b"expect"}
)  # fmt: skip
FORWARDED = frozenset({b"forwarded", b"via", b"x-real-ip"})

#: Seconds for the pages to answer; to take or give the next piece of a body.
ANSWER_S, PIECE_S = 60.0, 60.0
CONNECTIONS = 100

STARTING = """<!doctype html><html lang="sl"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Krog</title></head><body>
<h1>Krog se zaganja</h1><p>Stran se bo čez nekaj sekund naložila sama.</p>
<p lang="en">Krog is starting; this page loads by itself in a few seconds.</p></body></html>"""
BROKEN = """<!doctype html><html lang="sl"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Krog</title></head><body>
<h1>Strani ni bilo mogoče dobiti</h1><p>Poskusite znova čez minuto.</p>
<p lang="en">The page could not be fetched; please try again in a minute.</p></body></html>"""


class Forwarder:
    """A reverse proxy to a Unix socket. `largest` bounds requests, `secure` says that clients come by https."""

    def __init__(self, socket: Path, *, largest: int, secure: bool = False):
        self.largest, self.secure = largest, secure
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket), limit=CONNECTIONS, keepalive_timeout=15),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=ANSWER_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self.active = 0

    async def close(self) -> None:
        await self._session.close()

    async def alive(self) -> bool:
        """Whether the pages answer at all."""
        try:
            timeout = aiohttp.ClientTimeout(total=3)
            async with self._session.get(URL("http://localhost/healthz"), timeout=timeout):
                return True
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    async def forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request on, and the reply back. The client is told when the pages cannot be reached."""
        body = _Body(scope, receive, self.largest)
        if body.declared > self.largest:
            await discard(receive)
            raise body.too_large()
        self.active += 1
        try:
            for again in (True, False):
                try:
                    await self._once(scope, body, send)
                    return
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    stale = not isinstance(error, aiohttp.ClientConnectorError)
                    if not (again and stale and not body.begun and scope["method"] in ("GET", "HEAD")):
                        raise
        except _Cut as error:
            log.warning("%s", error)
            raise
        except aiohttp.ClientConnectorError:
            starting = Transient("The pages are starting.", todo="Try again in a few seconds.")
            await answer(send, _apology(scope, starting, STARTING, 503))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            if body.refused is not None:
                raise body.refused from None
            log.warning("The pages did not answer %s %s: %r", scope["method"], scope["path"], error)
            broken = Transient("The pages did not answer.", todo="Try again in a minute.")
            await answer(send, _apology(scope, broken, BROKEN, 502))
        finally:
            self.active -= 1

    async def _once(self, scope: Scope, body: _Body, send: Send) -> None:
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        url = URL("http://localhost" + (path + (b"?" + query if query else b"")).decode("latin-1"), encoded=True)
        request = self._session.request(
            scope["method"], url, headers=self._headers(scope), data=body.stream() if body.expected else None,
            allow_redirects=False,
        )  # fmt: skip
        async with request as reply:
            started = False
            try:
                headers: Headers = [
                    (name.lower(), value) for name, value in reply.raw_headers if name.lower() not in HOP_BY_HOP
                ]
                await send({"type": "http.response.start", "status": reply.status, "headers": headers})
                started = True
                if scope["method"] != "HEAD":
                    async for piece in reply.content.iter_any():
                        await asyncio.wait_for(
                            send({"type": "http.response.body", "body": piece, "more_body": True}), PIECE_S
                        )
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if started:
                    raise _Cut(f"{scope['method']} {scope['path']} broke off: {error!r}") from error
                raise

    def _headers(self, scope: Scope) -> list[tuple[str, str]]:
        """The request's headers without those of the connection, and with who asks and how."""
        named = {word.strip().lower().encode() for word in header(scope, b"connection").split(",") if word.strip()}
        drop = HOP_BY_HOP | FORWARDED | named
        found = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name.lower() not in drop and not name.lower().startswith(b"x-forwarded") and not name.startswith(b":")
        ]
        client = scope.get("client")
        found.append(("X-Forwarded-For", client[0] if client else "0.0.0.0"))
        found.append(("X-Forwarded-Proto", "https" if self.secure else scope.get("scheme", "http")))
        return found


class _Cut(Exception):
    """A reply broke off after its first byte: the connection must end, so that the client sees that it is not whole."""


class _Slow(KrogError):
    """The client sends its body too slowly."""

    status = 408
    code = "too-slow"


class _Body:
    """The request's body as it comes, with its bound."""

    def __init__(self, scope: Scope, receive: Receive, largest: int):
        self._receive, self._largest = receive, largest
        length = header(scope, b"content-length")
        self.expected = length not in ("", "0") or bool(header(scope, b"transfer-encoding"))
        self.begun = False
        #: Why the body came to no end: it is too large or too slow, or the client left.
        self.refused: KrogError | Gone | None = None
        self.declared = int(length) if length.isdigit() else 0

    def too_large(self) -> TooLarge:
        return TooLarge("The request is too large.", "body", f"at most {self._largest // 1_000_000} MB")

    async def stream(self) -> AsyncIterator[bytes]:
        self.begun = True
        size = 0
        while True:
            try:
                event: Any = await asyncio.wait_for(self._receive(), PIECE_S)
            except TimeoutError:
                self.refused = _Slow("The request comes too slowly.", todo="Try again on a better connection.")
                raise self.refused from None
            if event["type"] == "http.disconnect":
                self.refused = Gone()
                raise self.refused
            piece = event.get("body", b"")
            size += len(piece)
            if size > self._largest:
                await discard(self._receive)
                self.refused = self.too_large()
                raise self.refused
            if piece:
                yield piece
            if not event.get("more_body"):
                return


def _apology(scope: Scope, error: KrogError, page: str, status: int) -> Reply:
    """For people a page, for programs a problem."""
    if scope["path"].startswith(MACHINE_PATHS) or "text/html" not in header(scope, b"accept"):
        found = problem(error)
        return Reply(status, found.body, found.content_type, ((b"retry-after", b"2"),))
    return Reply(status, page.encode(), "text/html; charset=utf-8", ((b"retry-after", b"2"),))
