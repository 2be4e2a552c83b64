"""Which datastreams a term of a formula reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from krog.base.errors import Invalid
from krog.base.grant import Grant
from krog.indicators import quantities
from krog.indicators.terms import Term
from krog.streams import reads as streams

_PAGE = 1000


@dataclass(frozen=True)
class Chosen:
    """A datastream as a term reads it: `number` in the lake, `unit` of its values, seconds between them (0: any)."""

    number: int
    unit: str
    interval_s: int


@dataclass(frozen=True)
class Selection:
    """The datastreams of a term by key."""

    streams: Mapping[str, Chosen]

    @property
    def document(self) -> dict[str, list[object]]:
        return {key: [one.number, one.unit, one.interval_s] for key, one in sorted(self.streams.items())}

    @property
    def id(self) -> str:
        """SHA-256 of the document."""
        text = json.dumps(self.document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def select(grant: Grant, name: str, term: Term) -> Selection:
    """The datastreams that `term` names, in use now. Raises Invalid where a unit does not fit the term's."""
    found: dict[str, Chosen] = {}
    offset = 0
    while True:
        page = streams.datastreams(grant, dataset=term.dataset, limit=_PAGE, offset=offset).items
        for one in page:
            named = not (term.streams or term.roles) or one.key in term.streams or one.role in term.roles
            if named and one.numeric:
                found[one.key] = Chosen(one.id, one.unit, one.interval_s)
        offset += len(page)
        if len(page) < _PAGE:
            break
    wrong = [
        key for key, one in found.items() if term.agg != "count" and not quantities.convertible(one.unit, term.unit)
    ]
    if wrong:
        raise Invalid(
            f"The unit of {', '.join(wrong[:5])} does not fit the term {name}.",
            f"terms.{name}",
            term.unit,
            "Change the term's unit, or choose other datastreams.",
        )
    return Selection(found)


def of_document(document: Mapping[str, list[object]]) -> Selection:
    """A selection as it was kept."""
    return Selection({key: Chosen(int(str(n)), str(u), int(str(i))) for key, (n, u, i) in document.items()})
