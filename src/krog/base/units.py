"""Units: UCUM codes as the vocabulary, with the symbol that people read and the quantity they measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """`code` is UCUM (https://ucum.org), `symbol` what is shown, `quantity` what kind of thing it measures."""

    code: str
    symbol: str
    quantity: str


UNITS: dict[str, Unit] = {
    unit.code: unit
    for unit in (
        Unit("1", "", "count"),
        Unit("%", "%", "share"),
        Unit("Cel", "°C", "temperature"),
        Unit("ug/m3", "µg/m³", "mass concentration"),
        Unit("mg/m3", "mg/m³", "mass concentration"),
        Unit("[ppb]", "ppb", "mole fraction"),
        Unit("cm", "cm", "length"),
        Unit("m", "m", "length"),
        Unit("m2", "m²", "area"),
        Unit("km", "km", "length"),
        Unit("km/h", "km/h", "speed"),
        Unit("[mi_i]/h", "mph", "speed"),
        Unit("s", "s", "time"),
        Unit("min", "min", "time"),
        Unit("h", "h", "time"),
        Unit("d", "d", "time"),
        Unit("l", "l", "volume"),
        Unit("m3", "m³", "volume"),
        Unit("m3/h", "m³/h", "volume flow"),
        Unit("m3/s", "m³/s", "volume flow"),
        Unit("l/s", "l/s", "volume flow"),
        Unit("bar", "bar", "pressure"),
        Unit("dB", "dB", "sound level"),
        Unit("W", "W", "power"),
        Unit("kW", "kW", "power"),
        Unit("kW.h", "kWh", "energy"),
        Unit("MW.h", "MWh", "energy"),
        Unit("MW.h/a", "MWh/leto", "energy per year"),
        Unit("GW.h", "GWh", "energy"),
        Unit("kW.h/a", "kWh/leto", "energy per year"),
        Unit("V", "V", "voltage"),
        Unit("kg", "kg", "mass"),
        Unit("t", "t", "mass"),
        Unit("t/a", "t/leto", "mass per year"),
        Unit("t{CO2e}", "t CO₂ ekv.", "greenhouse gas"),
        Unit("ha", "ha", "area"),
        Unit("km2", "km²", "area"),
        Unit("a", "let", "time"),
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


def symbol(code: str) -> str:
    """What people read for a code; the code itself where it is unknown."""
    unit = UNITS.get(code)
    return unit.symbol if unit else code
