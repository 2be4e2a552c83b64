"""One round of computing: every computed indicator whose inputs may have changed, from pinned versions."""

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
from krog.engine.compute.sources import Sources, Taken
from krog.indicators import combine, formula, periods, reads, verbs
from krog.indicators.formula import Formula
from krog.indicators.shapes import Indicator, Status
from krog.indicators.verbs.computing import Computed, Outcome
from krog.lake.snapshot import Snapshot, snapshot
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

#: How far an indicator was: formula, version of the lake, mark, and what its tables and indicators were.
Known = tuple[str, int, int, str]


@dataclass(frozen=True)
class Plan:
    """What one indicator is computed by: formula and, for each term of streams, the chosen streams."""

    indicator: Indicator
    formula: Formula
    selections: Mapping[str, Selection]

    @property
    def numbers(self) -> list[int]:
        return sorted({one.number for chosen in self.selections.values() for one in chosen.streams.values()})


_looked: dict[str, int] = {}


def compute_all(now: int | None = None) -> int | None:
    """Brings every computed indicator up to the published version of the lake and the newest of its tables and other
    indicators; returns the run that wrote, if any.

    An indicator that cannot be computed does not hold up the others; the first error is raised at the end. One that
    refers to another takes the values that were there before this round; the next round follows.
    """
    started = times.now() if now is None else now
    mine = door.open(SYSTEM, "compute", kind="indicators")
    known = reads.progress(mine)
    here = snapshot()
    all_of = reads.indicators(mine, kind="computed", limit=10_000).items
    formulas = {each.key: formula.read(each.formula, each.period) for each in all_of if each.formula}
    sources = Sources(mine, settings().timezone, None)
    outcomes: list[Outcome] = []
    examined, failed = 0, None
    try:
        for each in all_of:
            if each.key not in formulas:
                continue
            of = formulas[each.key]
            try:
                state = sources.state(of)
                if not _due(each, of, here, known.get(each.key), state, started):
                    continue
                if of.streams and sources.readings is None:
                    sources.readings = Readings(here, settings().timezone)
                outcome, looked = _one(mine, each, sources, known.get(each.key), state, started)
            except KrogError as error:
                log.warning("The indicator %s cannot be computed: %s", each.key, error)
                failed = failed or error
                continue
            outcomes.append(outcome)
            examined += looked
            _looked[each.key] = started
    finally:
        sources.close()
    if not outcomes and not failed:
        return None
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


def _due(each: Indicator, of: Formula, here: Snapshot, known: Known | None, state: str, now: int) -> bool:
    """Whether anything that the indicator reads may have changed, or a period may have ended since."""
    if of.streams and not here.files:
        return False
    if known is None or known[0] != each.formula_id or known[3] != state:
        return True
    if of.streams and known[1] != here.version:
        return True
    return _looked.get(each.key, 0) + LOOK_AGAIN < now


def plan(each: Indicator) -> Plan:
    """The indicator's formula, checked again, with the streams that its terms name now."""
    checked = formula.parse(each.formula, each.period)
    grant = door.open(SYSTEM, "compute", kind="streams")
    return Plan(each, checked, {name: select(grant, name, term) for name, term in checked.streams.items()})


def results(
    of: Formula, selections: Mapping[str, Selection], sources: Sources, wanted: Sequence[str], now: int
) -> dict[str, Computed | None]:
    """The value of each period from these sources; None where a period has nothing to say yet."""
    taken = {name: sources.take(name, term, selections.get(name), wanted, now) for name, term in of.terms.items()}
    if of.streams:
        assert sources.readings is not None
        span = sources.readings.span(
            sorted({one.number for chosen in selections.values() for one in chosen.streams.values()})
        )
        # Where the readings have not come yet (a gateway is behind, history is on its way), a period still runs.
        now = min(now, span[1] + 2 * GRACE) if span else 0
    found: dict[str, Computed | None] = {}
    for period in wanted:
        found[period] = _computed(of, {name: each[period] for name, each in taken.items()}, period, sources.zone, now)
    return found


def _one(
    grant: Grant, each: Indicator, sources: Sources, known: Known | None, state: str, now: int
) -> tuple[Outcome, int]:
    """What is new for one indicator, and how many periods were looked at."""
    made = plan(each)
    wanted = _periods(made, sources, known if known and known[0] == each.formula_id else None, state, now)
    before = reads.latest_inputs(grant, each.key, wanted)
    new = []
    for period, value in (results(made.formula, made.selections, sources, wanted, now) if wanted else {}).items():
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
        mark=sources.readings.snapshot.high if made.formula.streams and sources.readings else 0,
        state=state,
        values=new,
        selections={chosen.id: chosen.document for chosen in made.selections.values()} if new else {},
    )
    return outcome, len(wanted)


def _periods(made: Plan, sources: Sources, known: Known | None, state: str, now: int) -> list[str]:
    """The periods that may have changed: of new readings or rows, and those that may have ended since."""
    kind, zone = made.indicator.period, settings().timezone
    this = periods.of_moment(now, kind, zone)
    oldest = this
    for _ in range(MOST[kind] - 1):
        oldest = periods.before(oldest)
    others = made.formula.tables or made.formula.refs
    if not made.formula.streams:
        return sources.periods(made.formula, kind, oldest, this)
    readings = sources.readings
    assert readings is not None
    if known is not None and (not others or known[3] == state):
        hours, corrects = readings.hours_after(known[2], made.numbers)
        if not corrects:
            touched = {periods.of_moment(at, kind, zone) for hour in hours for at in (hour, hour + times.HOUR - 1)}
            return sorted(p for p in touched | {this, periods.before(this)} if oldest <= p <= this)
    span = readings.span(made.numbers)
    if span is None:
        return []
    return list(periods.between(max(oldest, periods.of_moment(span[0], kind, zone)), this))


def _computed(of: Formula, taken: Mapping[str, Taken], period: str, zone: str, now: int) -> Computed | None:
    start, end = periods.bounds(period, zone)
    hours = [
        bucket.end
        for term in of.streams.values()
        for bucket in periods.buckets(period, periods.kind_of(period), term.local_hour, zone)
    ]
    last = end if of.tables or of.refs else max(hours, default=end)
    running = now < last + GRACE or any(each.running for each in taken.values())
    inputs = {name: each.input for name, each in taken.items()}
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
        inputs=[taken[name].kept for name in sorted(taken)],
        rows=sum(cell.n for cell in cells),
        inputs_hash=combine.fingerprint(inputs),
    )
