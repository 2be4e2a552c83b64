"""What people provides to others: the kinds that a city declares in its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from django.db import models as db

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.people import models, verbs
from krog.people.permissions import ROLES

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


def _read(model: type[db.Model], shape: type[msgspec.Struct], **kept: Any) -> Mapping[str, Fields]:
    names = [name for name in shape.__struct_fields__ if name != "key"]
    rows = model._default_manager.filter(**kept).values("key", *names)
    return {row.pop("key"): row for row in rows}


def _write(model: type[db.Model], noun: str, retired: str) -> Callable[[Reader, Sequence[Change]], None]:
    def write(by: Reader, changes: Sequence[Change]) -> None:
        verbs.declare(by, model=model, noun=noun, changes=changes, retired=retired)

    return write


def _check_office(fields: Fields) -> Sequence[str]:
    centre = fields.get("centre")
    return [f"centre {centre!r} is not one of {', '.join(CENTRES)}"] if centre and centre not in CENTRES else []


def _check_account(fields: Fields) -> Sequence[str]:
    wrong = sorted(set(fields.get("roles") or []) - set(ROLES))
    return [f"there is no role {', '.join(wrong)}; roles are {', '.join(ROLES)}"] if wrong else []


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
        refs={"organisation": "organisation"},
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
    ),
)
