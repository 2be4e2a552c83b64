"""The declared fields of a register: what a declaration may say, and what a record's values must obey."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from krog.base.errors import Problem
from krog.base.ids import is_key
from krog.base.text import Text
from krog.base.units import UNITS_ALLOWED, is_unit

#: The types of fields, and what a value of each must be.
TYPES = {
    "text": gettext_noop("text of at most 5000 characters"),
    "number": gettext_noop("a number"),
    "integer": gettext_noop("a whole number"),
    "date": gettext_noop("a day such as 2026-05-12"),
    "boolean": gettext_noop("yes or no"),
    "choice": gettext_noop("one of the declared choices"),
    "url": gettext_noop("an address beginning with https:// or http://"),
    "record": gettext_noop("the key of a record of the named register"),
    "choices": gettext_noop("a list of the declared choices"),
}
#: Types whose values come from declared choices.
CHOOSING = ("choice", "choices")
GEOMETRIES = ("point", "line", "polygon", "none")

NAME = re.compile(r"^[a-z](?:_?[a-z0-9])*$")
MAX_TEXT = 5000
MAX_WHOLE = 2**53

#: Names that addresses, exports or the database's own words for comparisons already use.
RESERVED = frozenset(
    {
        "key",
        "register",
        "geometry",
        "valid_from",
        "valid_to",
        "version",
        "changed",
        "id",
        "bbox",
        "limit",
        "offset",
        "after",
        "sort",
        "q",
        "format",
        "page",
        "lon",
        "lat",
        "wkt",
        "exact",
        "iexact",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "range",
        "isnull",
        "regex",
        "iregex",
        "contains",
        "icontains",
        "contained_by",
        "startswith",
        "istartswith",
        "endswith",
        "iendswith",
        "has_key",
        "has_keys",
        "has_any_keys",
    }
)


#: What a declared field may say.
MEMBERS = ("type", "unit", "title", "required", "choices", "indexed", "register")


@dataclass(frozen=True)
class Field:
    """One declared field; `choices` maps each allowed value to its title. Without a title the word itself is shown.
    An `indexed` field is filtered and sorted by an index of the database; a `record` names a record of `register`, a
    `choices` field holds several of its choices."""

    name: str
    type: str = "text"
    title: Text | None = None
    unit: str = ""
    required: bool = False
    choices: Mapping[str, Text | None] | None = None
    indexed: bool = False
    register: str = ""

    @property
    def numeric(self) -> bool:
        return self.type in ("number", "integer")


def read_fields(declared: Mapping[str, Mapping[str, Any]]) -> tuple[Field, ...]:
    """The fields of a checked declaration, in its order."""
    return tuple(
        Field(
            name=name,
            type=about.get("type", "text"),
            title=about.get("title") or None,
            unit=about.get("unit", ""),
            required=bool(about.get("required", False)),
            choices=_choices(about),
            indexed=bool(about.get("indexed", False)),
            register=str(about.get("register", "")),
        )
        for name, about in declared.items()
    )


def _choices(about: Mapping[str, Any]) -> Mapping[str, Text | None] | None:
    """Choices are declared as a list of values, or as a table value → title by language."""
    declared = about.get("choices")
    if not declared:
        return None
    if isinstance(declared, Mapping):
        return {str(value): title if isinstance(title, Mapping) else None for value, title in declared.items()}
    return {str(value): None for value in declared}


def check_fields(declared: Any, title_field: str = "") -> list[Problem]:
    """Every mistake in a declaration of fields."""
    if not isinstance(declared, Mapping):
        return [Problem("Fields are a table of name = { type = … }.", "fields")]
    found: list[Problem] = []
    for name, about in declared.items():
        where = f"fields.{name}"
        if not isinstance(name, str) or not NAME.match(name) or len(name) > 50:
            allowed = "a-z, 0-9 and single _, beginning with a letter"
            found.append(Problem(f"{name!r} cannot name a field.", where, allowed))
        elif name in RESERVED:
            what = f"{name!r} already has a meaning in addresses and files."
            found.append(Problem(what, where, todo="Choose another name."))
        if not isinstance(about, Mapping):
            found.append(Problem("A field is a table { type = … }.", where))
            continue
        found += _check_field(where, about)
    if title_field and title_field not in declared:
        found.append(Problem(f"There is no field {title_field!r}.", "title_field", ", ".join(map(str, declared))))
    return found


def _check_field(where: str, about: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    kind = about.get("type", "text")
    if kind not in TYPES:
        found.append(Problem(f"There is no type {kind!r}.", f"{where}.type", ", ".join(TYPES)))
    if extra := sorted(set(about) - set(MEMBERS)):
        found.append(Problem(f"A field has no {', '.join(extra)}.", where, ", ".join(MEMBERS)))
    unit = about.get("unit", "")
    if unit and not is_unit(unit):
        found.append(Problem(f"There is no unit {unit!r}.", f"{where}.unit", UNITS_ALLOWED))
    if unit and kind not in ("number", "integer"):
        found.append(Problem("Only numbers have a unit.", f"{where}.unit"))
    if kind in CHOOSING and not isinstance(about.get("choices"), Sequence | Mapping):
        found.append(Problem("A choice needs its choices.", f"{where}.choices", "a list of values, or value = title"))
    elif kind in CHOOSING and not about["choices"]:
        found.append(Problem("A choice needs at least one choice.", f"{where}.choices"))
    elif kind not in CHOOSING and about.get("choices"):
        found.append(Problem("Only the types choice and choices have choices.", f"{where}.choices"))
    for flag in ("required", "indexed"):
        if not isinstance(about.get(flag, False), bool):
            found.append(Problem(f"{flag} is true or false.", f"{where}.{flag}"))
    if about.get("indexed") is True and kind == "choices":
        found.append(Problem("A field of several choices has no index.", f"{where}.indexed"))
    if (kind == "record") != bool(about.get("register")):
        what = "A record needs its register." if kind == "record" else "Only the type record has a register."
        found.append(Problem(what, f"{where}.register", "the key of a register"))
    return found


def is_empty(value: Any) -> bool:
    """Whether a value says nothing: absent, null, blank text or an empty list."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def check_values(fields: Sequence[Field], values: Any) -> tuple[dict[str, Any], list[Problem]]:
    """The values in canonical form without empty ones, and every mistake in them."""
    if not isinstance(values, Mapping):
        return {}, [Problem(_("Values are a table of field = value."), "values")]
    known = {field.name: field for field in fields}
    found = [
        Problem(_("There is no such field."), str(name)[:60], ", ".join(known)) for name in values if name not in known
    ]
    clean: dict[str, Any] = {}
    for field in fields:
        value = values.get(field.name)
        if is_empty(value):
            if field.required:
                found.append(Problem(_("A value is missing."), field.name, allowed_for(field)))
            continue
        try:
            clean[field.name] = _canonical(field, value)
        except (ValueError, OverflowError):
            found.append(Problem(not_allowed(value), field.name, allowed_for(field)))
    return clean, found


def not_allowed(value: Any) -> str:
    """The sentence for a value that a field does not take."""
    return _("“%(value)s” is not allowed.") % {"value": str(value)[:60]}


def allowed_for(field: Field) -> str:
    """What a value of this field may be, for people."""
    if field.choices:
        return ", ".join(field.choices)
    return _(TYPES[field.type])


def _canonical(field: Field, value: Any) -> Any:
    return _READERS[field.type](field, value)


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\x00" in value:
        raise ValueError
    # A lone surrogate cannot be written as UTF-8, and so never reach a page or a file.
    value.encode("utf-8")
    return value.strip()


def _number(field: Field, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    # Beyond it the engines do not agree any more whether a number is whole.
    if abs(value) > MAX_WHOLE:
        raise ValueError
    return value


def _integer(field: Field, value: Any) -> int:
    number = _number(field, value)
    if number != int(number) or abs(number) > MAX_WHOLE:
        raise ValueError
    return int(number)


def _date(field: Field, value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        raise ValueError
    return date.fromisoformat(value.strip()).isoformat()


def _boolean(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _choice(field: Field, value: Any) -> str:
    if not isinstance(value, str) or value not in (field.choices or {}):
        raise ValueError
    return value


def _url(field: Field, value: Any) -> str:
    text = _text(field, value)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(text) > 2000 or re.search(r"[\s<>\"']", text):
        raise ValueError
    return text


def _record(field: Field, value: Any) -> str:
    # Whether there is such a record is asked where the registers are known.
    if not isinstance(value, str) or not is_key(value.strip()):
        raise ValueError
    return value.strip()


def _some(field: Field, value: Any) -> list[str]:
    parts = [part.strip() for part in value.split("|")] if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError
    wanted = {part for part in parts if part}
    if not wanted or wanted - set(field.choices or {}):
        raise ValueError
    # In the order of the declaration, each once: the same choice is the same value.
    return [choice for choice in field.choices or {} if choice in wanted]


_READERS = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "date": _date,
    "boolean": _boolean,
    "choice": _choice,
    "url": _url,
    "record": _record,
    "choices": _some,
}


def parse_written(field: Field, text: str) -> Any:
    """A value from how it is written in an address, a CSV cell or a form; ValueError where it cannot be one."""
    text = text.strip()
    if field.numeric:
        return _canonical(field, float(text) if field.type == "number" else int(text))
    if field.type == "boolean":
        if text.lower() in ("true", "1", "yes"):
            return True
        if text.lower() in ("false", "0", "no"):
            return False
        raise ValueError
    return _canonical(field, text)
