"""Computes old values again from the inputs that they name, and says whether the bits are the same."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from krog.base import times
from krog.base.errors import KrogError, NotFound
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine.compute.aggregate import Readings, engine
from krog.engine.compute.run import results
from krog.engine.compute.selection import of_document
from krog.engine.compute.sources import Sources
from krog.indicators import formula, periods, reads, verbs
from krog.indicators.shapes import Value
from krog.lake.snapshot import EMPTY, Snapshot, snapshot, snapshot_at
from krog.people.permissions import SYSTEM

#: How many values one round computes again.
SOME = 5


@dataclass(frozen=True)
class Finding:
    """`same`: the same bits came out (None: it cannot be said); `detail` is a code and what belongs to it:
    same VERSION | same-now VERSION | differs VALUE | gone VERSION | inputs VERSION | failed SENTENCE."""

    same: bool | None
    detail: str


def check_some() -> int:
    """Values that people asked about, then new ones that were never computed again; returns how many."""
    grant = door.open(SYSTEM, "compute", kind="indicators")
    found = reads.to_check(grant, SOME)
    for value, check in found:
        finding = recompute(grant, value)
        verbs.record_check(
            SYSTEM, value=value.id, check=check, same=finding.same, detail=finding.detail, engine=engine()
        )
    return len(found)


def recompute(grant: Grant, value: Value) -> Finding:
    """Computes one value again from its pinned version of the lake; where that is not kept any more, from the present
    one, which must hold the same inputs."""
    made = value.provenance
    if made is None:
        return Finding(None, "failed not computed")
    checked = formula.parse(made.formula, _kind(value))
    pins = {str(each["term"]): each for each in made.inputs}
    version, then = made.lake_version, True
    here: Snapshot | None = None
    if checked.streams:
        try:
            here = snapshot_at(version if version is not None else EMPTY)
        except NotFound:
            here, then = snapshot(), False
    zone = settings().timezone
    kept = reads.selections(grant, value)
    selections = {name: of_document(kept[name]) for name in checked.streams if name in kept}
    sources = Sources(grant, zone, Readings(here, zone) if here else None, pins)
    said = version if here else " ".join(f"{each['dataset']}@{each['version']}" for each in made.inputs)
    try:
        again = results(checked, selections, sources, [value.period], max(times.now(), value.recorded))[value.period]
    except KrogError as error:
        return Finding(None, f"failed {error.what}")
    finally:
        sources.close()
    if again is None or again.inputs_hash != made.inputs_hash:
        return Finding(False, f"inputs {said}") if then else Finding(None, f"gone {said}")
    if _bits(again.value) != _bits(value.value):
        return Finding(False, f"differs {again.value!r}")
    return Finding(True, f"same {said}" if then else f"same-now {here.version if here else said}")


def _kind(value: Value) -> str:
    return periods.kind_of(value.period)


def _bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("<d", value)
