"""Who a key stands for, and which datastreams a reader may watch: asked off the event loop, remembered for seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from krog.base.grant import Reader
from krog.catalogue import access_log, door
from krog.people import keys
from krog.sources.offloop import off_loop
from krog.streams import reads as streams

#: For how long an answer is believed: a revoked key or a closed dataset is refused after this many seconds.
KEY_S, WATCH_S = 2.0, 5.0
#: Most answers that are remembered.
MOST = 5000


class Rights:
    """The answers of one process. `verify` and `readable` can be given, for tests without a database."""

    def __init__(
        self,
        verify: Callable[[str, str], Reader | None] = keys.verify,
        readable: Callable[[Reader, bool], frozenset[str]] | None = None,
    ):
        self._verify, self._readable = verify, readable or readable_streams
        self._keys: dict[bytes, tuple[float, Reader]] = {}
        self._watch: dict[Reader, tuple[float, frozenset[str]]] = {}

    async def reader(self, key_id: str, secret: str) -> Reader | None:
        """The reader that a key stands for, or None; only what is right is remembered."""
        if not key_id or not secret or "\0" in key_id:
            return None
        known = hashlib.sha256(f"{key_id}\0{secret}".encode()).digest()
        found = self._keys.get(known)
        if found and found[0] > time.monotonic():
            return found[1]
        reader = await off_loop(lambda: self._verify(key_id, secret))
        if reader is None:
            self._keys.pop(known, None)
        else:
            if len(self._keys) >= MOST:
                self._keys.clear()
            self._keys[known] = (time.monotonic() + KEY_S, reader)
        return reader

    async def watchable(self, reader: Reader) -> frozenset[str]:
        """Keys of all datastreams whose values the reader may see."""
        found = self._watch.get(reader)
        if found and found[0] > time.monotonic():
            return found[1]
        names = await off_loop(lambda: self._readable(reader, found is None))
        if len(self._watch) >= MOST:
            self._watch.clear()
        self._watch[reader] = (time.monotonic() + WATCH_S, names)
        return names


def readable_streams(reader: Reader, first: bool) -> frozenset[str]:
    """Through the door; access to what is not public is logged once, when a watch begins, not at each look anew."""
    access_log.begin()
    found = streams.readable(door.open(reader, "api", kind="streams"))
    if first:
        access_log.flush("live")
    return found
