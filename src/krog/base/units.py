"""Units: UCUM codes as the vocabulary, with the symbol that people read and the quantity they measure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Unit:
    """`code` is UCUM (https://ucum.org), `symbol` what is shown, `quantity` what kind of thing it measures, `scale` how
    many of the quantity's first unit one is."""

    code: str
    symbol: str
    quantity: str
    scale: Fraction = Fraction(1)


UNITS: dict[str, Unit] = {
    unit.code: unit
    for unit in (
        Unit("1", "", "count"),
        Unit("%", "%", "share"),
        Unit("Cel", "°C", "temperature"),
        Unit("ug/m3", "µg/m³", "mass concentration"),
        Unit("mg/m3", "mg/m³", "mass concentration", Fraction(1000)),
        Unit("[ppb]", "ppb", "mole fraction"),
        Unit("cm", "cm", "length"),
        Unit("m", "m", "length", Fraction(100)),
        Unit("m2", "m²", "area"),
        Unit("km", "km", "length", Fraction(100_000)),
        Unit("km/h", "km/h", "speed"),
        Unit("[mi_i]/h", "mph", "speed", Fraction(1_609_344, 1_000_000)),
        Unit("s", "s", "time"),
        Unit("min", "min", "time", Fraction(60)),
        Unit("h", "h", "time", Fraction(3600)),
        Unit("d", "d", "time", Fraction(86_400)),
        Unit("l", "l", "volume"),
        Unit("m3", "m³", "volume", Fraction(1000)),
        Unit("m3/h", "m³/h", "volume flow"),
        Unit("m3/s", "m³/s", "volume flow", Fraction(3600)),
        Unit("l/s", "l/s", "volume flow", Fraction(36, 10)),
        Unit("bar", "bar", "pressure"),
        Unit("dB", "dB", "sound level"),
        Unit("W", "W", "power"),
        Unit("kW", "kW", "power", Fraction(1000)),
        Unit("kW.h", "kWh", "energy"),
        Unit("MW.h", "MWh", "energy", Fraction(1000)),
        Unit("MW.h/a", "MWh/leto", "energy per year"),
        Unit("GW.h", "GWh", "energy", Fraction(1_000_000)),
        Unit("kW.h/a", "kWh/leto", "energy per year", Fraction(1, 1000)),
        Unit("V", "V", "voltage"),
        Unit("kg", "kg", "mass"),
        Unit("t", "t", "mass", Fraction(1000)),
        Unit("t/a", "t/leto", "mass per year"),
        Unit("t{CO2e}", "t CO₂ ekv.", "greenhouse gas"),
        Unit("ha", "ha", "area", Fraction(10_000)),
        Unit("km2", "km²", "area", Fraction(1_000_000)),
        Unit("a", "let", "time", Fraction(31_557_600)),
        Unit("1/a", "na leto", "count per year"),
        Unit("{person}", "oseb", "people"),
        Unit("{vehicle}/d", "vozil/dan", "traffic"),
        Unit("{class}", "", "class"),
        Unit("{index}", "", "index"),
        Unit("EUR", "€", "money"),
        Unit("EUR/a", "€/leto", "money per year"),
        Unit("EUR/mo", "€/mesec", "money per month"),
        Unit("{yes}", "", "done or not"),
    )
}

UNITS_ALLOWED = ", ".join(UNITS)


def is_unit(code: str) -> bool:
    """Whether `code` is in the vocabulary."""
    return code in UNITS


def convertible(code: str, other: str) -> bool:
    """Whether both measure the same kind of thing, so that a value in one can be said in the other."""
    return code == other or (code in UNITS and other in UNITS and UNITS[code].quantity == UNITS[other].quantity)


def convert(value: float, code: str, other: str) -> float:
    """A value in `code`, said in `other`; ValueError where they do not measure the same."""
    if code == other:
        return value
    if not convertible(code, other):
        raise ValueError(f"{code} is not {other}.")
    return float(Fraction(value) * UNITS[code].scale / UNITS[other].scale)


def symbol(code: str) -> str:
    """What people read for a code; the code itself where it is unknown."""
    unit = UNITS.get(code)
    return unit.symbol if unit else code
