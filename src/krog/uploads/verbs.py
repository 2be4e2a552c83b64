"""Writes of uploads: brought, accepted in one transaction, undone as one, dropped; forgotten when they expire."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid
from krog.base.grant import Grant, Reader
from krog.base.settings import settings
from krog.catalogue import door
from krog.tables.reading import Read, Row, understood
from krog.uploads import models, reads, shapes
from krog.uploads.kinds import KINDS

#: Days that a waiting upload, and what undoing needs, are kept.
KEPT_DAYS = 30
_ENDINGS = (".rows", ".difference", ".done")


def bring(
    by: Reader, *, kind: str, target: str, data: bytes, file_name: str, language: str
) -> tuple[shapes.Upload | None, Read]:
    """Reads a file and keeps what it says for its person; nothing of the city changes. Without an upload where the
    file has mistakes. Raises `opening.Refused` where it is not read at all."""
    if by.kind != "account":
        raise Forbidden(_("Tables are brought by people who are signed in."))
    about = KINDS[kind]
    about.require(by, target)
    columns = about.columns(by, target, language)
    found = understood(data, columns, language, settings().timezone, key=about.key, needed=about.needed)
    if about.tidy is not None:
        found.rows = [Row(r.line, about.tidy(by, target, dict(r.values)), r.mark) for r in found.rows]
    if found.mistakes:
        return None, found
    row = models.Upload(
        key=secrets.token_urlsafe(18), kind=kind, target=target, by=by.id, by_name=by.name, language=language,
        file_name=file_name[:200], size=len(data), created=times.now(), expires=times.now() + KEPT_DAYS * times.DAY,
    )  # fmt: skip
    (reads.folder() / f"{row.key}.rows").write_bytes(msgspec.json.encode(found))
    row.save()
    return reads.of_row(row), found


def accept(by: Reader, *, upload: str, lines: Collection[int] | None, removed: Collection[str], reason: str) -> int:
    """Makes the changes of these lines of the file (None: all that are offered) and takes out the rows with these
    keys, as the difference was last shown; returns how many rows changed. Conflict where one has moved on since."""
    with transaction.atomic():
        row = _waiting(by, upload, "waiting")
        found = reads.of_row(row)
        KINDS[found.kind].require(by, found.target)
        take = [
            c for c in reads.shown(found).changes
            if (c.key in removed if c.kind == "removed" else c.offered if lines is None else c.line in lines)
        ]  # fmt: skip
        if not take:
            raise Invalid(_("Nothing is chosen."), "rows", todo=_("Tick the rows that are to change."))
        done = KINDS[found.kind].accept(by, found.target, take, reason)
        row.state, row.done, row.reason = "accepted", times.now(), reason.strip()[:1000]
        row.counts = {kind: sum(c.kind == kind for c in take) for kind in ("added", "changed", "conflict", "removed")}
        row.expires = times.now() + KEPT_DAYS * times.DAY
        row.save()
        (reads.folder() / f"{row.key}.done").write_text(json.dumps(done, ensure_ascii=False), "utf-8")
    return len(take)


def undo(by: Reader, *, upload: str, reason: str = "") -> int:
    """Takes the whole upload back; Conflict with names where somebody has changed something since."""
    with transaction.atomic():
        row = _waiting(by, upload, "accepted")
        found = reads.of_row(row)
        about = KINDS[found.kind]
        about.require(by, found.target)
        words = reason.strip() or _("the upload %(name)s was undone") % {"name": found.file_name}
        count = about.undo(by, found.target, reads.undone_by(found), words)
        row.state, row.done = "undone", times.now()
        row.save()
    return count


def drop(by: Reader, *, upload: str) -> None:
    """Throws a waiting upload away."""
    with transaction.atomic():
        row = _waiting(by, upload, "waiting")
        row.state = "dropped"
        row.save()
    _forget(row.key)


def expire(now: int | None = None) -> int:
    """Forgets the files of uploads whose time is over; returns how many. Called by the work process."""
    rows = list(models.Upload.objects.filter(expires__lt=now or times.now()))
    for row in rows:
        _forget(row.key)
    models.Upload.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _forget(key: str) -> None:
    for ending in _ENDINGS:
        (reads.folder() / f"{key}{ending}").unlink(missing_ok=True)


def _grant(by: Reader) -> Grant:
    return door.open(by, "desk", datasets=[])


def _waiting(by: Reader, upload: str, state: str) -> models.Upload:
    reads.upload(_grant(by), upload)
    row = models.Upload.objects.select_for_update().get(key=upload)
    if row.state != state:
        raise Conflict(
            _("This upload is no longer %(state)s.") % {"state": state}, "upload", todo=_("Load the page again.")
        )
    return row
