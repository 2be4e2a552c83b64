"""`POST /api/v1/observations`: one observation or a list, answered when all of it is durable.

One that is stored (or was stored before) is answered 201 with its receipt; one that is not is answered with a problem,
400 or 403, that names its entry in the loss ledger. A list is answered 201 when all of it is stored, else 202, in both
cases with one receipt for each item, in their order. What cannot be read at all is 400, and kept in the ledger too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from krog.base.errors import Busy, Forbidden, Invalid, KrogError, TooLarge, Unauthenticated
from krog.base.grant import Reader
from krog.engine.ingest import Message, Receipt
from krog.sources.mqtt.inlet import Door
from krog.sources.reading import Reading
from krog.sources.rights import Rights
from krog.web.ingest.http import Receive, Reply, Scope, header, json, problem, read_body

#: Most bytes of a request and most observations of a list.
LARGEST, MOST = 2_000_000, 5_000
#: Bytes of requests that may be in memory at a time; more are answered 429.
IN_MEMORY = 32_000_000

FORM, MAKE = "Bearer <key id>.<secret>", "Make a key with `krog key create`."
TRANSPORT, TOPIC = "http", "/api/v1/observations"


class Observation(Reading, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reading with the key of its datastream."""

    datastream: str


_one = msgspec.json.Decoder(Observation)
_list = msgspec.json.Decoder(list[msgspec.Raw])


class Observations:
    """The endpoint; `door` is `engine.ingest`."""

    def __init__(self, door: Door, rights: Rights):
        self._door, self._rights = door, rights
        self._held = 0

    async def post(self, scope: Scope, receive: Receive) -> Reply:
        """The reply to a request."""
        reader = await self.reader(scope)
        length = header(scope, b"content-length")
        size = min(int(length), LARGEST) if length.isdigit() else LARGEST
        if self._held + size > IN_MEMORY:
            raise Busy("Too much is being sent right now.", todo="Send it again in a second.")
        self._held += size
        try:
            body = await read_body(scope, receive, LARGEST)
            return await self._take(body, reader)
        finally:
            self._held -= size

    async def reader(self, scope: Scope) -> Reader:
        """Who sends; Unauthenticated without a valid key."""
        found = await bearer(scope, self._rights)
        if found is None:
            raise Unauthenticated("Observations are sent with an API key.", "Authorization", FORM, MAKE)
        return found

    async def _take(self, body: bytes, by: Reader) -> Reply:
        if body.lstrip()[:1] != b"[":
            receipt = (await self._receipts([body], by))[0]
            return json(201, _shown(receipt)) if receipt.stored else problem(_refusal(receipt))
        try:
            items = [bytes(item) for item in _list.decode(body)]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            receipt = await self._aside(body, f"The body is no JSON list: {error}.", by)
            return problem(_refusal(receipt))
        if len(items) > MOST:
            raise TooLarge(f"The list has {len(items)} observations.", "body", f"at most {MOST}", "Send several lists.")
        receipts = await self._receipts(items, by)
        status = 201 if all(receipt.stored for receipt in receipts) else 202
        return json(status, {"receipts": [_shown(receipt) for receipt in receipts]})

    async def _receipts(self, items: Sequence[bytes], by: Reader) -> list[Receipt]:
        """A receipt for each item, in their order: the readable ones go in as one batch."""
        messages: list[Message] = []
        places: list[int] = []
        broken: list[tuple[int, bytes, str]] = []
        for place, item in enumerate(items):
            try:
                found = _one.decode(item)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                broken.append((place, item, f"This is no observation: {error}."))
            else:
                messages.append(found.message(found.datastream, payload=item, transport=TRANSPORT, topic=TOPIC))
                places.append(place)
        receipts: dict[int, Receipt] = {}
        if messages:
            receipts.update(zip(places, await self._door.accept(messages, by=by), strict=True))
        if broken:
            kept = await asyncio.gather(*(self._aside(item, what, by) for _, item, what in broken))
            receipts.update(zip((place for place, _, _ in broken), kept, strict=True))
        return [receipts[place] for place in range(len(items))]

    async def _aside(self, payload: bytes, what: str, by: Reader) -> Receipt:
        return await self._door.set_aside(payload, "malformed", what, transport=TRANSPORT, topic=TOPIC, by=by)


async def bearer(scope: Scope, rights: Rights) -> Reader | None:
    """The reader of the Authorization header, None where there is none; Unauthenticated where it is wrong."""
    given = header(scope, b"authorization")
    if not given:
        return None
    scheme, _, token = given.partition(" ")
    key_id, _, secret = token.strip().partition(".")
    found = await rights.reader(key_id, secret) if scheme.lower() == "bearer" else None
    if found is None:
        raise Unauthenticated("The API key is not known.", "Authorization", FORM, MAKE)
    return found


def _shown(receipt: Receipt) -> dict[str, Any]:
    """A receipt as clients get it: the observation's id, or the entry in the loss ledger with reason and sentence."""
    if receipt.stored:
        return {"status": receipt.status, "id": receipt.id}
    return {"status": receipt.status, "entry": receipt.id, "reason": receipt.reason, "detail": receipt.detail}


def _refusal(receipt: Receipt) -> KrogError:
    kind = Forbidden if receipt.status == "refused" else Invalid
    return kind(
        receipt.detail, todo="It was kept for an operator to look at; correct it before sending it again.",
        extra={"reason": receipt.reason, "entry": receipt.id},
    )  # fmt: skip
