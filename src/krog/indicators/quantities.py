"""Units of a formula, checked with pint in exact fractions: what may be added, and the factor of the result.

UCUM codes (`base.units`) are defined as pint units in a registry of their own. What has no common measure with
anything else (persons, vehicles, degrees Celsius, decibels, classes, euros, CO2 equivalents) is a dimension of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from krog.base.errors import Problem
from krog.base.units import UNITS
from krog.indicators.formula import OVER, Expression, Formula
from krog.indicators.terms import AnyTerm

#: Own base dimensions, and everything else by its definition.
_DEFINITIONS = (
    "metre = [length]",
    "second = [time]",
    "gram = [mass]",
    "volt = [voltage]",
    "celsius = [celsius]",
    "decibel = [sound]",
    "person = [person]",
    "vehicle = [vehicle]",
    "class_ = [class]",
    "index_ = [index]",
    "euro = [money]",
    "tonne_co2e = [co2e]",
    "part = []",
    "percent = 1 / 100 * part",
    "ppb = 1 / 1000000000 * part",
    "minute = 60 * second",
    "hour = 3600 * second",
    "day = 86400 * second",
    "year = 31557600 * second",
    "month = 2629800 * second",
    "yes_no = [yes_no]",
    "litre = 1 / 1000 * metre ** 3",
    "mile = 1609344 / 1000 * metre",
    "watt = 1000 * gram * metre ** 2 / second ** 3",
    "pascal = 1000 * gram / metre / second ** 2",
)

#: UCUM code -> (factor, pint expression).
_CODES: Mapping[str, tuple[Fraction, str]] = {
    "1": (Fraction(1), "part"),
    "%": (Fraction(1), "percent"),
    "Cel": (Fraction(1), "celsius"),
    "ug/m3": (Fraction(1, 10**6), "gram / metre ** 3"),
    "mg/m3": (Fraction(1, 10**3), "gram / metre ** 3"),
    "[ppb]": (Fraction(1), "ppb"),
    "cm": (Fraction(1, 100), "metre"),
    "m": (Fraction(1), "metre"),
    "m2": (Fraction(1), "metre ** 2"),
    "km": (Fraction(1000), "metre"),
    "km/h": (Fraction(1000), "metre / hour"),
    "[mi_i]/h": (Fraction(1), "mile / hour"),
    "s": (Fraction(1), "second"),
    "min": (Fraction(1), "minute"),
    "h": (Fraction(1), "hour"),
    "d": (Fraction(1), "day"),
    "l": (Fraction(1), "litre"),
    "m3": (Fraction(1), "metre ** 3"),
    "m3/h": (Fraction(1), "metre ** 3 / hour"),
    "m3/s": (Fraction(1), "metre ** 3 / second"),
    "l/s": (Fraction(1), "litre / second"),
    "bar": (Fraction(10**5), "pascal"),
    "dB": (Fraction(1), "decibel"),
    "W": (Fraction(1), "watt"),
    "kW": (Fraction(1000), "watt"),
    "kW.h": (Fraction(1000), "watt * hour"),
    "MW.h": (Fraction(10**6), "watt * hour"),
    "MW.h/a": (Fraction(10**6), "watt * hour / year"),
    "GW.h": (Fraction(10**9), "watt * hour"),
    "kW.h/a": (Fraction(1000), "watt * hour / year"),
    "V": (Fraction(1), "volt"),
    "kg": (Fraction(1000), "gram"),
    "t": (Fraction(10**6), "gram"),
    "t{CO2e}": (Fraction(1), "tonne_co2e"),
    "t/a": (Fraction(10**6), "gram / year"),
    "a": (Fraction(1), "year"),
    "1/a": (Fraction(1), "part / year"),
    "ha": (Fraction(10**4), "metre ** 2"),
    "km2": (Fraction(10**6), "metre ** 2"),
    "{person}": (Fraction(1), "person"),
    "{vehicle}/d": (Fraction(1), "vehicle / day"),
    "{class}": (Fraction(1), "class_"),
    "{index}": (Fraction(1), "index_"),
    "EUR": (Fraction(1), "euro"),
    "EUR/a": (Fraction(1), "euro / year"),
    "EUR/mo": (Fraction(1), "euro / month"),
    "{yes}": (Fraction(1), "yes_no"),
}


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint  # costs time and memory, so only the check and the work process pay it

    registry: Any = pint.UnitRegistry(None, non_int_type=Fraction, cache_folder=None)
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


@lru_cache(maxsize=256)
def quantity(code: str) -> Any:
    """One of the unit `code` as a pint quantity in base units with an exact factor."""
    factor, expression = _CODES[code]
    one = _registry().parse_expression(expression)
    return (Fraction(factor) * one).to_base_units()


def scale(code: str) -> Fraction:
    """How many base units one `code` is."""
    return Fraction(quantity(code).magnitude)


def known(code: str) -> bool:
    """Whether formulas can compute with the unit."""
    return code in _CODES


def convertible(code: str, other: str) -> bool:
    """Whether both measure the same kind of thing."""
    return bool(quantity(code).dimensionality == quantity(other).dimensionality)


def check(formula: Formula) -> Iterator[Problem]:
    """Problems of units: operands that cannot be added or compared, a result that is not what `unit` says."""
    problems: list[Problem] = []
    found = _dimensionality(formula.expr, formula.terms, problems)
    if not problems and found is not None and found != quantity(formula.unit).dimensionality:
        problems.append(
            Problem(
                f"The expression gives {_said(found)}, not {formula.unit}.",
                "formula unit",
                ", ".join(code for code in UNITS if quantity(code).dimensionality == found) or "another expression",
            )
        )
    yield from problems


def _said(dimensionality: Any) -> str:
    powers = {name.strip("[]"): power for name, power in dimensionality.items()}
    parts = [f"{name}^{power}" if power != 1 else name for name, power in powers.items()]
    return " × ".join(sorted(parts)) or "a number without unit"


def _dimensionality(expr: Expression, terms: Mapping[str, AnyTerm], problems: list[Problem]) -> Any:
    """The dimensionality of an expression; None after a problem."""
    if isinstance(expr, str):
        return quantity(terms[expr].unit).dimensionality
    if not isinstance(expr, tuple):
        return quantity("1").dimensionality
    operator = expr[0]
    if operator in OVER:
        return _dimensionality(expr[2], terms, problems)
    if operator == "count_over":
        counted = _dimensionality(expr[5], terms, problems)
        if counted is not None and counted != quantity(expr[4]).dimensionality:
            problems.append(
                Problem(
                    f"count_over compares {_said(counted)} with {expr[4]}.", "formula expr", "a unit of the same kind"
                )
            )
            return None
        return quantity("1").dimensionality
    inner = [_dimensionality(each, terms, problems) for each in (expr[1:2] if operator == "fill" else expr[1:])]
    if any(each is None for each in inner):
        return None
    if operator == "*":
        product = inner[0]
        for each in inner[1:]:
            product = product * each
        return product
    if operator in ("/", "safe_div"):
        return inner[0] / inner[1]
    for each in inner[1:]:
        if each != inner[0]:
            problems.append(
                Problem(
                    f"{operator} cannot take {_said(inner[0])} with {_said(each)}.",
                    "formula expr",
                    "operands of the same kind of quantity",
                )
            )
            return None
    return quantity("1").dimensionality if operator in ("share", "delta_vs_baseline") else inner[0]
