"""POST /api/v1/observations: one observation or a list of them; 201 when all of it is on the disk."""

from __future__ import annotations

from typing import Any

import msgspec

from krog.base.errors import Invalid, KrogError, Unauthenticated
from krog.base.grant import Reader
from krog.engine import ingest
from krog.engine.ingest import Message, Receipt
from krog.web.ingest.asgi import Receive, Scope, Send, answer_json, answer_problem, body, header
from krog.web.ingest.known import KnownKeys

#: Longest body in bytes, and most observations in it.
BODY, BATCH = 4_000_000, 10_000

FORM = (
    'one object {"datastream": key, "value": number, "time"?: ISO 8601 with offset, "unit"?, "origin"?, '
    '"quality"?, "supersedes"?} or a list of at most 10000'
)


class Observation(msgspec.Struct, forbid_unknown_fields=True):
    """One observation as a client sends it."""

    datastream: str
    value: Any
    time: str | None = None
    unit: str | None = None
    origin: str | None = None
    quality: int | None = None
    supersedes: int | None = None


_decode_one = msgspec.json.Decoder(Observation).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _message(found: Observation, raw: bytes) -> Message:
    return Message(
        stream=found.datastream,
        value=found.value,
        time=found.time,
        unit=found.unit,
        origin=found.origin,
        quality=found.quality,
        supersedes=found.supersedes,
        payload=raw,
        transport="http",
        topic="/api/v1/observations",
    )


def _shown(receipt: Receipt) -> dict[str, Any]:
    found: dict[str, Any] = {"status": receipt.status, "id": receipt.id}
    if receipt.reason:
        found.update(reason=receipt.reason, detail=receipt.detail)
    return found


async def post(scope: Scope, receive: Receive, send: Send, keys: KnownKeys) -> None:
    """Answers 201 with the receipts when everything was accepted (or was there before), else 422 with them.

    With 422 nothing is lost: what was not accepted lies in the loss ledger with its reason, the rest is stored.
    A body that is no JSON, or of no allowed form, is answered 400 and set aside too.
    """
    try:
        by = await keys.bearer(header(scope, b"authorization"))
        if by is None:
            raise Unauthenticated("Observations are sent with an API key.", "Authorization", "Bearer <key id>.<secret>")
        content = await body(receive, BODY)
        one = content.lstrip()[:1] != b"["
        receipts = await _accept(content, one, by)
        status = 201 if all(receipt.stored for receipt in receipts) else 422
        shown = [_shown(receipt) for receipt in receipts]
        await answer_json(send, status, shown[0] if one else shown)
    except KrogError as error:
        await answer_problem(send, error)


async def _accept(content: bytes, one: bool, by: Reader) -> list[Receipt]:
    try:
        raws = [content] if one else [bytes(raw) for raw in _decode_list(content)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        await _aside(content, str(error), by)
        raise Invalid(f"The body is not JSON of an allowed form: {error}", "body", FORM) from None
    if len(raws) > BATCH:
        raise Invalid(f"The list has {len(raws)} observations.", "body", f"at most {BATCH}", "Send several lists.")
    messages: list[tuple[int, Message]] = []
    receipts: list[Receipt | None] = [None] * len(raws)
    for place, raw in enumerate(raws):
        try:
            messages.append((place, _message(_decode_one(raw), raw)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            receipts[place] = await _aside(raw, str(error), by)
            if one:
                raise Invalid(f"The body is not of an allowed form: {error}", "body", FORM) from None
    for (place, _), receipt in zip(messages, await ingest.accept([m for _, m in messages], by=by), strict=True):
        receipts[place] = receipt
    return [receipt for receipt in receipts if receipt is not None]


async def _aside(raw: bytes, detail: str, by: Reader) -> Receipt:
    return await ingest.set_aside(raw, "malformed", detail, transport="http", topic="/api/v1/observations", by=by)
