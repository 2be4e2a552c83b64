"""What people provides to others: the kinds that a city declares in its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import msgspec
from django.db import models as db

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.people import models, verbs
from krog.people.permissions import ROLES
from krog.people.shapes import LEVELS

CENTRES = ("mobility", "environment", "energy", "buildings", "economy", "administration", "living", "control")


class OrganisationFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    kind: str = "institution"
    url: str = ""
    parent: str = ""


class OfficeFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    organisation: str = ""
    email: str = ""
    phone: str = ""
    centre: str = ""
    head: str = ""
    deputy: str = ""


class AccountFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    name: str = ""
    email: str = ""
    language: str = "sl"
    organisation: str = ""
    roles: list[str] = []
    offices: list[str] = []
    demo: bool = False


class TerritoryFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    level: str = "settlement"
    parent: str = ""
    lon: float | None = None
    lat: float | None = None
    outline: dict[str, Any] | None = None
    source: str = ""
    valid_from: str = ""
    valid_to: str = ""


class HierarchyFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}


class TerritoryPartFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    territory: str = ""
    within: str = ""
    hierarchy: str = ""
    valid_from: str = ""
    valid_to: str = ""
    source: str = ""


def _read(model: type[db.Model], shape: type[msgspec.Struct], **kept: Any) -> Mapping[str, Fields]:
    names = [name for name in shape.__struct_fields__ if name != "key"]
    rows = model._default_manager.filter(**kept).values("key", *names)
    return {row.pop("key"): row for row in rows}


def _write(model: type[db.Model], noun: str, retired: str) -> Callable[[Reader, Sequence[Change]], None]:
    def write(by: Reader, changes: Sequence[Change]) -> None:
        verbs.declare(by, model=model, noun=noun, changes=changes, retired=retired)

    return write


def _check_office(fields: Fields) -> Sequence[str]:
    centre, head = fields.get("centre"), fields.get("head")
    found = [f"centre {centre!r} is not one of {', '.join(CENTRES)}"] if centre and centre not in CENTRES else []
    if head and head == fields.get("deputy"):
        found.append("deputy is the head; name somebody else, or nobody")
    return found


def _check_account(fields: Fields) -> Sequence[str]:
    wrong = sorted(set(fields.get("roles") or []) - set(ROLES))
    return [f"there is no role {', '.join(wrong)}; roles are {', '.join(ROLES)}"] if wrong else []


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_days(fields: Fields) -> list[str]:
    since, until = fields.get("valid_from") or "", fields.get("valid_to") or ""
    wrong = [
        f"{name} {text!r} is not a day such as 2026-05-12"
        for name, text in (("valid_from", since), ("valid_to", until))
        if text and not _is_day(text)
    ]
    if not wrong and since and until and until <= since:
        wrong.append("valid_to is the first day on which it no longer holds, after valid_from")
    return wrong


def _check_territory(fields: Fields) -> Sequence[str]:
    level = fields.get("level")
    wrong = [] if level in LEVELS else [f"level {level!r} is not one of {', '.join(LEVELS)}"]
    return wrong + _check_days(fields)


def _check_hierarchy(fields: Fields) -> Sequence[str]:
    return [] if any(fields.get("title", {}).values()) else ["title says what the hierarchy is called"]


def _check_part(fields: Fields) -> Sequence[str]:
    wrong = [
        f"{name} is missing: the key of a {kind}"
        for name, kind in (("territory", "territory"), ("within", "territory"), ("hierarchy", "hierarchy"))
        if not fields.get(name)
    ]
    if not wrong and fields["territory"] == fields["within"]:
        wrong.append("within is the territory itself")
    return wrong + _check_days(fields)


def _check_part_among(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    """A hierarchy goes up only: nothing lies within its own parts, on whatever days each holds."""
    territory, hierarchy = fields["territory"], fields["hierarchy"]
    parts = [each for each in things.get("territory_part", {}).values() if each["hierarchy"] == hierarchy]
    if not any(each["within"] == territory for each in parts):
        return []
    above: dict[str, list[str]] = {}
    for each in parts:
        above.setdefault(each["territory"], []).append(each["within"])
    ways, seen = [[territory, fields["within"]]], {fields["within"]}
    while ways:
        way = ways.pop()
        if way[-1] == territory:
            return [f"within: {' → '.join(way)} goes in a circle in the hierarchy {hierarchy}"]
        for higher in above.get(way[-1], ()):
            if higher not in seen:
                seen.add(higher)
                ways.append([*way, higher])
    return []


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "organisation",
        "people.toml",
        OrganisationFile,
        partial(_read, models.Organisation, OrganisationFile, retired=False),
        _write(models.Organisation, "organisation", "retired"),
        refs={"parent": "organisation"},
    ),
    Declaration(
        "office",
        "people.toml",
        OfficeFile,
        partial(_read, models.Office, OfficeFile, retired=False),
        _write(models.Office, "office", "retired"),
        refs={"organisation": "organisation", "head": "account", "deputy": "account"},
        check=_check_office,
    ),
    Declaration(
        "account",
        "people.toml",
        AccountFile,
        partial(_read, models.Account, AccountFile, is_active=True),
        _write(models.Account, "account", "is_active"),
        refs={"organisation": "organisation", "offices": "office"},
        check=_check_account,
    ),
    Declaration(
        "territory",
        "territories.toml",
        TerritoryFile,
        partial(_read, models.Territory, TerritoryFile, retired=False),
        _write(models.Territory, "territory", "retired"),
        refs={"parent": "territory"},
        check=_check_territory,
        quoted=True,
    ),
    Declaration(
        "hierarchy",
        "territories.toml",
        HierarchyFile,
        partial(_read, models.Hierarchy, HierarchyFile, retired=False),
        _write(models.Hierarchy, "hierarchy", "retired"),
        check=_check_hierarchy,
    ),
    Declaration(
        "territory_part",
        "territories/parts.csv",
        TerritoryPartFile,
        partial(_read, models.TerritoryPart, TerritoryPartFile, retired=False),
        _write(models.TerritoryPart, "territory_part", "retired"),
        refs={"territory": "territory", "within": "territory", "hierarchy": "hierarchy"},
        check=_check_part,
        key="{territory}--{hierarchy}--{within}",
        check_among=_check_part_among,
    ),
)
