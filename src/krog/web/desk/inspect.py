"""Any record of any noun as it is stored, read-only, for digital officers and administrators."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from krog.base.errors import Forbidden, NotFound
from krog.base.ids import Ref
from krog.catalogue import access_log
from krog.journal import reads as journal
from krog.web.components.paging import offset_of
from krog.web.request import Request
from krog.web.settings import NOUNS

#: Columns that are never shown, to nobody.
HIDDEN = {"password", "digest", "salt", "secret", "recovery"}

#: Columns by which one could act for somebody else: signed links in mails, the address that only a reporter knows.
KEYS = {"journal.mail": {"text", "html", "reply_token"}, "cases.case": {"code"}}

#: Rows on a page.
SIZE = 50


def _models() -> dict[str, type]:
    found = [
        *(m for noun in NOUNS for m in apps.get_app_config(noun).get_models()),
        *apps.get_app_config("journal").get_models(),
    ]
    return {m._meta.label_lower: m for m in found}


def _require(request: Request, what: str) -> None:
    reader = request.reader
    if not reader.roles & {"digital_officer", "administrator"}:
        raise Forbidden(_("Records are inspected by digital officers and administrators."))
    access_log.note(reader, "desk", [f"inspect:{what}"])


def tables(request: Request) -> HttpResponse:
    """All tables with their number of rows, and the newest entries of the journal."""
    _require(request, "tables")
    rows = [(name, model._default_manager.count()) for name, model in sorted(_models().items())]  # type: ignore[attr-defined]
    return render(request, "desk/inspect/tables.html", {"tables": rows, "entries": journal.recent(20)})


def _one(model: Any, pk: str) -> Any:
    """The row with this key, or None; some keys are numbers, and an address may say anything."""
    try:
        return model._default_manager.filter(pk=pk).first()
    except (ValueError, OverflowError):
        return None


def rows(request: Request, table: str) -> HttpResponse:
    """The rows of one table, newest first."""
    model = _models().get(table)
    if model is None:
        raise NotFound(f"There is no table {table!r}.", "table", ", ".join(sorted(_models())))
    _require(request, table)
    offset = offset_of(request)
    total = model._default_manager.count()  # type: ignore[attr-defined]
    shown = list(model._default_manager.order_by("-pk")[offset : offset + SIZE])  # type: ignore[attr-defined]
    page = {
        "first": offset + 1,
        "last": offset + len(shown),
        "total": total,
        "previous": f"?offset={max(0, offset - SIZE)}" if offset else "",
        "next": f"?offset={offset + SIZE}" if offset + SIZE < total else "",
    }
    return render(request, "desk/inspect/rows.html", {"table": table, "rows": shown, "page": page})


def row(request: Request, table: str, pk: str) -> HttpResponse:
    """One row with every field, and its history where it has one."""
    model = _models().get(table)
    found = _one(model, pk) if model else None
    if model is None or found is None:
        raise NotFound(f"There is no {table} {pk}.", "row")
    _require(request, f"{table}/{pk}")
    fields = {n: v for n, v in model_to_dict(found).items() if n not in HIDDEN | KEYS.get(table, set())}
    key = getattr(found, "key", "")
    entries = journal.history(Ref(model._meta.model_name, key)) if key else []  # type: ignore[attr-defined]
    return render(
        request, "desk/inspect/row.html", {"table": table, "row": found, "fields": fields, "entries": entries}
    )


urlpatterns = [
    path("inspect/", tables, name="desk-inspect"),
    path("inspect/<str:table>/", rows, name="desk-inspect-rows"),
    path("inspect/<str:table>/<str:pk>/", row, name="desk-inspect-row"),
]
