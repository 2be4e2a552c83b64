"""What the catalogue provides to others: the kind `dataset` of a city's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.catalogue import models, verbs
from krog.catalogue.policy import LEVELS
from krog.people.permissions import ROLES

NOUNS = ("people", "catalogue", "streams", "registers", "indicators", "plans", "rules", "cases", "voice")


class DatasetFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    noun: str = ""
    organisation: str = ""
    office: str = ""
    steward: str = ""
    licence: str = ""
    access: str = "official"
    roles: list[str] = []
    personal: bool = False
    frequency: str = ""
    source: str = ""
    doubts: list[dict[str, str]] = []
    fields: dict[str, dict[str, Any]] = {}
    public_rows: dict[str, Any] = {}


def _read() -> Mapping[str, Fields]:
    names = [name for name in DatasetFile.__struct_fields__ if name != "key"]
    return {row.pop("key"): row for row in models.Dataset.objects.filter(retired=False).values("key", *names)}


def _write(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_datasets(by, changes=changes)


def _check(fields: Fields) -> Sequence[str]:
    found = []
    if fields.get("access", "official") not in LEVELS:
        found.append(f"access {fields['access']!r} is not one of {', '.join(LEVELS)}")
    if fields.get("noun") not in NOUNS:
        found.append(f"noun {fields.get('noun')!r} is not one of {', '.join(NOUNS)}")
    if wrong := sorted(set(fields.get("roles") or []) - set(ROLES)):
        found.append(f"there is no role {', '.join(wrong)}; roles are {', '.join(ROLES)}")
    for name, about in (fields.get("fields") or {}).items():
        if about.get("access", "public") not in LEVELS:
            found.append(f"fields.{name}.access {about['access']!r} is not one of {', '.join(LEVELS)}")
    rule = fields.get("public_rows") or {}
    if rule and (set(rule) - {"op"} != {"field", "value"} or rule.get("op", "=") not in ("=", "!=", "in")):
        found.append("public_rows is { field = …, op = one of = != in, value = … }")
    return found


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "dataset",
        "datasets.toml",
        DatasetFile,
        _read,
        _write,
        refs={"organisation": "organisation", "office": "office", "steward": "account"},
        check=_check,
    ),
)
