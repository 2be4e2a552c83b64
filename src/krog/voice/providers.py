"""What voice provides to others: the calls that a city declares in its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.voice import models, verbs


class CallFile(msgspec.Struct, forbid_unknown_fields=True):
    """`opens` and `closes` are days; the last day counts. Empty: no such limit."""

    key: str
    title: dict[str, str] = {}
    text: dict[str, str] = {}
    plan: str = ""
    opens: str = ""
    closes: str = ""
    dataset: str = ""


def _read() -> Mapping[str, Fields]:
    return {
        row.key: {
            "title": row.title,
            "text": row.text,
            "plan": row.plan,
            "dataset": row.dataset,
            "opens": row.opens.isoformat() if row.opens else "",
            "closes": row.closes.isoformat() if row.closes else "",
        }
        for row in models.Call.objects.filter(retired=False)
    }


def _write(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_calls(by, changes=changes)


def _check(fields: Fields) -> Sequence[str]:
    wrong = [f"A call needs its {name}." for name in ("title", "dataset") if not fields.get(name)]
    days = []
    for name in ("opens", "closes"):
        if text := fields.get(name):
            try:
                days.append(date.fromisoformat(text))
                if days[-1].isoformat() != text:
                    raise ValueError(text)
            except ValueError:
                wrong.append(f"{name} {text!r} is not a day such as 2026-11-30.")
    if len(days) == 2 and not wrong and days[1] < days[0]:
        wrong.append("closes before it opens.")
    return wrong


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "call", "voice.toml", CallFile, _read, _write, refs={"plan": "plan", "dataset": "dataset"}, check=_check
    ),
)
