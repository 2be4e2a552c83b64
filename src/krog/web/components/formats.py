"""How numbers, times, durations and units are written in each language of a city."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext, ngettext

from krog.base import times, units

MINUS = "−"
NARROW = "\u00a0"


@dataclass(frozen=True)
class Writing:
    """How a language writes: decimal mark, groups of thousands, dates and times (strftime-like, by `write_time`)."""

    decimal: str
    group: str
    day: str
    clock: str
    months: tuple[str, ...] = ()


_EN_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

#: What each language is called in itself.
LANGUAGE_NAMES = {"sl": "Slovenščina", "it": "Italiano", "en": "English"}

WRITINGS: dict[str, Writing] = {
    "sl": Writing(",", ".", "{d}.\u00a0{m}.\u00a0{y}", "{h}.{mi:02d}"),
    "it": Writing(",", ".", "{d}/{m}/{y}", "{h:02d}:{mi:02d}"),
    "en": Writing(".", ",", "{d}\u00a0{month}\u00a0{y}", "{h:02d}:{mi:02d}", _EN_MONTHS),
}


def writing(language: str) -> Writing:
    """How `language` writes; English where Krog does not know it."""
    return WRITINGS.get(language[:2], WRITINGS["en"])


def number(value: Any, language: str, decimals: int | None = None) -> str:
    """`1234.5` as people write it, `1.234,5` in Slovenian; `decimals` fixes the places, else at most three are kept."""
    try:
        exact = Decimal(str(value))
    except ArithmeticError:
        return str(value)
    if not exact.is_finite():
        return "–"
    if decimals is None:
        exact = round(exact, 3 if abs(exact) < 100 else 2 if abs(exact) < 1000 else 1).normalize()
        text = f"{abs(exact):f}"
    else:
        exact = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
        text = f"{abs(exact):f}"
    whole, _, fraction = text.partition(".")
    rule = writing(language)
    # Four digits stay together in neither language's official texts: 1.234, 12.345.
    grouped = f"{int(whole):,}".replace(",", rule.group)
    sign = MINUS if exact < 0 else ""
    return sign + grouped + (rule.decimal + fraction if fraction else "")


#: Letters with a mark follow their plain letter, as in Slovenian dictionaries: c, č, ć, d, đ … s, š … z, ž.
_ORDER = str.maketrans({"č": "c\uffff", "ć": "c\uffff\uffff", "đ": "d\uffff", "š": "s\uffff", "ž": "z\uffff"})


def order(text: str) -> str:
    """What a list of names is sorted by."""
    return text.lower().translate(_ORDER)


def day(moment: datetime, language: str) -> str:
    """A calendar day: `12. 5. 2026`, in English `12 May 2026`."""
    rule = writing(language)
    month = rule.months[moment.month - 1] if rule.months else ""
    return rule.day.format(d=moment.day, m=moment.month, y=moment.year, month=month)


def short_day(moment: datetime, language: str) -> str:
    """A day on an axis, without its year: `12. 5.`, in English `12 May`."""
    rule = writing(language)
    if rule.months:
        return f"{moment.day}{NARROW}{rule.months[moment.month - 1][:3]}"
    return rule.day.format(d=moment.day, m=moment.month, y="", month="").rstrip("\u00a0/ ")


def month(moment: datetime, language: str) -> str:
    """A month with its year: `5. 2026`, in English `May 2026`."""
    rule = writing(language)
    if rule.months:
        return f"{rule.months[moment.month - 1][:3]}{NARROW}{moment.year}"
    return f"{moment.month}/{moment.year}" if "/" in rule.day else f"{moment.month}.{NARROW}{moment.year}"


def clock(moment: datetime, language: str) -> str:
    """A time of day: `14.30`, in English and Italian `14:30`."""
    return writing(language).clock.format(h=moment.hour, mi=moment.minute)


def moment(microseconds: int, language: str, zone: str) -> str:
    """Date and time of UTC microseconds in the city's zone: `12. 5. 2026 · 14.30`."""
    local = times.to_datetime(microseconds, zone)
    return f"{day(local, language)} · {clock(local, language)}"


def ago(microseconds: int, language: str, zone: str, now: int | None = None) -> str:
    """How long since: in words up to a day, then the day itself."""
    current = times.now() if now is None else now
    past = current - microseconds
    if past < -times.MINUTE:
        return moment(microseconds, language, zone)
    if past < times.MINUTE:
        return gettext("just now")
    if past < times.HOUR:
        minutes = past // times.MINUTE
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    if past < times.DAY:
        hours = past // times.HOUR
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    local = times.to_datetime(microseconds, zone)
    if past < 2 * times.DAY and local.date() == times.to_datetime(current - times.DAY, zone).date():
        return gettext("yesterday at %(time)s") % {"time": clock(local, language)}
    return day(local, language)


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `6 h 40 min`, `2 d 3 h`, `45 s`."""
    total = round(abs(seconds))
    if total < 60:
        return f"{total}{NARROW}s"
    days, rest = divmod(total // 60, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    first = next(index for index, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount}{NARROW}{word}" for amount, word in parts[first : first + 2] if amount)


def unit(code: str, language: str) -> str:
    """The symbol of a unit's code, with words of units (`oseb`, `vozil/dan`) in the page's language."""
    if language.startswith("en"):
        return _ENGLISH_UNITS.get(code, units.symbol(code))
    return units.symbol(code)


def amount(value: Any, code: str, language: str, decimals: int | None = None) -> str:
    """A number with its unit, kept on one line: `5,9 m³/h`."""
    return f"{number(value, language, decimals)}{NARROW}{unit(code, language)}".rstrip()


_ENGLISH_UNITS = {
    "MW.h/a": "MWh/year",
    "kW.h/a": "kWh/year",
    "t/a": "t/year",
    "a": "years",
    "1/a": "a year",
    "EUR/a": "€/year",
    "EUR/mo": "€/month",
    "t{CO2e}": "t CO₂ eq.",
    "{person}": "people",
    "{vehicle}/d": "vehicles/day",
}
