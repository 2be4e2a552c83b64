"""A WSGI application in the place of the pages, that shows what was forwarded to it and answers as it is asked to."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/body":
        stream, digest, size = environ["wsgi.input"], hashlib.sha256(), 0
        while piece := stream.read(65536):
            digest.update(piece)
            size += len(piece)
        return _json(start, {"size": size, "sha256": digest.hexdigest(), "headers": _headers(environ)})
    if path == "/big":
        size = int(environ["QUERY_STRING"])
        start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(size))])
        return _pieces(size)
    if path == "/chunks":
        start("200 OK", [("Content-Type", "text/plain"), ("X-Two", "1"), ("X-Two", "2"), ("Connection", "close")])
        return iter([b"one ", b"two"])
    if path == "/nothing":
        start("304 Not Modified", [("ETag", '"x"')])
        return []
    if path == "/cookies":
        start("302 Found", [("Location", "/elsewhere"), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/")])
        return []
    if path == "/slow":
        time.sleep(1)
    if path == "/breaks":
        start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "100")])
        return iter([b"half"])
    return _json(start, {"path": path, "query": environ["QUERY_STRING"], "headers": _headers(environ)})


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    return {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}


def _json(start: Callable[..., Any], value: Any) -> list[bytes]:
    body = json.dumps(value).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _pieces(size: int) -> Iterator[bytes]:
    while size > 0:
        piece = min(size, 65536)
        yield b"x" * piece
        size -= piece
