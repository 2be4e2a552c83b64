"""The terms of a formula: what each reads, on which grain it is aggregated, and how a document of one is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default
from typing import Any

from krog.base.errors import Invalid, Problem
from krog.base.ids import KEY_ALLOWED, is_key
from krog.base.units import UNITS_ALLOWED, is_unit
from krog.indicators import periods

AGGREGATES = ("sum", "mean", "min", "max", "count")
TIME_GRAINS = {"day": "local_date", "month": "local_month", "year": "local_year"}
#: What a table's groups are called as a dimension.
GROUP = "group"
DIMENSIONS = ("stream", GROUP, *TIME_GRAINS.values())
CONDITIONS = ("=", "!=", "<", "<=", ">", ">=", "in", "known")
NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
FIELD = re.compile(r"^[a-z][a-z0-9_]{0,59}$")
MAX_KEYS, MAX_CONDITIONS, MAX_LAG = 2000, 20, 120


@dataclass(frozen=True)
class Term:
    """Readings of datastreams of one dataset."""

    dataset: str
    agg: str
    grain: tuple[str, ...]
    unit: str
    measure: str = "value"
    streams: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    local_hour: tuple[int, int] | None = None
    required: bool = True
    min_coverage: float = 0.0
    title: Mapping[str, str] = default(default_factory=dict)

    @property
    def time_grain(self) -> str:
        return next(g for g in self.grain if g != "stream")

    @property
    def by_stream(self) -> bool:
        return "stream" in self.grain

    @property
    def canonical(self) -> dict[str, Any]:
        """The plain form that the formula's hash is made of."""
        return {
            "dataset": self.dataset,
            "measure": self.measure,
            "agg": self.agg,
            "unit": self.unit,
            "required": self.required,
            "min_coverage": plain_number(self.min_coverage),
            "grain": sorted(self.grain),
            "filter": {
                "streams": sorted(self.streams),
                "roles": sorted(self.roles),
                "local_hour": list(self.local_hour) if self.local_hour else None,
            },
        }


@dataclass(frozen=True)
class Condition:
    """What a row must meet; `value` is a text, number or truth value, for "in" several, for "known" None."""

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class TableTerm:
    """Rows of a register or of a table of facts."""

    table: str
    agg: str
    unit: str
    field: str = ""
    where: tuple[Condition, ...] = ()
    by: str = ""
    time: str = ""
    time_grain: str = ""
    required: bool = True
    title: Mapping[str, str] = default(default_factory=dict)

    @property
    def grain(self) -> tuple[str, ...]:
        return (*((GROUP,) if self.by else ()), *((self.time_grain,) if self.time_grain else ()))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the table that the term reads."""
        named = [self.field, self.by, self.time, *(each.field for each in self.where)]
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def canonical(self) -> dict[str, Any]:
        """The plain form that the formula's hash is made of."""
        conditions = [[c.field, c.op, list(c.value) if isinstance(c.value, tuple) else c.value] for c in self.where]
        return {
            "table": self.table,
            "agg": self.agg,
            "field": self.field,
            "unit": self.unit,
            "where": sorted(conditions, key=repr),
            "by": self.by,
            "time": self.time,
            "grain": sorted(self.grain),
            "required": self.required,
        }


@dataclass(frozen=True)
class RefTerm:
    """The value of another indicator: of the same period, `lag` periods earlier, or of the fixed period `at`."""

    indicator: str
    unit: str
    lag: int = 0
    at: str = ""
    required: bool = True
    title: Mapping[str, str] = default(default_factory=dict)

    @property
    def grain(self) -> tuple[str, ...]:
        return ()

    @property
    def time_grain(self) -> str:
        return ""

    @property
    def canonical(self) -> dict[str, Any]:
        """The plain form that the formula's hash is made of."""
        return {
            "indicator": self.indicator,
            "unit": self.unit,
            "lag": self.lag,
            "at": self.at,
            "required": self.required,
        }


AnyTerm = Term | TableTerm | RefTerm

_FIELDS = {
    "dataset": {
        "dataset", "measure", "agg", "filter", "grain", "unit", "required", "min_coverage", "title",
    },
    "table": {"table", "agg", "field", "where", "by", "time", "grain", "unit", "required", "title"},
    "indicator": {"indicator", "unit", "lag", "at", "required", "title"},
}  # fmt: skip


def plain_number(value: float) -> int | float:
    """A whole number without a point, so that 1 and 1.0 are the same formula."""
    return int(value) if float(value).is_integer() else value


def read_term(body: Mapping[str, Any], where: str, problems: list[Problem]) -> AnyTerm | None:
    """The term that a document describes; what is not of the right form goes to `problems`."""
    before = len(problems)
    kind = next((name for name in ("table", "indicator") if name in body), "dataset")
    given = _Given(body, where, problems)
    given.only(_FIELDS[kind])
    reader: dict[str, Callable[[_Given], AnyTerm]] = {"dataset": _streams, "table": _table, "indicator": _ref}
    found = reader[kind](given)
    return found if len(problems) == before else None


@dataclass(frozen=True)
class _Given:
    """A document of a term, asked field by field; what is wrong is noted."""

    body: Mapping[str, Any]
    where: str
    problems: list[Problem]

    def wrong(self, what: str, name: str, allowed: str) -> None:
        self.problems.append(Problem(what, f"{self.where}.{name}", allowed))

    def only(self, names: set[str]) -> None:
        for name in self.body:
            if name not in names:
                self.wrong("There is no such field.", str(name), ", ".join(sorted(names)))

    def key(self, name: str, what: str) -> str:
        value = self.body.get(name)
        if not isinstance(value, str) or not is_key(value):
            self.wrong(what, name, KEY_ALLOWED)
        return str(value)

    def unit(self) -> str:
        value = self.body.get("unit")
        if not isinstance(value, str) or not is_unit(value):
            self.wrong(f"The unit {value!r} is not known.", "unit", UNITS_ALLOWED)
        return str(value)

    def agg(self, unit: str) -> str:
        value = self.body.get("agg")
        if value not in AGGREGATES:
            self.wrong(f"There is no aggregation {value!r}.", "agg", ", ".join(AGGREGATES))
        elif value == "count" and is_unit(unit) and unit != "1":
            self.wrong("A count has the unit 1.", "unit", "1")
        return str(value)

    def required(self) -> bool:
        value = self.body.get("required", True)
        if not isinstance(value, bool):
            self.wrong("This is true or false.", "required", "true, false")
        return bool(value)

    def title(self) -> Mapping[str, str]:
        value = self.body.get("title", {})
        if not isinstance(value, Mapping) or not all(isinstance(t, str) for pair in value.items() for t in pair):
            self.wrong("A title is a text by language.", "title", '{ sl = "…", en = "…" }')
            return {}
        return dict(value)

    def field(self, name: str) -> str:
        value = self.body.get(name, "")
        if not isinstance(value, str) or (value and not FIELD.match(value)):
            self.wrong("This is not a name of a field.", name, "a-z, then a-z 0-9 _, at most 60")
        return str(value)

    def grain(self, allowed: Sequence[str]) -> list[str] | None:
        value = self.body.get("grain", [])
        if not isinstance(value, list | tuple) or not all(isinstance(g, str) and g in allowed for g in value):
            self.wrong("The grain is a list of dimensions.", "grain", ", ".join(allowed))
            return None
        return list(value)


def _streams(given: _Given) -> Term:
    body, wrong = given.body, given.wrong
    dataset, unit = given.key("dataset", "A term needs the key of a dataset."), given.unit()
    if body.get("measure", "value") != "value":
        wrong("Only the readings' value can be aggregated.", "measure", "value")
    agg = given.agg(unit)
    grain = given.grain(("stream", *TIME_GRAINS.values()))
    if grain is not None and (len(set(grain)) != len(grain) or sum(g != "stream" for g in grain) != 1):
        wrong("The grain needs exactly one dimension of time.", "grain", ", ".join(TIME_GRAINS.values()))
    required, coverage, title = given.required(), body.get("min_coverage", 0), given.title()
    if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0 <= coverage <= 1:
        wrong("The least coverage is a share.", "min_coverage", "0 to 1")
        coverage = 0
    chosen = body.get("filter", {})
    if not isinstance(chosen, Mapping) or set(chosen) - {"streams", "roles", "local_hour"}:
        wrong("This filter is not known.", "filter", "streams, roles, local_hour")
        chosen = {}
    keys: dict[str, tuple[str, ...]] = {}
    for name in ("streams", "roles"):
        value = chosen.get(name, [])
        good = isinstance(value, list | tuple) and len(value) <= MAX_KEYS
        if not good or not all(isinstance(k, str) and is_key(k) for k in value):
            wrong("This is a list of keys.", f"filter.{name}", f"at most {MAX_KEYS}, each {KEY_ALLOWED}")
            value = []
        keys[name] = tuple(dict.fromkeys(value))
    hours = chosen.get("local_hour")
    if hours is not None and not (
        isinstance(hours, list | tuple)
        and len(hours) == 2
        and all(isinstance(h, int) and not isinstance(h, bool) for h in hours)
        and 0 <= hours[0] < hours[1] <= 24
    ):
        wrong("The hours are a pair: from, up to before.", "filter.local_hour", "[0 to 23, 1 to 24], the first smaller")
        hours = None
    return Term(
        dataset=dataset,
        agg=agg,
        grain=tuple(grain or ()),
        unit=unit,
        streams=keys["streams"],
        roles=keys["roles"],
        local_hour=(hours[0], hours[1]) if hours else None,
        required=required,
        min_coverage=float(coverage),
        title=title,
    )


def _table(given: _Given) -> TableTerm:
    wrong, unit = given.wrong, given.unit()
    agg, name = given.agg(unit), given.field("field")
    if agg != "count" and not name:
        wrong("Say which field is aggregated.", "field", "a field of the table")
    by, time = given.field("by"), given.field("time")
    grain = given.grain((GROUP, *TIME_GRAINS.values())) or []
    times_of = [g for g in grain if g != GROUP]
    if len(times_of) != (1 if time else 0):
        wrong("A field of time needs one dimension of time, and none needs none.", "grain",
              ", ".join(TIME_GRAINS.values()))  # fmt: skip
    if (GROUP in grain) != bool(by):
        wrong("Groups need `by` and the dimension `group`.", "grain", GROUP)
    return TableTerm(
        table=given.key("table", "A term needs the key of a register or table."),
        agg=agg,
        unit=unit,
        field=name,
        where=_conditions(given),
        by=by,
        time=time,
        time_grain=times_of[0] if times_of else "",
        required=given.required(),
        title=given.title(),
    )


def _conditions(given: _Given) -> tuple[Condition, ...]:
    value = given.body.get("where", [])
    if not isinstance(value, list | tuple) or len(value) > MAX_CONDITIONS:
        given.wrong("This is a list of conditions.", "where", f"at most {MAX_CONDITIONS} of {{ field, op, value }}")
        return ()
    found = []
    for each in value:
        good = isinstance(each, Mapping) and not set(each) - {"field", "op", "value"}
        name, op, against = (each.get("field"), each.get("op", "="), each.get("value")) if good else (None, None, None)
        if not isinstance(name, str) or not FIELD.match(name) or op not in CONDITIONS:
            given.wrong("This is no condition.", "where", f"field, op of {' '.join(CONDITIONS)}, value")
            continue
        several = op == "in"
        items = list(against) if several and isinstance(against, list | tuple) else [against]
        if op == "known":
            items = []
        elif not items or len(items) > MAX_KEYS or not all(isinstance(i, str | int | float) for i in items):
            given.wrong("The value of a condition is a text, number or truth value.", "where", "for in: a list")
            continue
        found.append(Condition(name, op, tuple(items) if several else items[0] if items else None))
    return tuple(found)


def _ref(given: _Given) -> RefTerm:
    lag, at = given.body.get("lag", 0), given.body.get("at", "")
    if isinstance(lag, bool) or not isinstance(lag, int) or not 0 <= lag <= MAX_LAG:
        given.wrong("The lag is a number of periods.", "lag", f"0 to {MAX_LAG}")
        lag = 0
    if at:
        try:
            periods.kind_of(str(at))
        except Invalid as error:
            given.wrong(error.what, "at", "2014, 2014-05 or 2014-05-01")
        if lag:
            given.wrong("A fixed period has no lag.", "lag", "0")
    return RefTerm(
        indicator=given.key("indicator", "A term needs the key of an indicator."),
        unit=given.unit(),
        lag=lag,
        at=str(at),
        required=given.required(),
        title=given.title(),
    )
