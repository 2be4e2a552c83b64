"""Which reader a key stands for, remembered for a moment, so that a post does not cost a query."""

from __future__ import annotations

import hashlib
import time

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from krog.base.errors import Unauthenticated
from krog.base.grant import Reader
from krog.people import keys

#: Seconds that a good key is believed without asking again: how long a revoked one may still be used.
REMEMBER_S = 2.0
_MOST = 10_000


class KnownKeys:
    """Asks `people.keys` off the event loop; wrong keys are never remembered."""

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[float, Reader]] = {}

    async def reader(self, key_id: str, secret: str) -> Reader | None:
        """The reader of the key, or None."""
        mark = hashlib.sha256(f"{key_id}\0{secret}".encode()).digest()
        found = self._found.get(mark)
        now = time.monotonic()
        if found and now - found[0] < REMEMBER_S:
            return found[1]
        reader = await sync_to_async(_verify, thread_sensitive=False)(key_id, secret)
        if reader is None:
            self._found.pop(mark, None)
            return None
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[mark] = (now, reader)
        return reader

    async def bearer(self, header: str) -> Reader | None:
        """The reader of an Authorization header; None without one, Unauthenticated where it is wrong."""
        if not header:
            return None
        scheme, _, token = header.partition(" ")
        key_id, _, secret = token.strip().partition(".")
        found = await self.reader(key_id, secret) if scheme.lower() == "bearer" and secret else None
        if found is None:
            raise Unauthenticated(
                "The API key is not known.", "Authorization", "Bearer <key id>.<secret>", "Make one: krog key create."
            )
        return found


def _verify(key_id: str, secret: str) -> Reader | None:
    close_old_connections()
    try:
        return keys.verify(key_id, secret)
    finally:
        close_old_connections()
