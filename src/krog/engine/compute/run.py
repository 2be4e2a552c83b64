"""One round of computing: every computed indicator whose inputs may have changed, from one version of the lake."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import krog
from krog.base import times
from krog.base.errors import KrogError
from krog.base.grant import Grant
from krog.base.origin import Origin, weakest
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine.compute.aggregate import Readings, engine
from krog.engine.compute.selection import Selection, select
from krog.indicators import combine, formula, periods, reads, verbs
from krog.indicators.combine import Input
from krog.indicators.formula import Formula
from krog.indicators.shapes import Indicator, Status
from krog.indicators.verbs.computing import Computed, Outcome
from krog.lake.snapshot import snapshot
from krog.people.permissions import SYSTEM

log = logging.getLogger("krog.compute")

#: A period runs until so long after its last bucket: what comes a little later belongs to it. So long before its end
#: the newest reading may be for it to be over.
GRACE = 10 * times.MINUTE
#: A value of a period that still runs is written again at most so often.
RUNNING_EVERY = 15 * times.MINUTE
#: How many periods back a round looks at most.
MOST = {"day": 400, "month": 120, "year": 50}
#: Without a new version a round still looks whether periods have ended since.
LOOK_AGAIN = 10 * times.MINUTE


@dataclass(frozen=True)
class Plan:
    """What one indicator is computed by: formula and, for each term, the chosen streams."""

    indicator: Indicator
    formula: Formula
    selections: Mapping[str, Selection]

    @property
    def numbers(self) -> list[int]:
        return sorted({one.number for chosen in self.selections.values() for one in chosen.streams.values()})


_looked: dict[str, int] = {}


def compute_all(now: int | None = None) -> int | None:
    """Brings every computed indicator up to the published version of the lake; returns the run that wrote, if any.

    An indicator that cannot be computed does not hold up the others; the first error is raised at the end.
    """
    started = times.now() if now is None else now
    mine = door.open(SYSTEM, "compute", kind="indicators")
    known = reads.progress(mine)
    here = snapshot()
    wanted = [
        each
        for each in reads.indicators(mine, kind="computed", limit=10_000).items
        if each.key not in known
        or known[each.key][:2] != (each.formula_id, here.version)
        or _looked.get(each.key, 0) + LOOK_AGAIN < started
    ]
    if not wanted or not here.files:
        return None
    readings = Readings(here, settings().timezone)
    outcomes: list[Outcome] = []
    examined, failed = 0, None
    try:
        for each in wanted:
            try:
                outcome, looked = _one(mine, each, readings, known.get(each.key), started)
            except KrogError as error:
                log.warning("The indicator %s cannot be computed: %s", each.key, error)
                failed = failed or error
                continue
            outcomes.append(outcome)
            examined += looked
            _looked[each.key] = started
    finally:
        readings.close()
    run = verbs.record_run(
        SYSTEM,
        started=started,
        program=f"krog {krog.__version__}",
        engine=engine(),
        lake_version=here.version,
        examined=examined,
        outcomes=outcomes,
    )
    if failed:
        raise failed
    return run


def plan(each: Indicator) -> Plan:
    """The indicator's formula, checked again, with the streams that its terms name now."""
    checked = formula.parse(each.formula, each.period)
    grant = door.open(SYSTEM, "compute", kind="streams")
    return Plan(each, checked, {name: select(grant, name, term) for name, term in checked.terms.items()})


def results(
    of: Formula, selections: Mapping[str, Selection], readings: Readings, wanted: Sequence[str], now: int
) -> dict[str, Computed | None]:
    """The value of each period from these readings; None where a period has nothing to say yet."""
    inputs = {name: readings.inputs(term, selections[name], wanted) for name, term in of.terms.items()}
    span = readings.span(sorted({one.number for chosen in selections.values() for one in chosen.streams.values()}))
    # Where the readings have not come yet (a gateway is behind, history is on its way), a period still runs.
    now = min(now, span[1] + 2 * GRACE) if span else 0
    found: dict[str, Computed | None] = {}
    for period in wanted:
        mine = {name: by_period[period] for name, by_period in inputs.items()}
        found[period] = _computed(of, selections, mine, period, readings, now)
    return found


def _one(
    grant: Grant, each: Indicator, readings: Readings, known: tuple[str, int, int] | None, now: int
) -> tuple[Outcome, int]:
    """What is new for one indicator, and how many periods were looked at."""
    made = plan(each)
    wanted = _periods(made, readings, known if known and known[0] == each.formula_id else None, now)
    before = reads.latest_inputs(grant, each.key, wanted)
    new = []
    for period, value in (results(made.formula, made.selections, readings, wanted, now) if wanted else {}).items():
        if value is None:
            continue
        old = before.get(period)
        same = old is not None and old[:3] == (made.formula.id, value.inputs_hash, value.status)
        running = value.status == Status.PROVISIONAL and old is not None and old[2] == Status.PROVISIONAL
        if not same and not (running and old is not None and old[3] + RUNNING_EVERY > now):
            new.append(value)
    outcome = Outcome(
        indicator=each.key,
        formula_id=made.formula.id,
        document=dict(each.formula or {}),
        period=each.period,
        mark=readings.snapshot.high,
        values=new,
        selections={chosen.id: chosen.document for chosen in made.selections.values()} if new else {},
    )
    return outcome, len(wanted)


def _periods(made: Plan, readings: Readings, known: tuple[str, int, int] | None, now: int) -> list[str]:
    """The periods that may have changed: of new readings, and those that may have ended since."""
    kind, zone = made.indicator.period, settings().timezone
    this = periods.of_moment(now, kind, zone)
    oldest = this
    for _ in range(MOST[kind] - 1):
        oldest = periods.before(oldest)
    if known is not None:
        hours, corrects = readings.hours_after(known[2], made.numbers)
        if not corrects:
            touched = {periods.of_moment(at, kind, zone) for hour in hours for at in (hour, hour + times.HOUR - 1)}
            return sorted(p for p in touched | {this, periods.before(this)} if oldest <= p <= this)
    span = readings.span(made.numbers)
    if span is None:
        return []
    return list(periods.between(max(oldest, periods.of_moment(span[0], kind, zone)), this))


def _computed(
    of: Formula,
    selections: Mapping[str, Selection],
    inputs: Mapping[str, Input],
    period: str,
    readings: Readings,
    now: int,
) -> Computed | None:
    zone = readings.zone
    start, end = periods.bounds(period, zone)
    last = max(
        (
            bucket.end
            for term in of.terms.values()
            for bucket in periods.buckets(period, periods.kind_of(period), term.local_hour, zone)
        ),
        default=end,
    )
    running = now < last + GRACE
    cells = [cell for each in inputs.values() for cell in each.cells.values()]
    result = combine.combine(of, inputs, period)
    if running and result.value is None:
        return None
    origins = [Origin.REPLAYED for cell in cells if cell.replayed] + [Origin.SIMULATED for c in cells if c.simulated]
    return Computed(
        period=period,
        start=start,
        end=end,
        value=result.value,
        status=Status.PROVISIONAL if running else Status.CALCULATED,
        origin=weakest(origins),
        reasons=result.reasons,
        inputs=[
            {
                "term": name,
                "dataset": of.terms[name].dataset,
                "table": "observations",
                "version": readings.snapshot.version,
                "selection": selections[name].id,
                "rows": sum(cell.n for cell in inputs[name].cells.values()),
            }
            for name in sorted(inputs)
        ],
        rows=sum(cell.n for cell in cells),
        inputs_hash=combine.fingerprint(inputs),
    )
