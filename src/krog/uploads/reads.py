"""Reads of uploads: each person's own, and what a waiting one would change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.tables.comparing import Difference, compared
from krog.tables.reading import Read
from krog.uploads import models, shapes
from krog.uploads.kinds import KINDS

FOLDER = "uploads"


def folder() -> Path:
    """Where the files of uploads lie."""
    found = settings().path("files") / FOLDER
    found.mkdir(parents=True, exist_ok=True)
    return found


def of_row(row: models.Upload) -> shapes.Upload:
    """The frozen value of a row."""
    names = [f for f in shapes.Upload.__dataclass_fields__]
    return shapes.Upload(**{name: getattr(row, name) for name in names})


def mine(grant: Grant, kind: str, target: str, limit: int = 20) -> list[shapes.Upload]:
    """The newest uploads of the reader for a target."""
    rows = models.Upload.objects.filter(by=grant.reader.id, kind=kind, target=target).exclude(state="dropped")
    return [of_row(row) for row in rows.order_by("-created")[:limit]] if grant.reader.kind == "account" else []


def upload(grant: Grant, key: str) -> shapes.Upload:
    """One upload of the reader; NotFound for everybody else's."""
    row = models.Upload.objects.filter(key=key, by=grant.reader.id).first() if "\x00" not in key else None
    if row is None or grant.reader.kind != "account":
        raise NotFound(_("There is no such upload."), "upload", todo=_("Bring the file again."))
    return of_row(row)


def content(found: shapes.Upload) -> Read:
    """What the file says, as it was read when it came."""
    try:
        data = (folder() / f"{found.key}.rows").read_bytes()
    except FileNotFoundError:
        raise NotFound(_("This file is not kept any more."), "upload", todo=_("Bring the file again.")) from None
    return msgspec.json.decode(data, type=Read)


def difference(grant: Grant, found: shapes.Upload) -> Difference:
    """What the upload would change now. Kept beside the file while nothing of the target moves."""
    kind = KINDS[found.kind]
    by = grant.reader
    kind.require(by, found.target)
    mark = kind.mark(by, found.target)
    kept = folder() / f"{found.key}.difference"
    try:
        seen, _newline, data = kept.read_bytes().partition(b"\n")
        if seen.decode() == mark:
            return msgspec.json.decode(data, type=Difference)
    except FileNotFoundError:
        pass
    columns = kind.columns(by, found.target, found.language)
    result = compared(content(found), kind.current(by, found.target), columns, key=kind.key)
    if not kind.removes:
        result = Difference(
            tuple(c for c in result.changes if c.kind != "removed"), result.same, result.kept
        )  # fmt: skip
    kept.write_bytes(mark.encode() + b"\n" + msgspec.json.encode(result))
    return result


def shown(found: shapes.Upload) -> Difference:
    """The difference as its person saw it last: what is accepted is this, and each row must still be as it was."""
    try:
        return msgspec.json.decode(
            (folder() / f"{found.key}.difference").read_bytes().partition(b"\n")[2], type=Difference
        )
    except FileNotFoundError:
        raise NotFound(_("Look at the difference first."), "upload") from None


def undone_by(found: shapes.Upload) -> list[dict[str, Any]]:
    """What undoing needs."""
    try:
        return list(json.loads((folder() / f"{found.key}.done").read_text("utf-8")))
    except FileNotFoundError:
        raise NotFound(_("What stood before is not kept any more."), "upload") from None
