"""What a city's files declare: indicators, targets and known values; and who answers for an indicator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Invalid, NotFound, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.origin import ORIGINS
from krog.base.settings import settings
from krog.base.units import UNITS_ALLOWED, convertible, is_unit
from krog.catalogue import door
from krog.indicators import formula, models, periods, shapes
from krog.indicators.shapes import NOT_AVAILABLE
from krog.journal import declaring
from krog.journal import verbs as journal
from krog.people import reads as people
from krog.people.permissions import SYSTEM, require

INDICATOR_FIELDS = (
    "code",
    "title",
    "definition",
    "unit",
    "decimals",
    "direction",
    "period",
    "kind",
    "aggregation",
    "dataset",
    "organisation",
    "office",
    "owner",
    "confirmer",
    "formula",
    "baseline",
    "raw",
    "parse_status",
    "parse_note",
    "same_as",
    "due",
    "source",
    "order",
    "unit_note",
    "aliases",
    "area",
    "series_of",
    "theme",
    "level",
    "frameworks",
)
VALUE_DEFAULTS: Mapping[str, Any] = {
    "indicator": "",
    "period": "",
    "value": None,
    "status": "official",
    "origin": "imported",
    "source": "",
    "note": "",
    "on": "",
}
TARGET_FIELDS = (
    "indicator",
    "date",
    "type",
    "op",
    "value",
    "value_to",
    "unit",
    "raw",
    "parse_status",
    "note",
    "plan",
    "baseline",
    "tolerance",
    "comparator",
    "clarification",
)


def declare_indicators(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires indicators; a formula is checked with its units before it is kept."""
    require(by, "digital_officer", "planner", what="declare indicators")
    problems = [p for change in changes if change.fields is not None for p in _indicator_mistakes(change)]
    if problems:
        raise invalid(problems, "The indicators cannot be declared.")
    with transaction.atomic():
        declaring.declare(
            by,
            models.Indicator,
            changes,
            verb="indicators.declare",
            noun="indicator",
            state=indicator_fields,
            prepare=_with_formula,
        )
        _no_circle()


def _with_formula(row: models.Indicator) -> None:
    row.formula = row.formula or None
    row.formula_id = formula.parse(row.formula, row.period).id if row.formula else ""


def _no_circle() -> None:
    """No indicator is computed from itself, by whatever way. Raises Invalid."""
    rows = models.Indicator.objects.filter(retired=False, kind="computed").exclude(formula=None)
    refs = {key: formula.indicators_of(document) for key, document in rows.values_list("key", "formula")}
    for start in refs:
        seen: set[str] = set()
        waiting = list(refs[start])
        while waiting:
            key = waiting.pop()
            if key == start:
                raise Invalid(
                    f"{start} would be computed from itself.", f"{start} formula", "a formula without a circle"
                )
            if key not in seen:
                seen.add(key)
                waiting.extend(refs.get(key, ()))


def indicator_fields(row: models.Indicator) -> dict[str, Any]:
    """A row as files declare it."""
    return {name: getattr(row, name) for name in INDICATOR_FIELDS} | {"formula": row.formula or {}}


def indicator_problems(key: str, fields: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the fields of an indicator that types cannot say."""
    found = []
    for name, allowed in (
        ("direction", shapes.DIRECTIONS),
        ("kind", shapes.KINDS),
        ("period", periods.KINDS),
        ("parse_status", shapes.PARSE_STATUSES),
    ):
        if name in fields and fields[name] not in allowed:
            found.append(Problem(f"{name} {fields[name]!r} is not known.", f"{key} {name}", ", ".join(allowed)))
    if fields.get("level") and fields["level"] not in shapes.LEVELS:
        found.append(Problem(f"level {fields['level']!r} is not known.", f"{key} level", ", ".join(shapes.LEVELS)))
    if fields.get("unit") and not is_unit(fields["unit"]) and not fields.get("unit_note"):
        found.append(
            Problem(
                f"The unit {fields['unit']!r} is not known.",
                f"{key} unit",
                UNITS_ALLOWED,
                "Choose one of these, or say in unit_note what the source means.",
            )
        )
    if not 0 <= fields.get("decimals", 0) <= 9:
        found.append(Problem("decimals is not a number of places.", f"{key} decimals", "0 to 9"))
    if fields.get("due") and not periods.is_due(fields["due"]):
        found.append(
            Problem(
                f"{fields['due']!r} says no day.",
                f"{key} due",
                "a day of the year after, for example 03-31, or days after the period, for example +20d",
            )
        )
    if fields.get("owner") and fields.get("owner") == fields.get("confirmer"):
        found.append(Problem("Owner and confirmer are the same person.", f"{key} confirmer", "a second person"))
    found += _baseline_problems(key, fields)
    for name in ("same_as", "series_of"):
        if key and fields.get(name) == key:
            found.append(Problem("An indicator cannot refer to itself.", f"{key} {name}", "another indicator"))
    if fields.get("series_of") and not fields.get("area"):
        found.append(Problem("Another area's series names the area.", f"{key} area", "a territory or a name"))
    given = fields.get("formula") or {}
    if fields.get("kind") == "computed" and not given:
        found.append(Problem("A computed indicator needs a formula.", f"{key} formula"))
    if given and fields.get("period", "year") in periods.KINDS:
        try:
            read = formula.parse(given, fields.get("period", "year"))
        except Invalid as error:
            found += [Problem(p.what, f"{key} {p.where}", p.allowed, p.todo) for p in error.problems]
        else:
            if fields.get("unit") and read.unit != fields["unit"]:
                found.append(Problem(f"The formula gives {read.unit}.", f"{key} unit", read.unit))
    return found


def _indicator_mistakes(change: Change) -> list[Problem]:
    return indicator_problems(change.key, change.fields or {})


def _baseline_problems(key: str, fields: Mapping[str, Any]) -> list[Problem]:
    base = fields.get("baseline") or {}
    found = []
    if base and not any(form.match(str(base.get("period", ""))) for form in periods.FORMS.values()):
        found.append(Problem("The baseline needs a period.", f"{key} baseline.period", "2014, 2014-05 or 2014-05-01"))
    value = base.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        found.append(Problem("The baseline's value is not a number.", f"{key} baseline.value", "a number, or none"))
    return found


def target_problems(key: str, fields: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the fields of a target that types cannot say."""
    found = []
    for name, allowed in (("type", shapes.TARGET_TYPES), ("parse_status", shapes.PARSE_STATUSES)):
        if name in fields and fields[name] not in allowed:
            found.append(Problem(f"{name} {fields[name]!r} is not known.", f"{key} {name}", ", ".join(allowed)))
    if fields.get("op") and fields["op"] not in shapes.OPERATORS:
        found.append(Problem(f"op {fields['op']!r} is not known.", f"{key} op", " ".join(shapes.OPERATORS)))
    date = str(fields.get("date", ""))
    undated = fields.get("parse_status", "ok") != "ok" or fields.get("type", "absolute") in shapes.WITHOUT_DATE
    if not (date.isascii() and date.isdigit() and len(date) == 4) and (date or not undated):
        found.append(
            Problem(
                "A target needs the year it is for.",
                f"{key} date",
                "four digits, for example 2030",
                "Where the source prints none, leave it empty with a parse_status and a note.",
            )
        )
    found += _baseline_problems(key, fields)
    if fields.get("tolerance") is not None and not fields["tolerance"] >= 0:
        found.append(Problem("The tolerance is not an amount.", f"{key} tolerance", "0 or more"))
    if fields.get("type") == "range" and fields.get("parse_status", "ok") == "ok":
        low, high = fields.get("value"), fields.get("value_to")
        if high is None or (low is not None and low > high):
            found.append(Problem("A range needs both ends in order.", f"{key} value_to", "a number, at least value"))
    if fields.get("comparator") and fields.get("comparator") == fields.get("indicator"):
        found.append(Problem("An index needs another indicator.", f"{key} comparator", "another indicator"))
    needs = fields.get("type", "absolute") not in ("direction_only", "keep", "milestone_bool")
    if fields.get("parse_status", "ok") == "ok" and needs and fields.get("value") is None:
        found.append(Problem("A target that can be read has a value.", f"{key} value", "a number, or a parse_status"))
    if fields.get("parse_status", "ok") != "ok" and not fields.get("note"):
        found.append(Problem("Say why the target cannot be read.", f"{key} note", "a sentence"))
    return found


def target_unit_problems(key: str, fields: Mapping[str, Any], of_indicator: str) -> list[Problem]:
    """A target's unit is one of the vocabulary or, as printed, its indicator's; one that can be read must convert."""
    unit, kind = fields.get("unit") or "", fields.get("type", "absolute")
    if not unit or unit == of_indicator:
        return []
    if not is_unit(unit):
        return [Problem(f"The unit {unit!r} is not known.", f"{key} unit", UNITS_ALLOWED)]
    if fields.get("parse_status", "ok") != "ok" or kind in ("relative_to_baseline", "index", "milestone_bool"):
        return []
    if not (is_unit(of_indicator) and convertible(unit, of_indicator)):
        return [Problem(f"{unit} cannot be compared with {of_indicator or 'no unit'}.", f"{key} unit", of_indicator)]
    return []


def declare_targets(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires targets."""
    require(by, "digital_officer", "planner", what="declare targets")
    problems = [p for c in changes if c.fields is not None for p in target_problems(c.key, c.fields)]
    if problems:
        raise invalid(problems, "The targets cannot be declared.")
    with transaction.atomic():
        rows = {
            row.key: row
            for row in models.Target.objects.select_related("indicator").filter(key__in=[c.key for c in changes])
        }
        parents = _indicators({c.fields["indicator"] for c in changes if c.fields and "indicator" in c.fields})
        entries = []
        for change in changes:
            row = rows.get(change.key)
            if row is None and change.fields is None:
                continue
            before = None if row is None else target_fields(row)
            if change.fields is not None:
                whole = {**(before or {}), **change.fields}
                parent = parents.get(whole["indicator"]) or (row.indicator if row else None)
                wrong = target_unit_problems(change.key, whole, parent.unit if parent else "")
                if wrong:
                    raise invalid(wrong, "The targets cannot be declared.")
            row = row or models.Target(key=change.key)
            row.retired = change.fields is None
            for name, value in (change.fields or {}).items():
                setattr(row, name, parents[value] if name == "indicator" else value)
            row.save()
            entries.append((Ref("target", change.key), before, change.fields))
        journal.record_all(by, "indicators.declare-target", entries, reason=changes[0].reason if changes else "")


def target_fields(row: models.Target) -> dict[str, Any]:
    """A row as files declare it."""
    return {name: row.indicator.key if name == "indicator" else getattr(row, name) for name in TARGET_FIELDS}


def _indicators(keys: set[str]) -> dict[str, models.Indicator]:
    found = {row.key: row for row in models.Indicator.objects.filter(key__in=keys)}
    missing = sorted(keys - set(found))
    if missing:
        raise NotFound(f"There is no indicator {', '.join(missing)}.", "indicator")
    return found


def declare_values(by: Reader, *, changes: Sequence[Change]) -> None:
    """Adds known values; one that differs from the present row supersedes it, one taken out gets a rejected row."""
    require(by, "digital_officer", "planner", what="add known values")
    moment, zone = times.now(), settings().timezone
    with transaction.atomic():
        present = values_of_files(tuple(change.key for change in changes))
        parents = _indicators({c.fields["indicator"] for c in changes if c.fields})
        rows: list[models.Value] = []
        entries: list[tuple[Ref, Mapping[str, Any] | None, Mapping[str, Any] | None]] = []
        for change in changes:
            old = present.get(change.key)
            if change.fields is None:
                if old is not None:
                    rows.append(_taken_out(old, moment))
                    entries.append((Ref("value", change.key), value_fields(old), None))
                continue
            fields = {**VALUE_DEFAULTS, **(value_fields(old) if old else {}), **change.fields}
            if change.key != f"{fields['indicator']}.{fields['period']}":
                raise Invalid("The key of a value is its indicator and period.", change.key, "<indicator>.<period>")
            if old is not None and value_fields(old) == fields:
                continue
            start, end = periods.bounds(fields["period"], zone)
            rows.append(
                models.Value(
                    indicator=parents[fields["indicator"]],
                    period=fields["period"],
                    start=start,
                    end=end,
                    value=fields["value"],
                    status=fields["status"],
                    origin=ORIGINS[fields["origin"]],
                    source=fields["source"],
                    note=fields["note"],
                    on=fields["on"],
                    reasons=[] if fields["value"] is not None else [{"code": NOT_AVAILABLE}],
                    recorded=moment,
                )
            )
            entries.append((Ref("value", change.key), value_fields(old) if old else None, fields))
        models.Value.objects.bulk_create(rows, batch_size=500)
        journal.record_all(by, "indicators.declare-value", entries, reason=changes[0].reason if changes else "")


def _taken_out(old: models.Value, moment: int) -> models.Value:
    return models.Value(
        indicator=old.indicator,
        period=old.period,
        start=old.start,
        end=old.end,
        value=old.value,
        status=shapes.Status.REJECTED,
        origin=old.origin,
        source=old.source,
        note="Taken out of the city's files.",
        recorded=moment,
        confirmed_by="",
    )


def values_of_files(keys: Sequence[str] | None = None) -> dict[str, models.Value]:
    """The newest settled rows that were not computed, by `<indicator>.<period>`; not those taken out since."""
    rows = models.Value.objects.filter(run=None, indicator__retired=False).select_related("indicator").order_by("id")
    if keys is not None:
        rows = rows.filter(period__in={key.rpartition(".")[2] for key in keys})
    found: dict[str, models.Value] = {}
    for row in rows:
        key = f"{row.indicator.key}.{row.period}"
        if row.status == shapes.Status.REJECTED and not row.confirmed_by:
            found.pop(key, None)
        elif row.status not in (shapes.Status.REJECTED, shapes.Status.PROVISIONAL):
            found[key] = row
    return {key: row for key, row in found.items() if keys is None or key in keys}


def value_fields(row: models.Value) -> dict[str, Any]:
    """A row as files declare it."""
    words: dict[int, str] = {int(number): word for word, number in ORIGINS.items()}
    return {
        "indicator": row.indicator.key,
        "period": row.period,
        "value": row.value,
        "status": row.status,
        "origin": words[row.origin],
        "source": row.source,
        "note": row.note,
        "on": row.on,
    }


def change_responsible(by: Reader, *, key: str, owner: str, confirmer: str, note: str) -> None:
    """Sets who enters and who confirms the values of an indicator, with the reason."""
    with transaction.atomic():
        row = models.Indicator.objects.select_for_update().filter(key=key, retired=False).first()
        if row is None:
            raise NotFound(f"There is no indicator {key!r}.", "indicator")
        require(by, "official", "planner", office=row.office or None, what="change who answers for this indicator")
        if owner == confirmer:
            raise Conflict("The value must be confirmed by a second person.", "confirmer", todo="Choose somebody else.")
        grant = door.open(SYSTEM, "desk", datasets=[])
        for account in (owner, confirmer):
            people.person(grant, account)
        before = {"owner": row.owner, "confirmer": row.confirmer}
        row.owner, row.confirmer = owner, confirmer
        row.save(update_fields=["owner", "confirmer"])
        after = {"owner": owner, "confirmer": confirmer}
        ref = Ref("indicator", key)
        journal.record(by, "indicators.change-responsible", ref, before=before, after=after, reason=note)
