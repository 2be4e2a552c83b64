"""What a city declares of cases in its files: types and protocols."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models as db

from krog.base.declaration import Change
from krog.base.grant import Reader
from krog.cases import models
from krog.journal import declaring
from krog.people.permissions import require


def _declare(by: Reader, model: type[db.Model], noun: str, changes: Sequence[Change]) -> None:
    require(by, "administrator", what=f"declare {noun}")
    declaring.declare(by, model, changes, verb=f"cases.declare-{noun}", noun=noun)


def declare_case_types(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires types of cases."""
    _declare(by, models.CaseType, "case_type", changes)


def declare_protocols(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires protocols. Cases keep the ticks of steps by their number."""
    _declare(by, models.Protocol, "protocol", changes)
