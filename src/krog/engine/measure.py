"""Krog senses itself: every hour it counts how it works, and keeps one row for each day and fact in a table.

Indicators of Krog are ordinary formulas over this table, in a pinned version like any other. A day's row is written
anew until the day is over; what was counted on days that are over stays. Facts of a demonstration are marked simulated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from krog.base import times
from krog.base.errors import NotFound
from krog.base.origin import Origin
from krog.base.settings import settings
from krog.cases import reads as cases
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.engine.schedule import Schedule
from krog.indicators import reads as indicators
from krog.lake import dataset_table
from krog.people.keys import list_keys
from krog.people.permissions import SYSTEM
from krog.plans import reads as plans
from krog.streams import observed
from krog.streams import reads as streams
from krog.streams.shapes import State

#: The table, and the dataset that a city declares for it in datasets.toml.
TABLE = "krog-facts"
COLUMNS = {"day": "string", "fact": "string", "value": "float64", "origin": "string"}
#: Days back that are counted again: what a day's services and cases came to is known only after it.
AGAIN = 3
_PAGE = 1000

#: What is counted, with what it means; the how-to and the dataset's dictionary say the same.
FACTS = {
    "streams-planned": "datastreams that the city declares",
    "streams-working": "of these, those whose newest value is not overdue",
    "sources-planned": "datasets of datastreams",
    "sources-fresh": "of these, those in which at least one datastream works",
    "links": "API keys in use: other systems that are connected by the open interface",
    "services-started": "services started on the day, over all channels",
    "services-finished": "of these, those that were finished",
    "cases-closed": "cases closed on the day",
    "cases-in-time": "of these, those closed before their deadline",
    "nodes": "nodes of the plans in force",
    "nodes-held": "of these, those with a person who answers for them",
    "targets": "targets of indicators",
    "targets-clear": "of these, those that can be read without doubt",
}


def measure(now: int | None = None) -> int | None:
    """Counts today (and again the last days) and writes the table; returns its version, None where nothing differs or
    the city does not declare the table."""
    moment = times.now() if now is None else now
    try:
        catalogue.dataset(door.open(SYSTEM, "compute", kind="catalogue"), TABLE)
    except NotFound:
        return None
    today = times.local_date(moment, settings().timezone)
    counted = [*_state(today, moment)]
    for back in range(AGAIN + 1):
        counted += _of_day(today - timedelta(days=back))
    newest = dataset_table.version(TABLE)
    old = dataset_table.read_table(TABLE).to_pylist() if newest is not None else []
    first = min((str(row["day"]) for row in old), default=today.isoformat())
    rows = {(row["day"], row["fact"]): row for row in old}
    rows |= {(row["day"], row["fact"]): row for row in counted if str(row["day"]) >= first}
    version = dataset_table.write_table(TABLE, [rows[place] for place in sorted(rows)], columns=COLUMNS)
    return None if version == newest else version


def _row(day: date, fact: str, value: float, origin: Origin = Origin.MEASURED) -> dict[str, object]:
    kept = Origin.SIMULATED if settings().demo else origin
    return {"day": day.isoformat(), "fact": fact, "value": float(value), "origin": kept.word}


def _state(today: date, now: int) -> Iterator[dict[str, object]]:
    """What stands today."""
    planned, working, sources, fresh, replayed = 0, 0, set(), set(), False
    grant = door.open(SYSTEM, "compute", kind="streams")
    offset, more = 0, True
    while more:
        page = streams.datastreams(grant, limit=_PAGE, offset=offset).items
        latest = observed.latest_of(grant, page, now) if page else {}
        for one in page:
            planned += 1
            sources.add(one.dataset)
            found = latest.get(one.key)
            if found is not None and found.state is State.WORKING:
                working += 1
                fresh.add(one.dataset)
                replayed = replayed or (found.origin is not None and not found.origin.is_fact)
        offset += len(page)
        more = len(page) == _PAGE
    origin = Origin.REPLAYED if replayed else Origin.MEASURED
    yield _row(today, "streams-planned", planned)
    yield _row(today, "streams-working", working, origin)
    yield _row(today, "sources-planned", len(sources))
    yield _row(today, "sources-fresh", len(fresh), origin)
    yield _row(today, "links", sum(key.revoked is None for key in list_keys(SYSTEM)))
    grant = door.open(SYSTEM, "compute", kind="plans")
    nodes = [n for card in plans.plans(grant) if card.nodes for n in plans.tree(grant, card.plan.key).nodes.values()]
    yield _row(today, "nodes", len(nodes))
    yield _row(today, "nodes-held", sum(bool(node.holder) for node in nodes))
    grant = door.open(SYSTEM, "compute", kind="indicators")
    targets = [t for each in indicators.indicators(grant, limit=10_000).items for t in each.targets]
    yield _row(today, "targets", len(targets))
    yield _row(today, "targets-clear", sum(target.readable for target in targets))


def _of_day(day: date) -> Iterator[dict[str, object]]:
    """What happened on a day."""
    used = catalogue.service_use(door.open(SYSTEM, "compute", kind="catalogue"), day, day)
    yield _row(day, "services-started", sum(use.started for use in used))
    yield _row(day, "services-finished", sum(use.finished for use in used))
    zone = settings().timezone
    start, end = times.start_of_day(day, zone), times.start_of_day(day + timedelta(days=1), zone)
    closed, in_time = cases.closed_between(door.open(SYSTEM, "compute", kind="cases"), start, end)
    yield _row(day, "cases-closed", closed)
    yield _row(day, "cases-in-time", in_time)


def measure_all() -> None:
    """One round of counting."""
    measure()


SCHEDULES = (Schedule("measure-krog", 3600.0, measure_all),)
