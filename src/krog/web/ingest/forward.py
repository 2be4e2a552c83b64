"""Everything that is not answered here is handed to the process that renders the pages."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import aiohttp
from yarl import URL

from krog.base.errors import Busy, KrogError, TooLarge, Transient
from krog.web.ingest.http import BrokenOff, Gone, Headers, Receive, Reply, Scope, Send, answer, discard, header, problem
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
#: Bytes: of a request that stay in memory (more go to a temporary file), of all requests that are being received, of a
#: reply that are read ahead of its client, of a piece that is handed on.
MEMORY, SPOOLED, AHEAD, PIECE = 500_000, 300_000_000, 4_000_000, 65_536
#: Most bytes of a header of a reply: one that leads elsewhere may hold the address that was asked for, escaped.
HEADERS = 400_000

STARTING = """<!doctype html><html lang="sl"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Krog</title></head><body>
<h1>Krog se zaganja</h1><p>Stran se bo čez nekaj sekund naložila sama.</p>
<p lang="en">Krog is starting; this page loads by itself in a few seconds.</p></body></html>"""
BROKEN = """<!doctype html><html lang="sl"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Krog</title></head><body>
<h1>Strani ni bilo mogoče dobiti</h1><p>Poskusite znova čez minuto.</p>
<p lang="en">The page could not be fetched; please try again in a minute.</p></body></html>"""


class Forwarder:
    """A reverse proxy to a Unix socket. `largest` bounds requests, `secure` says that clients come by https,
    `proxies` whose word is taken on who asks.

    A request is handed on when it is here as a whole, and a reply is taken as fast as the pages give it (to a bound):
    the pages have few threads, and a slow client must not hold one.
    """

    def __init__(self, socket: Path, *, largest: int, secure: bool = False, proxies: frozenset[str] = frozenset()):
        self.largest, self.secure, self.proxies = largest, secure, proxies
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket), limit=CONNECTIONS, keepalive_timeout=15),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=ANSWER_S),
            auto_decompress=False,
            max_line_size=HEADERS,
            max_field_size=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )
        self._tasks: set[asyncio.Task[object]] = set()
        self._spooled = 0
        self._stopping = False

    @property
    def active(self) -> int:
        return len(self._tasks)

    async def close(self) -> None:
        await self._session.close()

    def cut(self) -> None:
        """Ends what is still under way, because Krog stops."""
        self._stopping = True
        for task in tuple(self._tasks):
            task.cancel()

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
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with tempfile.SpooledTemporaryFile(MEMORY) as body:
                await self._receive(scope, receive, body)
                await self._hand_on(scope, body, receive, send)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except _Cut as error:
            log.warning("%s", error)
            raise
        finally:
            self._tasks.discard(task)

    async def _receive(self, scope: Scope, receive: Receive, body: IO[bytes]) -> None:
        """The whole request, within its bound and the bound of all requests together."""
        length = header(scope, b"content-length")
        if length in ("", "0") and not header(scope, b"transfer-encoding"):
            return
        refusal = TooLarge("The request is too large.", "body", f"at most {self.largest // 1_000_000} MB")
        if length.isdigit() and int(length) > self.largest:
            await discard(receive)
            raise refusal
        size, more = 0, True
        try:
            while more:
                try:
                    event = await asyncio.wait_for(receive(), PIECE_S)
                except TimeoutError:
                    raise _Slow("The request comes too slowly.", todo="Try again on a better connection.") from None
                if event["type"] == "http.disconnect":
                    raise BrokenOff
                piece, more = event.get("body", b""), bool(event.get("more_body"))
                size += len(piece)
                self._spooled += len(piece)
                if size > self.largest or self._spooled > SPOOLED:
                    if more:
                        await discard(receive)
                    if size > self.largest:
                        raise refusal
                    raise Busy("Too much is being sent right now.", todo="Try again in a few seconds.")
                body.write(piece)
        finally:
            self._spooled -= size
        body.seek(0)

    async def _hand_on(self, scope: Scope, body: IO[bytes], receive: Receive, send: Send) -> None:
        try:
            for again in (True, False):
                try:
                    await self._once(scope, body, receive, send)
                    return
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                    stale = not isinstance(error, aiohttp.ClientConnectorError)
                    if not (again and stale and scope["method"] in ("GET", "HEAD")):
                        raise
        except aiohttp.ClientConnectorError:
            starting = Transient("The pages are starting.", todo="Try again in a few seconds.")
            await answer(send, _apology(scope, starting, STARTING, 503))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("The pages did not answer %s %s: %r", scope["method"], scope["path"], error)
            broken = Transient("The pages did not answer.", todo="Try again in a minute.")
            await answer(send, _apology(scope, broken, BROKEN, 502))

    async def _once(self, scope: Scope, body: IO[bytes], receive: Receive, send: Send) -> None:
        path = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        url = URL("http://localhost" + (path + (b"?" + query if query else b"")).decode("latin-1"), encoded=True)
        size = body.seek(0, os.SEEK_END)
        body.seek(0)
        headers = self._headers(scope)
        if size or header(scope, b"content-length"):
            headers.append(("Content-Length", str(size)))
        request = self._session.request(
            scope["method"], url, headers=headers, data=_pieces(body) if size else None, allow_redirects=False
        )
        async with request as reply:
            found: Headers = [
                (name.lower(), value) for name, value in reply.raw_headers if name.lower() not in HOP_BY_HOP
            ]
            await send({"type": "http.response.start", "status": reply.status, "headers": found})
            try:
                if scope["method"] != "HEAD":
                    await self._stream(reply, receive, send)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise _Cut(f"{scope['method']} {scope['path']} broke off: {error!r}") from error

    async def _stream(self, reply: aiohttp.ClientResponse, receive: Receive, send: Send) -> None:
        """The reply's body: read ahead of the client by up to AHEAD bytes. Gone when the client left."""
        pieces: deque[bytes] = deque()
        changed = asyncio.Event()
        ahead = 0
        ended = False

        async def read() -> None:
            nonlocal ahead, ended
            try:
                async for piece in reply.content.iter_any():
                    pieces.append(piece)
                    ahead += len(piece)
                    changed.set()
                    while ahead > AHEAD:
                        await asyncio.sleep(0.02)
            finally:
                ended = True
                changed.set()

        async def leave() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            changed.set()

        reading, leaving = asyncio.create_task(read()), asyncio.create_task(leave())
        try:
            while True:
                if leaving.done():
                    raise Gone
                if pieces:
                    piece = pieces.popleft()
                    await asyncio.wait_for(
                        send({"type": "http.response.body", "body": piece, "more_body": True}), PIECE_S
                    )
                    ahead -= len(piece)
                elif ended:
                    await reading
                    return
                else:
                    changed.clear()
                    await changed.wait()
        finally:
            reading.cancel()
            leaving.cancel()
            await asyncio.gather(reading, leaving, return_exceptions=True)

    def _headers(self, scope: Scope) -> list[tuple[str, str]]:
        """The request's headers without those of the connection, and with who asks and how."""
        named = {word.strip().lower().encode() for word in header(scope, b"connection").split(",") if word.strip()}
        drop = HOP_BY_HOP | FORWARDED | named | {b"content-length"}
        found = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name.lower() not in drop and not name.lower().startswith(b"x-forwarded") and not name.startswith(b":")
        ]
        found.append(("X-Forwarded-For", self._client(scope)))
        found.append(("X-Forwarded-Proto", "https" if self.secure else scope.get("scheme", "http")))
        return found

    def _client(self, scope: Scope) -> str:
        """Who asks: the connection's other end, or whom a trusted proxy names last."""
        client = scope.get("client")
        near = client[0] if client else "0.0.0.0"
        if near not in self.proxies:
            return near
        named = header(scope, b"x-forwarded-for").rpartition(",")[2].strip()
        try:
            return str(ipaddress.ip_address(named))
        except ValueError:
            return near


class _Cut(Exception):
    """A reply broke off after its first byte: the connection must end, so that the client sees that it is not whole."""


class _Slow(KrogError):
    """The client sends its body too slowly."""

    status = 408
    code = "too-slow"


async def _pieces(body: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := body.read(PIECE):
        yield piece


def _apology(scope: Scope, error: KrogError, page: str, status: int) -> Reply:
    """For people a page, for programs a problem."""
    if scope["path"].startswith(MACHINE_PATHS) or "text/html" not in header(scope, b"accept"):
        found = problem(error)
        return Reply(status, found.body, found.content_type, ((b"retry-after", b"2"),))
    return Reply(status, page.encode(), "text/html; charset=utf-8", ((b"retry-after", b"2"),))
