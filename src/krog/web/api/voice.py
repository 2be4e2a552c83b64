"""The Open API of voice: calls and public proposals; never an e-mail address."""

from __future__ import annotations

from typing import Any

from ninja import Router

from krog.base import times
from krog.base.grant import Grant
from krog.catalogue import door
from krog.voice import reads, shapes
from krog.web.request import Request

router = Router(tags=["voice"])

LIMIT = 200


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "api")


def _call(call: shapes.Call) -> dict[str, Any]:
    return {
        "key": call.key,
        "title": dict(call.title),
        "text": dict(call.text),
        "plan": call.plan or None,
        "opens": call.opens.isoformat() if call.opens else None,
        "closes": call.closes.isoformat() if call.closes else None,
        "phase": call.phase,
        "proposals": call.proposals,
        "dataset": call.dataset,
    }


def _proposal(found: shapes.Proposal) -> dict[str, Any]:
    return {
        "key": found.key,
        "call": found.call,
        "state": found.state,
        "created": times.iso(found.created),
        "title": found.title,
        "text": found.text,
        "language": found.language,
        "place": found.place,
        "node": found.node or None,
        "author": found.author,
        "answer": found.answer,
        "answered": times.iso(found.answered) if found.answered else None,
        "withheld": found.withheld,
    }


@router.get("/", summary="Calls for proposals, open ones first")
def calls(request: Request, plan: str | None = None) -> list[dict[str, Any]]:
    return [_call(call) for call in reads.calls(_grant(request), plan)]


@router.get("/proposals", summary="Public proposals, newest first; of a call or about a plan node")
def proposals(
    request: Request, call: str | None = None, node: str | None = None, limit: int = 50, offset: int = 0
) -> dict[str, Any]:
    page = reads.proposals(
        _grant(request), call=call, node=node, limit=max(1, min(limit, LIMIT)), offset=max(0, min(offset, 10**9))
    )
    return {"total": page.total, "items": [_proposal(each) for each in page.items]}


@router.get("/proposals/{key}", summary="A proposal with its way; its words only once they are public")
def proposal(request: Request, key: str) -> dict[str, Any]:
    grant = _grant(request)
    found = reads.proposal(grant, key)
    steps = [
        {
            "code": step.code,
            "time": times.iso(step.time) if step.time else None,
            "on": step.on.isoformat() if step.on else None,
            "plan": step.plan or None,
            "version": step.version or None,
            "body": step.body or None,
            "node": step.node or None,
        }
        for step in reads.steps(grant, found)
    ]
    return {**_proposal(found), "steps": steps}


@router.get("/{key}", summary="A call for proposals")
def call(request: Request, key: str) -> dict[str, Any]:
    return _call(reads.call(_grant(request), key))
