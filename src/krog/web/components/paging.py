"""Pages of a list for `<c-pager>`, and addresses that keep what the reader has chosen."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from krog.base.errors import Invalid


@dataclass(frozen=True)
class Pager:
    """What `<c-pager>` shows: from `first` to `last` of `total`, and where the neighbouring pages are ("" for none)."""

    total: int | None = None
    first: int = 0
    last: int = 0
    previous: str = ""
    next: str = ""


def offset_of(request: HttpRequest) -> int:
    """Where the page begins, from `offset` in the address; Invalid where it is no count."""
    text = request.GET.get("offset", "") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(_("This is not where a page can begin."), "offset", _("a whole number from 0"))
    return int(text)


def pager(request: HttpRequest, *, shown: int, total: int, limit: int, offset: int) -> Pager:
    """The page from `offset` with `shown` things of `total`."""
    return Pager(
        total=total,
        first=offset + 1 if shown else offset,
        last=offset + shown,
        previous=here(request, offset=max(offset - limit, 0) or None) if offset else "",
        next=here(request, offset=offset + limit) if offset + shown < total and shown else "",
    )


def here(request: HttpRequest, **changed: object) -> str:
    """This address with some of its questions changed; None takes one out."""
    query = request.GET.copy()
    for name, value in changed.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path
