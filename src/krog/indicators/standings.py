"""Where indicators stand: evaluated once for each state of definition, targets and values, and kept in the process.

Values are only ever added, so the newest row's number says whether anything is new; a list of 200 indicators with ten
years of values then costs three queries, however long the archive.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import OuterRef, Q, Subquery

from krog.base import times
from krog.base.grant import Grant
from krog.base.origin import Origin
from krog.base.settings import settings
from krog.indicators import evaluation, models, rows, shapes
from krog.indicators.shapes import Evaluation, Indicator, Standing, Status, Value

#: How far back lists look for values of days; charts of one indicator show all.
RECENT_DAYS = 60
#: So many of the newest points stay with a standing, for a small line in a list.
POINTS = 24
#: Evaluations that a process keeps at most.
KEPT = 5000


@dataclass(frozen=True)
class _Kept:
    about: Indicator
    marks: tuple[object, ...]
    standing: Standing


_kept: dict[str, _Kept] = {}


def standings(grant: Grant, keys: Iterable[str] | None = None) -> dict[str, Standing]:
    """Each indicator with its newest value and where it stands to its next target; keys nobody may see are left out."""
    newest = models.Value.objects.filter(indicator=OuterRef("pk")).order_by("-id")
    all_of = models.Indicator.objects.filter(rows.mine(grant), retired=False).annotate(
        newest=Subquery(newest.values("id")[:1]), moment=Subquery(newest.values("recorded")[:1])
    )
    wanted = all_of.order_by("order", "key")
    found = list(wanted if keys is None else wanted.filter(key__in=set(keys)))
    targets = rows.targets(found)
    abouts = {row.key: rows.indicator(grant, row, targets[row.pk]) for row in found}
    marks: dict[str, object] = {row.key: (row.newest, row.moment) for row in found}
    lacking = {key for about in abouts.values() for key in related(about)} - set(marks)
    if lacking:
        marks |= {row.key: (row.newest, row.moment) for row in all_of.filter(key__in=lacking)}
    year, day = _today()
    fresh: dict[str, _Kept] = {}
    for key, about in abouts.items():
        when = (year, day if about.period == "day" else "")
        fresh[key] = _Kept(about, (*(marks.get(k) for k in (key, *related(about))), *when), Standing(about, None, None))
    stale = [key for key, one in fresh.items() if not _same(_kept.get(key), one)]
    if stale:
        _evaluate(grant, {key: fresh[key] for key in stale}, year)
    return {key: _kept[key].standing for key in abouts}


def related(about: Indicator) -> list[str]:
    """The indicators whose values this one's standing depends on too."""
    found = [about.same_as, *(t.comparator for t in about.targets)]
    return [key for key in dict.fromkeys(found) if key and key != about.key]


def evaluations(
    about: Indicator, values: Sequence[Value], comparators: Mapping[str, Sequence[Value]]
) -> list[Evaluation]:
    """Where an indicator stands to each of its targets today."""
    year, _day = _today()
    return [
        evaluation.evaluate(about, t, values, comparator=comparators.get(t.comparator, ()), year=year)
        for t in about.targets
    ]


def standing(about: Indicator, known: Sequence[Value], found: Sequence[Evaluation]) -> Standing:
    """Where an indicator stands, from its current values, oldest first, and what was found for its targets."""
    latest = next((each for each in reversed(known) if each.value is not None), None)
    gap = known[-1] if known and known[-1].value is None else None
    return Standing(about, latest, evaluation.pick(found, _today()[0]), tuple(known[-POINTS:]), gap)


def _today() -> tuple[int, str]:
    day = times.local_date(times.now(), settings().timezone)
    return day.year, day.isoformat()


def _same(old: _Kept | None, new: _Kept) -> bool:
    return old is not None and old.marks == new.marks and old.about == new.about


def _evaluate(grant: Grant, stale: Mapping[str, _Kept], year: int) -> None:
    """Evaluates what has changed: one query for the values, one for the rows that are shown."""
    wanted = {key for key in stale} | {other for one in stale.values() for other in related(one.about)}
    values = _light(grant, wanted)
    made: dict[str, Standing] = {}
    for key, one in stale.items():
        own = values.get(key) or values.get(one.about.same_as, [])
        made[key] = standing(one.about, own, evaluations(one.about, own, values))
    shown = {v.id for each in made.values() for v in (each.latest, each.gap) if v}
    full = {row.pk: row for row in _settled(shown)}
    if len(_kept) > KEPT:
        _kept.clear()
    for key, each in made.items():
        latest, gap = (rows.value(full[v.id], v.indicator) if v else None for v in (each.latest, each.gap))
        _kept[key] = replace(stale[key], standing=replace(each, latest=latest, gap=gap))


def _settled(ids: Iterable[int]) -> Iterable[models.Value]:
    return models.Value.objects.filter(pk__in=set(ids)).select_related("formula", "run")


def _light(grant: Grant, keys: Iterable[str]) -> dict[str, list[Value]]:
    """The current values without their provenance, oldest first, of days only the recent ones."""
    recent = times.now() - RECENT_DAYS * times.DAY
    current = rows.current(grant).filter(indicator__key__in=set(keys))
    current = current.filter(~Q(indicator__period="day") | Q(start__gte=recent)).order_by("period")
    fields = ("id", "indicator__key", "period", "start", "end", "value", "status", "origin", "recorded")
    found: dict[str, list[Value]] = defaultdict(list)
    for id, key, period, start, end, value, status, origin, recorded in current.values_list(*fields):
        found[key].append(
            shapes.Value(id, key, period, start, end, value, Status(status), Origin(origin), "", "", recorded)
        )
    return found
