"""The fields of a node as people and files give them: cleaned, or every mistake at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from krog.base.errors import Problem, invalid
from krog.plans.shapes import FIELDS

#: What a new node has where nothing is said.
EMPTY: Mapping[str, Any] = {
    "title": {},
    "text": {},
    "level": "",
    "number": "",
    "parent": "",
    "order": 0,
    "organisation": "",
    "office": "",
    "holder": "",
    "status": "",
    "strategic": False,
    "horizon": "",
    "note": "",
    "source": "",
    "facts": {},
}
#: How far a node has come, in order; beside these a plan may use words of its own.
NODE_STATUSES = (
    "idea",
    "proposed",
    "approved",
    "concept_design",
    "detailed_design",
    "plan_in_preparation",
    "plan_adopted",
    "procurement",
    "under_construction",
    "under_review",
    "running",
    "done",
    "stopped",
)
#: Addresses of pages, which no node's key may take.
RESERVED_KEYS = frozenset({"versions", "diff", "nodes", "reviews"})
#: Management of an adopted plan, which nobody adopts: the city's files may change these in place.
WORKING_FIELDS = ("organisation", "office", "holder", "status", "note", "source", "facts")

_LONGEST = {
    "title": 500,
    "text": 20_000,
    "note": 5_000,
    "source": 2_000,
    "facts": 2_000,
    "number": 50,
    "horizon": 50,
    "status": 50,
}
_LANGUAGE = re.compile(r"^[a-z]{2,3}$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
CODE = re.compile(r"^[a-z0-9_.-]*$")


def plain(text: str) -> str:
    """The text without control characters (databases refuse some), with one kind of line end, trimmed."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def cleaned(
    fields: Mapping[str, Any],
    *,
    node: str,
    levels: Iterable[str],
    offices: Iterable[str],
    facts: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The fields in their stored form; raises Invalid with all mistakes. `facts` gives the types of the plan's facts by
    key; without it they are not looked at more closely."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []

    def wrong(name: str, what: str, allowed: str = "") -> None:
        problems.append(Problem(what, f"{node} {name}", allowed))

    for name, value in fields.items():
        if name not in FIELDS:
            wrong(name, _("A node has no such field."), ", ".join(FIELDS))
        elif name in ("title", "text"):
            found[name] = texts(name, value, wrong)
        elif name == "facts":
            found[name] = _facts(value, facts, wrong)
        elif name == "order":
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 1_000_000:
                wrong(name, _("“%(value)s” is no place in an order.") % {"value": value}, _("a whole number"))
            else:
                found[name] = value
        elif name == "strategic":
            if not isinstance(value, bool):
                wrong(name, _("“%(value)s” is neither yes nor no.") % {"value": value}, "true, false")
            found[name] = value
        elif not isinstance(value, str):
            wrong(name, _("“%(value)s” is not a text.") % {"value": value})
        else:
            found[name] = plain(value)
            if len(found[name]) > _LONGEST.get(name, 100):
                wrong(
                    name,
                    _("The text has %(count)s characters.") % {"count": len(found[name])},
                    _("at most %(count)s characters") % {"count": _LONGEST.get(name, 100)},
                )
    known_levels, known_offices = list(levels), set(offices)
    if found.get("level") and known_levels and found["level"] not in known_levels:
        wrong("level", _("The plan has no level “%(level)s”.") % {"level": found["level"]}, ", ".join(known_levels))
    if found.get("office") and found["office"] not in known_offices:
        wrong(
            "office",
            _("There is no office “%(office)s”.") % {"office": found["office"]},
            ", ".join(sorted(known_offices)),
        )
    if "status" in found and not CODE.match(found["status"]):
        wrong("status", _("“%(status)s” is not a status.") % {"status": found["status"]}, ", ".join(NODE_STATUSES))
    if "title" in fields and not found.get("title") and not any(p.where.endswith(" title") for p in problems):
        wrong("title", _("A node needs a title in at least one language."))
    if problems:
        raise invalid(problems, _("The node %(node)s cannot be saved like this.") % {"node": node})
    return found


def texts(name: str, value: Any, wrong: Any) -> dict[str, str]:
    """A text by language, cleaned; `wrong` is called with name, words and what is allowed."""
    if not isinstance(value, Mapping) or not all(isinstance(t, str) and isinstance(k, str) for k, t in value.items()):
        wrong(name, _("“%(value)s” is not a text by language.") % {"value": value}, '{"sl": "…", "en": "…"}')
        return {}
    found = {}
    for language, text in value.items():
        if not _LANGUAGE.match(language):
            wrong(name, _("“%(language)s” is not a language.") % {"language": language}, _("a code such as sl, it, en"))
        elif clean := plain(text):
            found[language] = clean
            if len(clean) > _LONGEST[name]:
                wrong(
                    name,
                    _("The text in %(language)s has %(count)s characters.")
                    % {"language": language, "count": len(clean)},
                    _("at most %(count)s characters") % {"count": _LONGEST[name]},
                )
    return found


def _facts(value: Any, types: Mapping[str, str] | None, wrong: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(t, str) and isinstance(k, str) for k, t in value.items()):
        wrong("facts", _("“%(value)s” is not a list of facts.") % {"value": value}, '{"digital": "yes"}')
        return {}
    found = {}
    for key, text in value.items():
        clean = plain(text)
        where = f"facts.{key}"
        if not CODE.match(key) or (types is not None and key not in types):
            wrong(where, _("The plan knows no fact “%(fact)s”.") % {"fact": key}, ", ".join(types or ()))
        elif types is not None and types[key] == "yes_no" and clean not in ("", "yes", "no"):
            wrong(where, _("“%(value)s” is neither yes nor no.") % {"value": clean}, "yes, no")
        elif len(clean) > _LONGEST["facts"]:
            wrong(where, _("The text has %(count)s characters.") % {"count": len(clean)}, str(_LONGEST["facts"]))
        elif clean:
            found[key] = clean
    return found
