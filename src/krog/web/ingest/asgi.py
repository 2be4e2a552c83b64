"""The few words of ASGI that the public port needs: read a body within a limit, answer, answer with a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import msgspec

from krog.base.errors import KrogError, TooLarge, Transient, Unauthenticated

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_encode = msgspec.json.encode


def header(scope: Scope, name: bytes) -> str:
    """The first header of a name (lower case), or an empty text."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


async def body(receive: Receive, limit: int) -> bytes:
    """The whole body; TooLarge as soon as it is longer than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionResetError
        size += len(event.get("body", b""))
        if size > limit:
            raise TooLarge(
                "The body is too long.", allowed=f"at most {limit} bytes", todo="Send it in several requests."
            )
        parts.append(event.get("body", b""))
        if not event.get("more_body"):
            return b"".join(parts)


async def answer(
    send: Send, status: int, content: bytes, kind: bytes = b"application/json", headers: Headers = ()
) -> None:
    """One whole answer."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", kind),
                (b"content-length", str(len(content)).encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"cache-control", b"no-store"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": content})


async def answer_json(send: Send, status: int, content: Any) -> None:
    await answer(send, status, _encode(content))


async def answer_problem(send: Send, error: KrogError) -> None:
    """The error as application/problem+json (RFC 9457), in the same form as `web.problems` gives it."""
    from krog.web.problems import document

    headers: list[tuple[bytes, bytes]] = []
    if isinstance(error, Transient):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, Unauthenticated):
        headers.append((b"www-authenticate", b"Bearer"))
    await answer(send, error.status, _encode(document(error)), b"application/problem+json", headers)
