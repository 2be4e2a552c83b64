"""The Open API of the catalogue: datasets with their meaning, owner and openness."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router

from krog.base.grant import Grant
from krog.catalogue import door, reads
from krog.catalogue.shapes import Dataset
from krog.web.api.streams import Limit, Offset, Word, next_link
from krog.web.request import Request

router = Router(tags=["datasets"])

_INSIDE = {"streams": "/api/v1/streams/?dataset={}", "registers": "/api/v1/registers/?dataset={}"}


def _grant(request: Request, kind: str = "catalogue") -> Grant:
    return door.open(request.reader, "api", kind=kind)


def _dataset(dataset: Dataset) -> dict[str, Any]:
    # Who the steward is, is for the people who work for the city; the office answers for everybody.
    found = {
        "key": dataset.key,
        "title": dataset.title,
        "description": dataset.description,
        "holds": dataset.noun,
        "owner": dataset.organisation,
        "office": dataset.office,
        "licence": dataset.licence,
        "access": dataset.access,
        "personal": dataset.personal,
        "frequency": dataset.frequency,
        "source": dataset.source,
        "doubts": list(dataset.doubts),
        "fields": dataset.fields,
        "href": f"/datasets/{dataset.key}",
    }
    if dataset.noun in _INSIDE:
        found["data"] = _INSIDE[dataset.noun].format(dataset.key)
    return found


@router.get("/")
def list_datasets(
    request: Request,
    holds: Word = None,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Datasets whose description the reader may see; `holds` is a noun such as streams or registers."""
    found = reads.datasets(_grant(request), noun=holds, text=q)
    answer: dict[str, Any] = {"items": [_dataset(d) for d in found[offset : offset + limit]], "total": len(found)}
    if offset + limit < len(found):
        answer["nextLink"] = next_link(request, offset=offset + limit)
    return answer


@router.get("/{key}")
def get_dataset(request: Request, key: str) -> dict[str, Any]:
    """One dataset; `readable` says whether this reader may read its contents too."""
    dataset = reads.dataset(_grant(request), key)
    return {**_dataset(dataset), "readable": key in _grant(request, dataset.noun)}
