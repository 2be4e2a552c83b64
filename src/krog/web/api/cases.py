"""The Open API of cases: what is public of them, their types, and reporting."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from krog.base import times
from krog.base.errors import Invalid
from krog.base.grant import Grant, Reader
from krog.cases import reads, shapes, verbs
from krog.catalogue import door, usage
from krog.web import limits
from krog.web.request import Request

router = Router(tags=["cases"])


class Report(Schema, extra="forbid"):
    """A report: what it is about, in words, and where. `once` makes sending it twice one case."""

    type: str = Field(max_length=100)
    description: str = Field(min_length=1, max_length=5000)
    place: str = Field("", max_length=300)
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)
    name: str = Field("", max_length=200)
    email: str = Field("", max_length=254)
    phone: str = Field("", max_length=50)
    language: str = Field("sl", pattern="^(sl|it|en)$")
    once: str = Field("", max_length=64)


def _reader(request: Request) -> Reader:
    return request.reader


def _grant(request: Request) -> Grant:
    return door.open(_reader(request), "api", kind="cases")


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.iso(moment)


def _case(case: shapes.Status) -> dict[str, Any]:
    """A case as everybody may read it."""
    return {
        "reference": case.reference, "type": case.type, "title": dict(case.title), "description": case.description,
        "place": case.place, "lon": case.lon, "lat": case.lat, "office": case.office, "status": case.status,
        "severity": case.severity, "opened": _time(case.opened), "deadline": _time(case.deadline),
        "closed": _time(case.closed), "overdue": case.overdue, "outcome": case.outcome, "note": case.public_note,
        "alert": case.cause.key if case.cause else None,
        "events": [{"what": e.what, "time": _time(e.time), "text": e.text} for e in case.events],
    }  # fmt: skip


@router.get("/", summary="Public cases, newest first")
def case_list(
    request: Request, open: bool = False, type: str | None = None, limit: int = 50, offset: int = 0
) -> dict[str, Any]:
    if not (1 <= limit <= 500 and 0 <= offset <= 10**9):
        raise Invalid("This is not a page.", "limit, offset", "limit 1 to 500, offset from 0")
    page = reads.public_cases(_grant(request), open_only=open, type=type, limit=limit, offset=offset)
    return {"total": page.total, "items": [_case(case) for case in page.items]}


@router.get("/types", summary="What may be reported")
def type_list(request: Request) -> list[dict[str, Any]]:
    kinds = reads.case_types(_grant(request), citizen_only=True)
    return [
        {"key": kind.key, "title": dict(kind.title), "description": dict(kind.description), "office": kind.office,
         "deadline_hours": kind.deadline_hours} for kind in kinds
    ]  # fmt: skip


def _once(request: Request, body: Report) -> str:
    """The mark under which this report is one case. Who sends it and what it says are in the mark: two programs may
    choose the same word, and the second must not be given the secret address of the first one's report."""
    if not body.once:
        return ""
    by = _reader(request)
    said = json.dumps([by.kind, by.id, body.model_dump()], sort_keys=True)
    return f"api:{hashlib.sha256(said.encode()).hexdigest()}"


@router.post("/", summary="Report something", response={201: dict[str, Any], 200: dict[str, Any]})
def report(request: Request, body: Report) -> Status[dict[str, Any]]:
    if not body.place.strip() and body.lon is None:
        raise Invalid("Say where it is.", "place", "words, or lon and lat")
    if body.email and ("@" not in body.email or any(letter.isspace() for letter in body.email)):
        raise Invalid("This is not an e-mail address.", "email")
    if "\x00" in f"{body.name}{body.email}{body.phone}{body.once}":
        raise Invalid("The text holds a character that cannot be kept.", "name, email, phone, once")
    todo = "Please wait ten minutes."
    limits.require(request, limits.REPORTS, "Many reports have come from your connection just now.", todo)
    opened = verbs.open(
        _reader(request), type=body.type, channel="api", description=body.description, place=body.place, lon=body.lon,
        lat=body.lat, reporter=shapes.NewReporter(body.name.strip(), body.email, body.phone.strip()),
        language=body.language, once=_once(request, body),
        opened_by="api" if _reader(request).kind == "key" else "citizen",
    )  # fmt: skip
    if not opened.again:
        usage.once(f"report:{body.type}", channel="api", language=body.language)
    return Status(200 if opened.again else 201, {
        "reference": opened.reference, "status": f"/api/v1/cases/{opened.address}",
        "page": f"/{body.language}/cases/{opened.address}",
    })  # fmt: skip


@router.get("/{address}", summary="One case, by its reference or by the address that its reporter was given")
def case(request: Request, address: str, response: HttpResponse) -> dict[str, Any]:
    found = reads.status(_grant(request), address)
    if found.own:
        response["Cache-Control"] = "private, no-store"
    return _case(found)
