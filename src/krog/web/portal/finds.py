"""The page of finds, the same in portal and desk: groups by kind, a page of one kind, what to do where nothing is."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from krog.web.components.paging import here, offset_of, pager
from krog.web.portal import finder
from krog.web.request import Request


def page(request: Request, asked: str, *, desk: bool = False) -> dict[str, Any]:
    """What `_finds.html` shows for a question; `kind` and `offset` in the address keep to a page of one kind."""
    offset, kind = offset_of(request), request.GET.get("kind", "")
    kind = kind if kind in finder.TITLES else ""
    found = finder.find(request.reader, asked, kind=kind, offset=offset, desk=desk)
    group = next((one for one in found.groups if one.kind == kind), None) if kind else None
    everything = here(request, kind=None, offset=None)
    tabs: list[tuple[str, int, bool, str, bool]] = [(_("Everything"), 0, False, everything, not kind)]
    tabs += [
        (title, count, more, here(request, kind=noun, offset=None), noun == kind)
        for noun, title, count, more in found.kinds
    ]
    return {
        "groups": [(one, here(request, kind=one.kind, offset=None) if not kind else "") for one in found.groups],
        "kinds": tabs if len(tabs) > 2 or kind else [],
        "kind": kind,
        "everything": everything,
        "meant": found.meant,
        "page": pager(request, shown=len(group.items), total=group.total, limit=finder.PAGE, offset=offset)
        if group
        else None,
    }
