"""Computed values and their recomputation, as the work process records them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Busy, Conflict, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.origin import Origin
from krog.indicators import models
from krog.indicators.shapes import Status
from krog.journal import verbs as journal
from krog.people.permissions import require

#: How many recomputations may wait; more is refused, since anybody may ask for one.
CHECKS_WAITING = 20
#: A recomputation younger than this is not done again.
CHECK_AGAIN_US = 10 * times.MINUTE


@dataclass(frozen=True)
class Computed:
    """One result of a run: the value of a period with its reasons, origin and what it was made from."""

    period: str
    start: int
    end: int
    value: float | None
    status: Status
    origin: Origin
    reasons: Sequence[Mapping[str, Any]]
    inputs: Sequence[Mapping[str, Any]]
    rows: int
    inputs_hash: str


@dataclass(frozen=True)
class Outcome:
    """What a run found for one indicator: its new values, and how far it is."""

    indicator: str
    formula_id: str
    document: Mapping[str, Any]
    period: str
    mark: int
    state: str = ""
    values: Sequence[Computed] = field(default_factory=tuple)
    selections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def record_run(
    by: Reader,
    *,
    started: int,
    program: str,
    engine: str,
    lake_version: int,
    examined: int,
    outcomes: Sequence[Outcome],
) -> int | None:
    """Adds the new values of a run and keeps how far each indicator is; returns the run's number if any were new."""
    require(by, what="record computed values")
    written = sum(len(outcome.values) for outcome in outcomes)
    moment = times.now()
    with transaction.atomic():
        rows = {row.key: row for row in models.Indicator.objects.filter(key__in=[o.indicator for o in outcomes])}
        run = None
        if written:
            run = models.Run.objects.create(
                started=started,
                finished=moment,
                program=program,
                engine=engine,
                lake_version=lake_version,
                examined=examined,
                written=written,
            )
        entries = []
        for outcome in outcomes:
            row = rows[outcome.indicator]
            models.Progress.objects.update_or_create(
                indicator=row,
                defaults={
                    "formula_id": outcome.formula_id,
                    "lake_version": lake_version,
                    "mark": outcome.mark,
                    "state": outcome.state,
                    "computed": moment,
                },
            )
            if not outcome.values or run is None:
                continue
            models.Formula.objects.get_or_create(
                id=outcome.formula_id, defaults={"document": outcome.document, "period": outcome.period}
            )
            models.Selection.objects.bulk_create(
                (models.Selection(id=id, document=document) for id, document in outcome.selections.items()),
                ignore_conflicts=True,
            )
            models.Value.objects.bulk_create(
                (
                    models.Value(
                        indicator=row,
                        period=v.period,
                        start=v.start,
                        end=v.end,
                        value=v.value,
                        status=v.status,
                        origin=v.origin,
                        recorded=moment,
                        reasons=list(v.reasons),
                        formula_id=outcome.formula_id,
                        inputs=list(v.inputs),
                        rows=v.rows,
                        inputs_hash=v.inputs_hash,
                        run=run,
                    )
                    for v in outcome.values
                ),
                batch_size=500,
            )
            entries.append(
                (
                    Ref("indicator", outcome.indicator),
                    None,
                    {
                        "run": run.pk,
                        "lake_version": lake_version,
                        "values": len(outcome.values),
                        "first": min(v.period for v in outcome.values),
                        "last": max(v.period for v in outcome.values),
                    },
                )
            )
        if entries:
            journal.record_all(by, "indicators.compute", entries)
    return run.pk if run else None


def ask_check(by: Reader, *, value: int) -> int:
    """Asks the work process to compute a value again from its pinned inputs. Anybody may; not again within minutes."""
    with transaction.atomic():
        row = models.Value.objects.filter(pk=value).first()
        if row is None or row.run_id is None:
            raise NotFound(_("There is no computed value with this number."), "value")
        last = models.Check.objects.filter(value=row).order_by("-id").first()
        if last and (last.done is None or last.done > times.now() - CHECK_AGAIN_US):
            raise Conflict(_("This value has just been computed again."), str(value), todo=_("See the result below."))
        if models.Check.objects.filter(done=None).count() >= CHECKS_WAITING:
            raise Busy(_("Many values are waiting to be computed again."), todo=_("Try again in a minute."))
        check = models.Check.objects.create(value=row, asked=times.now(), asked_by=by.name[:200])
        journal.record(by, "indicators.ask-check", Ref("value", str(value)))
    return check.pk


def record_check(by: Reader, *, value: int, check: int | None, same: bool | None, detail: str, engine: str) -> None:
    """Keeps what a recomputation found; a difference is written to the journal for operators to see."""
    require(by, what="record recomputations")
    moment = times.now()
    with transaction.atomic():
        if check is None:
            models.Check.objects.create(
                value_id=value, asked=moment, done=moment, same=same, detail=detail[:500], engine=engine
            )
        else:
            models.Check.objects.filter(pk=check).update(done=moment, same=same, detail=detail[:500], engine=engine)
        if same is False:
            journal.record(by, "indicators.check-differs", Ref("value", str(value)), reason=detail[:500])
