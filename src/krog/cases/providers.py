"""What cases provide to others: the kinds `protocol` and `case_type` of a city's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from django.db import models as db

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.cases import models, verbs


class ProtocolFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    steps: list[dict[str, str]] = []


class CaseTypeFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    dataset: str = "cases"
    organisation: str = ""
    office: str = ""
    holder: str = ""
    deadline_hours: int = 72
    escalate_hours: int = 48
    public: bool = False
    citizen: bool = False
    icon: str = ""


def _read(model: type[db.Model], shape: type[msgspec.Struct]) -> Mapping[str, Fields]:
    names = [name for name in shape.__struct_fields__ if name != "key"]
    return {row.pop("key"): row for row in model._default_manager.filter(retired=False).values("key", *names)}


def _write_with(verb: Callable[..., None]) -> Callable[[Reader, Sequence[Change]], None]:
    def write(by: Reader, changes: Sequence[Change]) -> None:
        verb(by, changes=changes)

    return write


def _check_protocol(fields: Fields) -> Sequence[str]:
    found = [] if fields.get("steps") else ["a protocol has at least one step"]
    return found + [
        f"step {n} is a text such as {{ sl = …, en = … }}"
        for n, step in enumerate(fields.get("steps") or (), 1)
        if not any(step.values())
    ]


def _check_type(fields: Fields) -> Sequence[str]:
    found = [] if fields.get("office") else ["a case type needs the office that handles it"]
    if fields.get("deadline_hours", 72) <= 0:
        found.append("deadline_hours is above 0")
    if fields.get("escalate_hours", 48) < 0:
        found.append("escalate_hours is 0 (never) or more")
    return found


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "protocol",
        "cases.toml",
        ProtocolFile,
        partial(_read, models.Protocol, ProtocolFile),
        _write_with(verbs.declare_protocols),
        check=_check_protocol,
    ),
    Declaration(
        "case_type",
        "cases.toml",
        CaseTypeFile,
        partial(_read, models.CaseType, CaseTypeFile),
        _write_with(verbs.declare_case_types),
        refs={"dataset": "dataset", "organisation": "organisation", "office": "office", "holder": "account"},
        check=_check_type,
    ),
)
