"""How often one connection may do something: counters that live for minutes, under hashes of addresses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest

from krog.base.errors import Busy
from krog.base.settings import settings
from krog.web.middleware import address_of


@dataclass(frozen=True)
class Limit:
    """So many times from one address in so many seconds."""

    name: str
    most: int
    within_s: int = 600


REPORTS = Limit("report", 6)
PROPOSALS = Limit("proposal", 5)
#: Photos of forms that were not right yet; each lies on the disk for a day.
DRAFTS = Limit("draft", 12)


def count(name: str, within_s: int) -> int:
    """Counts one more, from the first on for so many seconds; two at the same moment are two."""
    key = f"limit:{name}"
    cache.add(key, 0, within_s)
    try:
        return int(cache.incr(key))
    except ValueError:  # It ran out between the two lines.
        cache.set(key, 1, within_s)
        return 1


def counted(name: str) -> int:
    """How many there were."""
    return int(cache.get(f"limit:{name}") or 0)


def passes(request: HttpRequest, limit: Limit) -> bool:
    """Counts one more from the request's address; the address itself is kept nowhere."""
    who = hashlib.sha256(f"{settings().secret}{address_of(request)}".encode()).hexdigest()[:32]
    return count(f"{limit.name}:{who}", limit.within_s) <= limit.most


def require(request: HttpRequest, limit: Limit, what: str, todo: str = "") -> None:
    """The same; Busy with these words where it is too often."""
    if not passes(request, limit):
        refused = Busy(what, todo=todo)
        refused.retry_after = limit.within_s
        raise refused
