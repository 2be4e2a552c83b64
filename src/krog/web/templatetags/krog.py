"""Filters and tags of every page: numbers, times, units and texts as the page's language writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from krog.base import times
from krog.base.origin import Origin
from krog.base.text import say as say_text
from krog.engine.cities import city
from krog.web.components import formats
from krog.web.components.verb_words import words_of

register = template.Library()


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _microseconds(value: Any) -> int | None:
    """Microseconds of what pages pass as a time: microseconds, an aware datetime or a day."""
    if isinstance(value, datetime):
        return times.from_datetime(value)
    if isinstance(value, date):
        return times.start_of_day(value, settings.TIME_ZONE)
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        return None
    return None if value is None or value == "" else int(value)


@register.filter
def number(value: Any, decimals: Any = None) -> str:
    """`{{ 1234.5|number:1 }}` → 1.234,5; without places as many as matter; nothing → –."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool) or (isinstance(value, str) and not value.replace(".", "", 1).lstrip("-").isdigit()):
        return str(value)
    return formats.number(value, _language(), None if decimals in (None, "") else int(decimals))


@register.filter
def moment(value: Any) -> str:
    """UTC microseconds → local date and time: 12. 5. 2026 · 14.30."""
    at = _microseconds(value)
    return "" if at is None else formats.moment(at, _language(), settings.TIME_ZONE)


@register.filter
def day(value: Any) -> str:
    """UTC microseconds, a date or an ISO day → 12. 5. 2026."""
    if isinstance(value, str) and "-" in value[1:]:
        return formats.day(datetime.fromisoformat(value), _language())
    at = _microseconds(value)
    return "" if at is None else formats.day(times.to_datetime(at, settings.TIME_ZONE), _language())


@register.filter
def clock(value: Any) -> str:
    """UTC microseconds → local time of day: 14.30."""
    at = _microseconds(value)
    return "" if at is None else formats.clock(times.to_datetime(at, settings.TIME_ZONE), _language())


@register.filter
def ago(value: Any) -> str:
    """UTC microseconds → how long since, in words."""
    at = _microseconds(value)
    return "" if at is None else formats.ago(at, _language(), settings.TIME_ZONE)


@register.filter
def iso(value: Any) -> str:
    """UTC microseconds → the machine form for <time datetime>."""
    at = _microseconds(value)
    return "" if at is None else times.iso(at)


@register.filter
def when_text(value: Any) -> str:
    """A time in words, a period (2026, 2026-05, 2026-05-12) as locals write it, or else the text itself."""
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        return _period(value)
    at = _microseconds(value)
    # A bare year or period such as 2023 is not a moment; microseconds of any real reading are far larger.
    return str(value) if at is None or abs(at) < times.DAY else formats.moment(at, _language(), settings.TIME_ZONE)


def _period(text: str) -> str:
    try:
        if len(text) == 10:
            return formats.day(datetime.fromisoformat(text), _language())
        if len(text) == 7:
            return formats.month(datetime.fromisoformat(f"{text}-01"), _language())
    except ValueError:
        pass
    return text


@register.filter
def duration(value: Any, per_second: Any = 1) -> str:
    """Seconds → 6 h 40 min; `|duration:1000000` for microseconds."""
    return "" if value is None or value == "" else formats.duration(float(value) / float(per_second))


@register.filter
def unit(code: Any) -> str:
    """The symbol of a unit's code."""
    return formats.unit(str(code or ""), _language())


@register.filter
def said(texts: Any) -> str:
    """A text of content as plain words in the page's language, for titles and attributes."""
    return str(say_text(texts, _language())) if isinstance(texts, Mapping) else str(texts or "")


@register.filter
def text_languages(texts: Any) -> list[dict[str, str]]:
    """What a text of content is in each of the city's languages: official, a translation, or missing."""
    here = city.current()
    known = texts if isinstance(texts, Mapping) else {}
    found = []
    for code in here.languages:
        state = "missing" if not known.get(code) else "official" if code in here.official else "translated"
        found.append({"code": code, "name": formats.LANGUAGE_NAMES.get(code, code), "state": state})
    return found


@register.simple_tag
def say(texts: Any) -> SafeString | str:
    """A text of content in the page's language; in another one it carries `lang` and a mark."""
    if not isinstance(texts, Mapping):
        return str(texts or "")
    shown = say_text(texts, _language())
    if shown.asked:
        return shown.value
    return format_html(
        '<span class="other-language"><span lang="{}">{}</span> '
        '<abbr class="language-mark" title="{}">{}</abbr></span>',
        shown.lang, shown.value, gettext("Not translated; shown in the original language."), shown.lang,
    )  # fmt: skip


@register.filter
def origin_word(origin: Any) -> str:
    """The word of an origin given as a number, a member or a word."""
    if isinstance(origin, str) and not origin.isdigit():
        return origin
    return "" if origin is None or origin == "" else Origin(int(origin)).word


@register.filter
def phone(text: Any) -> str:
    """A phone number as `tel:` wants it."""
    return "".join(letter for letter in str(text) if letter.isdigit() or letter == "+")


@register.filter
def notice_kind(level: Any) -> str:
    """The kind of notice of a Django message's level."""
    return {"error": "bad", "warning": "warn", "success": "ok"}.get(str(level), "info")


@register.filter
def described_by(field: BoundField) -> str:
    """Ids of the hint and the error of a field, for aria-describedby."""
    ids = [f"{field.auto_id}_error"] if field.errors else []
    return " ".join([*ids, f"{field.auto_id}_hint"] if field.help_text else ids)


@register.filter
def control(field: BoundField) -> SafeString:
    """The control of a form field, told what its hint and error are."""
    attrs: dict[str, str | bool] = {}
    if described := described_by(field):
        attrs["aria-describedby"] = described
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs=attrs)


@register.filter
def changes(entry: Any) -> list[dict[str, Any]]:
    """What an entry of the journal changed, field by field."""
    before, after = (getattr(entry, "before", None) or {}), (getattr(entry, "after", None) or {})
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


@register.filter
def verb(text: Any) -> str:
    """A verb of the journal in words: `rules.raise` → raised."""
    return words_of(str(text))


@lru_cache(maxsize=64)
def _mark(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


@register.simple_tag
def asset(name: str) -> str:
    """Address of a built file with a mark of its content, so that browsers keep it until it changes."""
    for folder in settings.STATICFILES_DIRS:
        path = Path(folder) / name
        if path.exists():
            return f"{static(name)}?v={_mark(path, path.stat().st_mtime_ns)}"
    return static(name)
