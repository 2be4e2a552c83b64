"""The Open API of search: everything that the reader may see, the best first, by kind and page."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router

from krog.base.errors import Invalid
from krog.base.settings import settings
from krog.catalogue import door
from krog.search import reads
from krog.web.api.streams import next_link
from krog.web.portal import finder
from krog.web.request import Request

router = Router(tags=["search"])

Question = Annotated[str, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100)]
Offset = Annotated[int, Query(ge=0, le=100_000)]


@router.get("", summary="What has all the words of a question, the best first; counts by kind")
def search(request: Request, q: Question, kind: str = "", limit: Limit = 25, offset: Offset = 0) -> dict[str, Any]:
    if kind and kind not in finder.TITLES:
        raise Invalid("There is no such kind of finds.", "kind", ", ".join(sorted(finder.TITLES)))
    answer = reads.find(door.everything(request.reader, "api"), q, noun=kind, limit=limit, offset=offset)
    total = answer.counts.get(kind, 0) if kind else answer.total
    found: dict[str, Any] = {
        "items": [
            {
                "kind": hit.noun,
                "key": hit.key,
                "home": hit.home or None,
                "title": hit.title,
                "about": hit.about,
                "href": f"{settings().url}{href}" if (href := finder.PAGES[hit.noun](hit)) else None,
            }
            for hit in answer.hits
        ],
        "total": total,
        "more": kind in answer.more if kind else bool(answer.more),
        "kinds": answer.counts,
        "meant": answer.meant,
    }
    if answer.hits and offset + limit < total:
        found["next"] = next_link(request, offset=offset + limit)
    return found
