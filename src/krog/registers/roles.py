"""Roles of registers: what every city keeps, so that code finds it without knowing the city."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from krog.base.errors import Problem
from krog.people.providers import CENTRES


@dataclass(frozen=True)
class Needed:
    """A field that a role needs: its types, and the choices that code asks for (a city may have more)."""

    types: Sequence[str] = ("text",)
    choices: Sequence[str] = field(default=())


_CHOICE = ("choice",)

#: Role → the fields that its register must declare. A register may have others besides.
ROLES: Mapping[str, Mapping[str, Needed]] = {
    # IT solutions and services: what the city offers, which centre looks after it, who runs it, how its data come out.
    "services": {
        "title": Needed(),
        "description": Needed(),
        "area": Needed(_CHOICE),
        "life_situation": Needed(_CHOICE),
        "centre": Needed(_CHOICE, CENTRES),
        "status": Needed(_CHOICE, ("existing", "proposed", "elsewhere")),
        "owner": Needed(),
        "supplier": Needed(),
        "contract_end": Needed(("date",)),
        "users": Needed(),
        "personal_data": Needed(("boolean",)),
        "data_out": Needed(),
        "address": Needed(("url",)),
        "alive": Needed(_CHOICE, ("yes", "no", "unknown")),
        "source": Needed(),
        "note": Needed(),
    },
    # Systems that the strategies ask for, and what of Krog serves each.
    "systems": {
        "number": Needed(),
        "name": Needed(),
        "kind": Needed(_CHOICE),
        "state": Needed(_CHOICE),
        "source": Needed(),
        "served_by": Needed(_CHOICE, ("page", "solution", "api", "not_yet")),
        "where": Needed(),
        "note": Needed(),
    },
    # What data each centre of the city gathers, and from whom. `centre` holds the key of the centre.
    "centre-links": {
        "title": Needed(),
        "centre": Needed(_CHOICE, CENTRES),
        "from_whom": Needed(),
        "how": Needed(_CHOICE, ("dataset", "api", "not_yet")),
        "source": Needed(),
        "note": Needed(),
    },
}


def problems(role: str, declared: Any) -> list[Problem]:
    """Every field that a register of this role lacks, or declares otherwise than needed."""
    if not role:
        return []
    if role not in ROLES:
        return [Problem(f"There is no role {role!r}.", "role", ", ".join(ROLES))]
    found = []
    fields = declared if isinstance(declared, Mapping) else {}
    for name, needed in ROLES[role].items():
        about = fields.get(name)
        where = f"fields.{name}"
        if not isinstance(about, Mapping):
            found.append(Problem(f"role {role} needs the field {name}.", "role", " or ".join(needed.types)))
        elif about.get("type", "text") not in needed.types:
            what = f"The role {role} needs another type than {about.get('type', 'text')!r}."
            found.append(Problem(what, f"{where}.type", " or ".join(needed.types)))
        elif missing := [choice for choice in needed.choices if choice not in (about.get("choices") or ())]:
            what = f"The role {role} needs the choices {', '.join(missing)}."
            found.append(Problem(what, f"{where}.choices", ", ".join(needed.choices)))
    return found
