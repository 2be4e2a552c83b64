"""Combines the aggregated inputs of a formula to one value per period: exact, in the same bits on every engine.

Engines only count, sum exactly (decimals), and find least and greatest per stream and bucket: `Cell`. Everything that
follows is done here in fractions, so neither order nor number of threads can change a digit; the one rounding is the
last step to a float. What is missing stays missing and says why; it is never 0.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from krog.indicators import quantities
from krog.indicators.formula import OVER, Expression, Formula
from krog.indicators.terms import AnyTerm, RefTerm, TableTerm, Term

Reason = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """What one stream gave in one bucket: `n` readings, their exact `total`, `least` and `most` (in the stream's unit),
    the sum of their `ids`, and whether any was replayed or simulated."""

    n: int
    total: Fraction
    least: Fraction
    most: Fraction
    ids: int = 0
    replayed: bool = False
    simulated: bool = False


@dataclass(frozen=True)
class Input:
    """The readings of one term: `cells` by (stream, bucket); `units` of every chosen stream, read or not; and how many
    readings are `expected` by (stream, bucket), 0 where nobody knows. Of a table the first is the group (or empty), of
    another indicator both are empty. `reasons` say why nothing could be read at all."""

    cells: Mapping[tuple[str, str], Cell]
    units: Mapping[str, str]
    buckets: Sequence[str]
    expected: Mapping[tuple[str, str], int] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Missing:
    """In place of a number: why there is none."""

    reasons: tuple[Reason, ...]


Number = Fraction | Missing


@dataclass(frozen=True)
class Table:
    """Numbers by their place: the coordinates in the order of `dims`."""

    dims: tuple[str, ...]
    values: Mapping[tuple[str, ...], Number]


@dataclass(frozen=True)
class Result:
    """The value of one period; `value` is None with `reasons` where it cannot be known."""

    value: float | None
    reasons: tuple[Reason, ...] = ()


def combine(formula: Formula, inputs: Mapping[str, Input], period: str) -> Result:
    """The value of `period`, from the inputs of exactly this period. Raises nothing for missing data."""
    tables = {name: _term(name, term, inputs[name]) for name, term in formula.terms.items()}
    lacking = [
        reason
        for name, table in tables.items()
        if formula.terms[name].required
        for value in table.values.values()
        if isinstance(value, Missing)
        for reason in value.reasons
    ]
    if lacking:
        return Result(None, _unique(lacking))
    table = _evaluate(formula.expr, tables, formula.terms)
    value = table.values.get((period,) if table.dims else (), Missing(({"code": "no-readings"},)))
    if isinstance(value, Missing):
        return Result(None, _unique(value.reasons))
    try:
        return Result(float(value / quantities.scale(formula.unit)))
    except OverflowError:
        return Result(None, ({"code": "too-large"},))


def fingerprint(inputs: Mapping[str, Input]) -> str:
    """SHA-256 over all cells and over which streams were asked: the same inputs, the same text on every engine."""
    digest = hashlib.sha256()
    for name in sorted(inputs):
        digest.update(f"{name}|{','.join(f'{s}:{u}' for s, u in sorted(inputs[name].units.items()))}\n".encode())
        for reason in inputs[name].reasons:
            digest.update(f"{sorted(reason.items())}\n".encode())
        for (stream, bucket), cell in sorted(inputs[name].cells.items()):
            digest.update(f"{stream}|{bucket}|{cell.n}|{cell.total}|{cell.least}|{cell.most}|{cell.ids}\n".encode())
    return digest.hexdigest()


def _unique(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once, at most twenty of them."""
    found: dict[str, Reason] = {}
    for reason in reasons:
        found.setdefault(repr(sorted(reason.items())), reason)
    return tuple(found.values())[:20]


def _term(name: str, term: AnyTerm, given: Input) -> Table:
    """The term on its own grain, in base units."""
    if isinstance(term, TableTerm):
        return _rows(name, term, given)
    if isinstance(term, RefTerm):
        cell = given.cells.get(("", ""))
        missing = Missing(given.reasons or ({"code": "no-value", "term": name},))
        return Table((), {(): cell.total * quantities.scale(given.units[""]) if cell else missing})
    return _streams(name, term, given)


def _rows(name: str, term: TableTerm, given: Input) -> Table:
    """A term of a table: no row counts 0, any other aggregate of no row is missing (left out where it is optional)."""
    values: dict[tuple[str, ...], Number] = {}
    scale = quantities.scale(term.unit)
    groups = sorted({group for group, _bucket in given.cells}) if term.by else [""]
    for group in groups if not given.reasons else [""]:
        for bucket in given.buckets if term.time_grain else [""]:
            place = (*((group,) if term.by else ()), *((bucket,) if term.time_grain else ()))
            cell = given.cells.get((group, bucket))
            if given.reasons:
                values[place] = Missing(given.reasons)
            elif cell is not None and cell.n:
                values[place] = _aggregate(term.agg, [(cell, scale)])
            elif term.agg == "count":
                values[place] = Fraction(0)
            elif term.required or not term.grain:
                values[place] = Missing(({"code": "no-rows", "term": name, "bucket": bucket},))
    return Table(term.grain, values)


def _streams(name: str, term: Term, given: Input) -> Table:
    dims = ("stream", term.time_grain) if term.by_stream else (term.time_grain,)
    values: dict[tuple[str, ...], Number] = {}
    for bucket in dict.fromkeys(given.buckets):
        present: list[tuple[Cell, Fraction]] = []
        lacking: list[Reason] = [] if given.units else [{"code": "no-streams", "term": name}]
        for stream, unit in given.units.items():
            cell = given.cells.get((stream, bucket))
            expected = given.expected.get((stream, bucket), 0)
            if cell is None or cell.n == 0 or cell.n < term.min_coverage * expected:
                lacking.append(
                    {
                        "code": "coverage",
                        "term": name,
                        "stream": stream,
                        "bucket": bucket,
                        "have": cell.n if cell else 0,
                        "expected": expected,
                    }
                )
                if term.by_stream and term.required:
                    values[(stream, bucket)] = Missing((lacking[-1],))
                continue
            present.append((cell, quantities.scale(unit)))
            if term.by_stream:
                values[(stream, bucket)] = _aggregate(term.agg, present[-1:])
        if not term.by_stream:
            enough = present and not (term.required and lacking)
            values[(bucket,)] = _aggregate(term.agg, present) if enough else Missing(tuple(lacking))
        elif not given.units:
            values[("", bucket)] = Missing(tuple(lacking))
    return Table(dims, values)


def _aggregate(agg: str, cells: Sequence[tuple[Cell, Fraction]]) -> Fraction:
    if agg == "count":
        return Fraction(sum(cell.n for cell, _ in cells))
    if agg == "min":
        return min(cell.least * scale for cell, scale in cells)
    if agg == "max":
        return max(cell.most * scale for cell, scale in cells)
    total = sum((cell.total * scale for cell, scale in cells), Fraction(0))
    return total if agg == "sum" else total / sum(cell.n for cell, _ in cells)


def _evaluate(expr: Expression, tables: Mapping[str, Table], terms: Mapping[str, AnyTerm]) -> Table:
    if isinstance(expr, str):
        return tables[expr]
    if not isinstance(expr, tuple):
        return Table((), {(): Fraction(expr)})
    name = expr[0]
    if name in OVER:
        return _over(name, expr[1], _evaluate(expr[2], tables, terms))
    if name == "count_over":
        return _count_over(expr, _evaluate(expr[5], tables, terms))
    if name == "fill":
        inner = _evaluate(expr[1], tables, terms)
        number = Fraction(expr[2]) * quantities.scale(terms[expr[1]].unit)
        return Table(inner.dims, {at: number if isinstance(v, Missing) else v for at, v in inner.values.items()})
    operands = [_evaluate(each, tables, terms) for each in expr[1:]]
    dims = next((table.dims for table in operands if table.dims), ())
    places = dict.fromkeys(at for table in operands if table.dims for at in table.values) or {(): None}
    return Table(dims, {at: _apply(name, [_at(table, at) for table in operands]) for at in places})


def _at(table: Table, place: tuple[str, ...]) -> Number:
    """The value at a place; a number without dimensions stands everywhere."""
    if not table.dims:
        return table.values[()]
    return table.values.get(place, Missing(({"code": "no-readings", "at": " ".join(place)},)))


def _over(name: str, dimension: str, table: Table) -> Table:
    """Takes one dimension away; a place with anything missing is missing."""
    at = table.dims.index(dimension)
    groups: dict[tuple[str, ...], list[Number]] = {}
    for place, value in table.values.items():
        groups.setdefault(place[:at] + place[at + 1 :], []).append(value)
    reduce = _REDUCE[name]
    return Table(
        table.dims[:at] + table.dims[at + 1 :],
        {place: _missing(values) or reduce(_numbers(values)) for place, values in groups.items()},
    )


def _count_over(expr: tuple[Any, ...], table: Table) -> Table:
    """How many places of a dimension meet the condition, of those that are known."""
    _operator, dimension, comparison, number, unit = expr[:5]
    at, limit = table.dims.index(dimension), Fraction(number) * quantities.scale(unit)
    groups: dict[tuple[str, ...], list[Number]] = {}
    for place, value in table.values.items():
        groups.setdefault(place[:at] + place[at + 1 :], []).append(value)
    found: dict[tuple[str, ...], Number] = {}
    for place, values in groups.items():
        known = _numbers(values)
        counted = Fraction(sum(_COMPARE[comparison](each, limit) for each in known))
        found[place] = counted if known else _missing(values) or Missing(({"code": "no-readings"},))
    return Table(table.dims[:at] + table.dims[at + 1 :], found)


_COMPARE: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_REDUCE: Mapping[str, Callable[[list[Fraction]], Fraction]] = {
    "sum_over": lambda numbers: sum(numbers, Fraction(0)),
    "mean_over": lambda numbers: sum(numbers, Fraction(0)) / len(numbers),
    "min_over": min,
    "max_over": max,
}


def _missing(values: Iterable[Number]) -> Missing | None:
    reasons = [reason for value in values if isinstance(value, Missing) for reason in value.reasons]
    return Missing(_unique(reasons)) if reasons else None


def _numbers(values: Iterable[Number]) -> list[Fraction]:
    return [value for value in values if isinstance(value, Fraction)]


def _apply(name: str, values: Sequence[Number]) -> Number:
    missing = _missing(values)
    if missing:
        return missing
    numbers = _numbers(values)
    first, rest = numbers[0], numbers[1:]
    if name == "delta_vs_baseline":
        return (first - rest[0]) / abs(rest[0]) if rest[0] else Missing(({"code": "division-by-zero"},))
    if name in ("/", "safe_div", "share"):
        return first / rest[0] if rest[0] else Missing(({"code": "division-by-zero"},))
    if name == "+":
        return sum(numbers, Fraction(0))
    if name == "*":
        product = first
        for each in rest:
            product *= each
        return product
    if name == "-":
        return first - rest[0]
    if name == "neg":
        return -first
    if name == "abs":
        return abs(first)
    return min(numbers) if name == "min" else max(numbers)
