"""Where an observation or value comes from; carried through storage, API, alert, indicator and export."""

from __future__ import annotations

from enum import IntEnum


class Origin(IntEnum):
    """`MEASURED` by a sensor at its place; `REPLAYED` from a recording made elsewhere or earlier;
    `SIMULATED` from a model; `COMPUTED` from other data; `ENTERED` by a person; `IMPORTED` from a table."""

    MEASURED = 0
    REPLAYED = 1
    SIMULATED = 2
    COMPUTED = 3
    ENTERED = 4
    IMPORTED = 5

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def is_fact(self) -> bool:
        """False for what must never be shown as a fact of a real street."""
        return self not in (Origin.REPLAYED, Origin.SIMULATED)


ORIGINS = {origin.word: origin for origin in Origin}


def weakest(origins: list[Origin]) -> Origin:
    """The origin that a value computed from these must carry: simulated over replayed over computed."""
    for origin in (Origin.SIMULATED, Origin.REPLAYED):
        if origin in origins:
            return origin
    return Origin.COMPUTED
