"""What a sender may say of one observation, in JSON, over MQTT and HTTP alike."""

from __future__ import annotations

from typing import Any

import msgspec

from krog.engine.ingest import Message


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`value` in the datastream's unit (a number; text or JSON where the datastream is not numeric). `time` is ISO 8601
    with an offset (left out: the moment of arrival), `unit` a UCUM code that must be the datastream's, `origin` one of
    measured, replayed, simulated, computed, entered, imported; `supersedes` the id of the observation it corrects."""

    value: Any
    time: str | None = None
    unit: str | None = None
    origin: str | None = None
    quality: int | None = None
    supersedes: int | None = None

    def message(self, stream: str, *, payload: bytes, transport: str, topic: str) -> Message:
        """The same for `engine.ingest`."""
        return Message(
            stream=stream, value=self.value, time=self.time, unit=self.unit, origin=self.origin, quality=self.quality,
            supersedes=self.supersedes, payload=payload, transport=transport, topic=topic,
        )  # fmt: skip


_decoder = msgspec.json.Decoder(Reading)
_any = msgspec.json.Decoder()


def read(payload: bytes) -> Reading:
    """The reading of a payload: a bare number, or an object. Raises ValueError with what is wrong."""
    head = payload.lstrip()[:1]
    try:
        if head == b"{":
            return _decoder.decode(payload)
        found = _any.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"The payload is no JSON number and no object of a reading: {error}.") from None
    if type(found) not in (int, float):
        raise ValueError('The payload is neither a number nor an object such as {"value": 21.5}.')
    return Reading(value=found)
