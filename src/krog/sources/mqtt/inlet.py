"""From PUBLISH packets to `engine.ingest`: a batch in, a receipt for each when all of it is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from krog.base.errors import Transient
from krog.base.grant import Reader
from krog.engine.ingest import Message, Receipt
from krog.sources.mqtt.packets import Publish, Reason
from krog.sources.mqtt.topics import PREFIX, key_of
from krog.sources.reading import read

log = logging.getLogger("krog.mqtt")

#: For how long a full or failing store is asked again before the client is sent away with its messages.
PATIENCE_S = 30.0

#: Reason codes of PUBACK (MQTT 5) for the reasons of the loss ledger.
CODES = {
    "malformed": Reason.PAYLOAD_FORMAT_INVALID,
    "unknown": Reason.TOPIC_NAME_INVALID,
    "forbidden": Reason.NOT_AUTHORISED,
    "unit": Reason.PAYLOAD_FORMAT_INVALID,
    "out-of-range": Reason.PAYLOAD_FORMAT_INVALID,
}

T = TypeVar("T")


class Door(Protocol):
    """What the listener needs of `engine.ingest` (the module itself fits, and so does an `Intake`)."""

    def accept(self, batch: Sequence[Message], *, by: Reader) -> Awaitable[list[Receipt]]: ...

    def set_aside(
        self, payload: bytes, reason: str, detail: str, *, transport: str, topic: str, by: Reader, key: str = ""
    ) -> Awaitable[Receipt]: ...


def reason_code(receipt: Receipt) -> int:
    """The PUBACK reason code of MQTT 5; 3.1.1 has none."""
    return 0 if receipt.stored else int(CODES.get(receipt.reason, Reason.IMPLEMENTATION_SPECIFIC))


async def take(door: Door, batch: Sequence[Publish], by: Reader) -> list[Receipt]:
    """A receipt for each packet, in their order; given when all are on the disk. What cannot be read is set aside.
    Raises Transient when the store takes nothing for PATIENCE_S seconds; then the packets are not acknowledged."""
    messages: list[tuple[int, Message]] = []
    broken: list[tuple[int, Publish, str, str]] = []
    for place, packet in enumerate(batch):
        key = key_of(packet.topic)
        if key is None:
            broken.append((place, packet, "", f"The topic is not {PREFIX}<datastream key>."))
            continue
        try:
            reading = read(packet.payload)
        except ValueError as error:
            broken.append((place, packet, key, str(error)))
        else:
            messages.append((place, reading.message(key, payload=packet.payload, transport="mqtt", topic=packet.topic)))
    receipts: dict[int, Receipt] = {}
    if messages:
        wanted = [message for _, message in messages]
        found = await _patiently(lambda: door.accept(wanted, by=by))
        receipts.update(zip((place for place, _ in messages), found, strict=True))
    if broken:
        asides = [_aside(door, packet, key, what, by) for _, packet, key, what in broken]
        kept = await asyncio.gather(*(_patiently(aside) for aside in asides))
        receipts.update(zip((place for place, *_ in broken), kept, strict=True))
    return [receipts[place] for place in range(len(batch))]


def _aside(door: Door, packet: Publish, key: str, what: str, by: Reader) -> Callable[[], Awaitable[Receipt]]:
    return lambda: door.set_aside(
        packet.payload, "malformed", what, transport="mqtt", topic=packet.topic, by=by, key=key
    )


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks again while the store is busy: the client is held back meanwhile, because nothing more is read from it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    pause = 0.05
    while True:
        try:
            return await ask()
        except Transient as error:
            if loop.time() + pause > end:
                raise
            log.warning("Messages wait for the store: %s", error)
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)
