"""The little HTTP that the public port speaks itself: requests with bounded bodies, replies, errors as documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from krog.base.errors import KrogError, TooLarge, Transient, Unauthenticated
from krog.web.problems import document

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


#: Most bytes of a refused request that are read away before it is answered.
DISCARDED = 64_000_000


class Gone(Exception):
    """The client has left; there is nobody to answer."""


class BrokenOff(Gone):
    """A body came to no end: its client has left, or sent what is no body and still waits for an answer."""


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


def header(scope: Scope, name: bytes) -> str:
    """A request header, empty where there is none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


async def read_body(scope: Scope, receive: Receive, most: int) -> bytes:
    """The whole body; TooLarge as soon as it is known to have more than `most` bytes, BrokenOff where it has no end."""
    refusal = TooLarge(
        "The request is too large.", "body", f"at most {most:,} bytes".replace(",", " "), "Send it in several."
    )
    length = header(scope, b"content-length")
    if length.isdigit() and int(length) > most:
        await discard(receive)
        raise refusal
    parts, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise BrokenOff
        part = event.get("body", b"")
        size += len(part)
        if size > most:
            await discard(receive)
            raise refusal
        parts.append(part)
        if not event.get("more_body"):
            return b"".join(parts)


async def discard(receive: Receive) -> None:
    """Reads away what still comes of a body, within bounds: most clients read no answer before they have sent all."""
    size = 0
    while size < DISCARDED:
        event = await receive()
        size += len(event.get("body", b""))
        if event["type"] == "http.disconnect" or not event.get("more_body"):
            return


def json(status: int, value: Any, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status, msgspec.json.encode(value), headers=headers)


def problem(error: KrogError) -> Reply:
    """An error as application/problem+json, in the form that the pages' process gives too."""
    headers: Headers = []
    if isinstance(error, Transient):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    body = msgspec.json.encode(document(error) | dict(error.extra))
    return Reply(error.status, body, "application/problem+json", tuple(headers))


async def answer(send: Send, reply: Reply, *, head: bool = False) -> None:
    """Sends a whole reply; of a HEAD request only its headers."""
    headers = [
        (b"content-type", reply.content_type.encode()), (b"content-length", str(len(reply.body)).encode()),
        (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"), *reply.headers,
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})
