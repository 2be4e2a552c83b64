"""The formula of a computed indicator: a typed expression tree, checked before it is kept, hashed canonically.

A formula is data (TOML in `indicators.toml`, JSON in the API), never SQL. Night losses of a water zone, as they stand
in a city's files under an `[[indicator]]` with `period = "day"`:

    [indicator.formula]
    unit = "m3/h"
    expr = ["-", "inflow", ["sum_over", "stream", "deliveries"]]

    [indicator.formula.terms.inflow]
    title = { sl = "pritok v vodovodno cono ponoči", en = "inflow into the water zone at night" }
    dataset = "zone-water"
    measure = "value"
    agg = "mean"
    filter = { streams = ["zone-inflow"], local_hour = [2, 4] }
    grain = ["local_date"]
    unit = "m3/h"
    required = true
    min_coverage = 0.75

    [indicator.formula.terms.deliveries]
    title = { sl = "dobava na vseh odjemnih mestih ponoči", en = "delivery at all delivery points at night" }
    dataset = "zone-water"
    measure = "value"
    agg = "mean"
    filter = { roles = ["delivery"], local_hour = [2, 4] }
    grain = ["stream", "local_date"]
    unit = "m3/h"
    required = true
    min_coverage = 0.75

**Terms.** Each is aggregated on its own grain before anything is combined (joining first would count twice):
`dataset` a catalogue dataset of streams · `measure` "value" · `agg` sum mean min max count · `filter.streams` keys of
datastreams and `filter.roles` roles of datastreams (both: either; none: the whole dataset) · `filter.local_hour`
`[from, to]`, from 02:00 up to before 04:00 is `[2, 4]`, hours of the city's clock, 0 to 24 · `grain` exactly one of
local_date local_month local_year, and `stream` where each stream keeps its own number · `unit` UCUM; readings in
another unit of the same kind are converted exactly · `required` (default true): every chosen stream must be there,
else the result is empty and says why, it is never taken as 0; false: those that are there count, and where there are
none see `fill` · `min_coverage` (0 to 1, default 0): the share of expected readings (by the datastream's interval)
below which a stream counts as not there · `title` for readers.

**Terms of tables** read a register (or a table of facts) in a pinned version: `table` its key · `agg` count sum mean
min max · `field` what is aggregated (not for count) · `where` a list of `{ field, op, value }`, all of which a row must
meet, `op` one of = != < <= > >= in, or known (the field has a value) · `by` a field whose values are kept apart as the
dimension `group` · `time` a field with the row's day, with `grain` the dimension of time; without it the rows count as
they stood at the end of the period · `unit` of the field, 1 for a count. No row at all counts 0; a sum, mean, least or
greatest of no row is missing.

**Terms of indicators** take another indicator's value of the same period: `indicator` its key · `unit` · `lag` so many
periods earlier (default 0) · `at` one fixed period, for a baseline · `required`.

**Expression.** A term's name, a number (without unit), or a list whose first item is one of OPERATORS: `["+", a, b,
…]` `["-", a, b]` `["*", a, b, …]` `["/", a, b]` `["safe_div", a, b]` (both give an empty result on division by 0)
`["neg", a]` `["abs", a]` `["min", a, b, …]` `["max", a, b, …]` `["fill", term, number]` (the number, in the term's
unit, stands in where an optional term is missing) and `["sum_over" | "mean_over" | "min_over" | "max_over", "stream"
| "local_date" | "local_month" | "group", a]`, which takes one dimension away, and
`["count_over", dimension, ">", 50, "ug/m3", a]`, how many places of a dimension meet a condition (an optional term's
missing ones are not counted, but without any there is no result). `["share", part, whole]` and
`["delta_vs_baseline", now, then]` give a number for a unit such as %; the latter is the change against then. What
remains must be the indicator's own period (day: local_date, month: local_month, year: local_year), or nothing where its
days or months were taken away: one period is computed at a time.

`formula_id` = SHA-256 of the canonical form: the order of keys, of streams and roles, and titles do not change it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from krog.base.errors import Problem, invalid
from krog.base.units import UNITS_ALLOWED, is_unit
from krog.indicators.terms import (
    DIMENSIONS,
    MAX_KEYS,
    NAME,
    TIME_GRAINS,
    AnyTerm,
    RefTerm,
    TableTerm,
    Term,
    plain_number,
    read_term,
)

#: Finer to coarser: what a period may be put together from.
_FINER = {
    "day": ("local_date",),
    "month": ("local_date", "local_month"),
    "year": ("local_date", "local_month", "local_year"),
}

#: Operator -> (fewest arguments, most arguments).
OPERATORS: dict[str, tuple[int, int]] = {
    "+": (2, 50),
    "-": (2, 2),
    "*": (2, 50),
    "/": (2, 2),
    "safe_div": (2, 2),
    "neg": (1, 1),
    "abs": (1, 1),
    "min": (2, 50),
    "max": (2, 50),
    "fill": (2, 2),
    "sum_over": (2, 2),
    "mean_over": (2, 2),
    "min_over": (2, 2),
    "max_over": (2, 2),
    "count_over": (5, 5),
    "share": (2, 2),
    "delta_vs_baseline": (2, 2),
}
OVER = ("sum_over", "mean_over", "min_over", "max_over")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
#: Where the inner expression of an operator begins, of those that name something first.
_INNER = {**dict.fromkeys(OVER, 2), "count_over": 5}

#: A formula is small; these keep a hostile one from costing anything.
MAX_DEPTH, MAX_NODES, MAX_TERMS, MAX_NUMBER = 16, 300, 20, 1e15

#: A term's name, a number, or (operator, argument, …).
Expression = str | int | float | tuple[Any, ...]


@dataclass(frozen=True)
class Formula:
    """A checked formula: `terms` by name, `expr`, and the `unit` of the result."""

    terms: Mapping[str, AnyTerm]
    expr: Expression
    unit: str

    @property
    def id(self) -> str:
        """SHA-256 of the canonical form, hexadecimal."""
        return hashlib.sha256(canonical(self).encode()).hexdigest()

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets of streams that its terms read."""
        return tuple(sorted({term.dataset for term in self.streams.values()}))

    @property
    def streams(self) -> Mapping[str, Term]:
        """The terms that read datastreams."""
        return {name: term for name, term in self.terms.items() if isinstance(term, Term)}

    @property
    def tables(self) -> Mapping[str, TableTerm]:
        """The terms that read a register or another table."""
        return {name: term for name, term in self.terms.items() if isinstance(term, TableTerm)}

    @property
    def refs(self) -> Mapping[str, RefTerm]:
        """The terms that read another indicator."""
        return {name: term for name, term in self.terms.items() if isinstance(term, RefTerm)}


def parse(document: Any, period: str) -> Formula:
    """The formula that `document` (plain builtins of TOML or JSON) describes, for an indicator of `period`.

    `period` is day, month or year. Raises Invalid with every mistake at once, the units included.
    """
    problems = list(_size(document))
    if not problems:
        formula = _read(document, period, problems)
        if formula and not problems:
            problems = list(_check(formula, period))
        if formula and not problems:
            return formula
    raise invalid(problems, "The formula cannot be used.")


def read(document: Any, period: str) -> Formula:
    """A formula that `parse` accepted when it was kept, without checking it (and loading the units) again."""
    problems: list[Problem] = []
    formula = _read(document, period, problems)
    if formula is None:
        raise invalid(problems, "The formula cannot be read.")
    return formula


def indicators_of(document: Any) -> set[str]:
    """The indicators that a formula's document refers to, without reading the rest of it."""
    terms = document.get("terms", {}) if isinstance(document, Mapping) else {}
    return {str(term["indicator"]) for term in terms.values() if isinstance(term, Mapping) and "indicator" in term}


def canonical(formula: Formula) -> str:
    """The one text of a formula that its hash is made of."""
    terms = {name: t.canonical for name, t in formula.terms.items()}
    document = {"terms": terms, "expr": _plain(formula.expr), "unit": formula.unit}
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def names(expr: Expression) -> Iterator[str]:
    """The names of the terms that an expression uses, in order, repeated as used."""
    if isinstance(expr, str):
        yield expr
    elif isinstance(expr, tuple):
        for argument in expr[_INNER.get(expr[0], 1) :]:
            yield from names(argument)


def _plain(expr: Expression) -> Any:
    if isinstance(expr, tuple):
        return [expr[0], *(_plain(argument) for argument in expr[1:])]
    return expr if isinstance(expr, str) else plain_number(expr)


def _size(document: Any) -> Iterator[Problem]:
    """Depth and number of values, found without recursion, so that a hostile document is refused before it is read."""
    if not isinstance(document, Mapping):
        yield Problem("A formula is a table.", "formula", "terms, expr, unit")
        return
    waiting, count = [(document, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if depth > MAX_DEPTH:
            yield Problem("The formula is nested too deeply.", "formula", f"at most {MAX_DEPTH} levels")
            return
        if count > MAX_NODES * 4 + MAX_KEYS * 2:
            yield Problem("The formula is too large.", "formula", f"at most {MAX_NODES} parts")
            return
        if isinstance(value, Mapping):
            inside: Any = value.values()
        else:
            inside = value if isinstance(value, list | tuple) else ()
        waiting.extend((each, depth + 1) for each in inside)


def _read(document: Mapping[str, Any], period: str, problems: list[Problem]) -> Formula | None:
    """The document as a Formula; what is not of the right form goes to `problems`."""
    for name in document:
        if name not in ("terms", "expr", "unit"):
            problems.append(Problem("There is no such field.", f"formula {name}", "terms, expr, unit"))
    if period not in TIME_GRAINS:
        problems.append(Problem(f"The period {period!r} cannot be computed.", "period", ", ".join(TIME_GRAINS)))
    raw = document.get("terms")
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= MAX_TERMS:
        problems.append(Problem("A formula needs terms.", "formula terms", f"1 to {MAX_TERMS} tables by name"))
        return None
    terms = {}
    for name, body in raw.items():
        where = f"formula terms.{name}"
        if not isinstance(name, str) or not NAME.match(name):
            problems.append(Problem("This is not a name of a term.", where, "a-z, then a-z 0-9 _, at most 40"))
        elif not isinstance(body, Mapping):
            problems.append(Problem("A term is a table.", where, "dataset, table or indicator, and what is read of it"))
        else:
            term = read_term(body, where, problems)
            if term:
                terms[name] = term
    if len(terms) < len(raw) or problems:
        return None
    count = [0]
    expr = _expression(document.get("expr"), terms, "formula expr", problems, count)
    unit = document.get("unit")
    if not isinstance(unit, str) or not is_unit(unit):
        problems.append(Problem(f"The unit {unit!r} is not known.", "formula unit", UNITS_ALLOWED))
    return None if problems else Formula(terms, expr, str(unit))


def _expression(
    raw: Any, terms: Mapping[str, AnyTerm], where: str, problems: list[Problem], count: list[int]
) -> Expression:
    """`raw` as an expression; the depth is already known to be small."""
    count[0] += 1
    if count[0] == MAX_NODES:
        problems.append(Problem("The expression is too large.", where, f"at most {MAX_NODES} parts"))
    if count[0] >= MAX_NODES:
        return 0
    if isinstance(raw, str):
        if raw not in terms:
            problems.append(Problem(f"There is no term {raw[:60]!r}.", where, ", ".join(terms)))
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        if abs(raw) <= MAX_NUMBER and math.isfinite(raw):
            return raw
        problems.append(Problem("This number cannot be used.", where, f"from -{MAX_NUMBER:g} to {MAX_NUMBER:g}"))
        return 0
    if not isinstance(raw, list | tuple) or not raw or not isinstance(raw[0], str) or raw[0] not in OPERATORS:
        shown = repr(raw[0])[:60] if isinstance(raw, list | tuple) and raw else repr(raw)[:60]
        problems.append(Problem(f"{shown} is not an operator.", where, " ".join(OPERATORS)))
        return 0
    operator, arguments = raw[0], list(raw[1:])
    fewest, most = OPERATORS[operator]
    if not fewest <= len(arguments) <= most:
        many = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        problems.append(Problem(f"{operator} has {len(arguments)} arguments.", where, many))
        return 0
    if operator in OVER:
        if not isinstance(arguments[0], str) or arguments[0] not in DIMENSIONS:
            problems.append(Problem(f"{operator} needs a dimension first.", where, ", ".join(DIMENSIONS)))
            return 0
        return (operator, arguments[0], _expression(arguments[1], terms, f"{where} {operator}", problems, count))
    if operator == "count_over":
        dimension, comparison, number, unit = arguments[:4]
        if not isinstance(dimension, str) or dimension not in DIMENSIONS:
            problems.append(Problem("count_over needs a dimension first.", where, ", ".join(DIMENSIONS)))
        elif comparison not in COMPARISONS:
            problems.append(Problem(f"count_over cannot compare by {comparison!r}.", where, " ".join(COMPARISONS)))
        elif isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= MAX_NUMBER:
            problems.append(Problem("count_over compares with a number.", where, "a number, then its unit"))
        elif not isinstance(unit, str) or not is_unit(unit):
            problems.append(Problem(f"The unit {unit!r} is not known.", where, UNITS_ALLOWED))
        else:
            inner = _expression(arguments[4], terms, f"{where} {operator}", problems, count)
            return (operator, dimension, comparison, number, unit, inner)
        return 0
    if operator == "fill" and not (
        isinstance(arguments[0], str)
        and arguments[0] in terms
        and not terms[arguments[0]].required
        and isinstance(arguments[1], int | float)
        and not isinstance(arguments[1], bool)
    ):
        problems.append(Problem("fill needs an optional term and a number.", where, '["fill", "term", 0]'))
        return 0
    return (operator, *(_expression(each, terms, f"{where} {operator}", problems, count) for each in arguments))


def _check(formula: Formula, period: str) -> Iterator[Problem]:
    """What types cannot say: every term is used, dimensions end at the period, units fit."""
    used = set(names(formula.expr))
    for name in formula.terms:
        if name not in used:
            yield Problem("The expression does not use this term.", f"formula terms.{name}")
    for name, term in formula.terms.items():
        if term.time_grain and term.time_grain not in _FINER[period]:
            yield Problem(
                f"The grain {term.time_grain} is coarser than the period.",
                f"formula terms.{name}.grain",
                ", ".join(_FINER[period]),
            )
    problems: list[Problem] = []
    left = dimensions(formula.expr, formula.terms, problems)
    own = TIME_GRAINS[period]
    if not problems and left and left != {own}:
        problems.append(
            Problem(
                f"The result has the dimensions {', '.join(sorted(left)) or 'none'}.",
                "formula expr",
                own,
                'Take a dimension away, for example with ["sum_over", "stream", …].',
            )
        )
    if not problems:
        from krog.indicators import quantities

        problems.extend(quantities.check(formula))
    yield from problems


def dimensions(expr: Expression, terms: Mapping[str, AnyTerm], problems: list[Problem]) -> frozenset[str]:
    """The dimensions that the value of an expression has; where operands do not fit, a problem."""
    if isinstance(expr, str):
        return frozenset(terms[expr].grain)
    if not isinstance(expr, tuple):
        return frozenset()
    if expr[0] in _INNER:
        inner = dimensions(expr[-1], terms, problems)
        if expr[1] not in inner:
            problems.append(
                Problem(
                    f"{expr[0]}: there is no dimension {expr[1]} to take away.",
                    "formula expr",
                    ", ".join(sorted(inner)),
                )
            )
        return inner - {expr[1]}
    found: frozenset[str] = frozenset()
    for argument in expr[1:]:
        inner = dimensions(argument, terms, problems)
        if found and inner and inner != found:
            both = f"{', '.join(sorted(found))} with {', '.join(sorted(inner))}"
            problems.append(
                Problem(
                    f"{expr[0]} would join {both}, which counts twice.",
                    "formula expr",
                    "operands of the same dimensions",
                    "Aggregate first, for example with sum_over.",
                )
            )
        found = found or inner
    return found
