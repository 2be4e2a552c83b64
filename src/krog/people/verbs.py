"""Writes of people: what a city declares in files, and passwords."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models as db
from django.db import transaction
from django.utils.translation import gettext as _

from krog.base.declaration import Change
from krog.base.errors import Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal import verbs as journal
from krog.people import absences, models
from krog.people.accounts import end_access
from krog.people.permissions import require


def declare(
    by: Reader, *, model: type[db.Model], noun: str, changes: Sequence[Change], retired: str = "retired"
) -> None:
    """Creates, changes and retires things of one model as declared; `retired` is the field that says so.

    `is_active` as that field is set to False instead. Everything in one transaction, each change in the journal.
    """
    require(by, "administrator", what=f"declare {noun}")
    off = {"retired": True, "is_active": False}[retired]
    manager = model._default_manager
    with transaction.atomic():
        existing: dict[str, Any] = {row.key: row for row in manager.filter(key__in=[c.key for c in changes])}  # type: ignore[attr-defined]
        entries = []
        for change in changes:
            row = existing.get(change.key)
            before = None if row is None else {n: getattr(row, n) for n in (change.fields or {retired: off})}
            if row is None:
                if change.fields is None:
                    continue
                row = model(key=change.key)
            new = {retired: off} if change.fields is None else {**change.fields, retired: not off}
            for name, value in new.items():
                setattr(row, name, value)
            if isinstance(row, models.Account) and change.fields is None:
                end_access(row)
            row.save()
            entries.append((Ref(noun, change.key), before, change.fields))
        journal.record_all(by, f"people.declare-{noun}", entries, reason=changes[0].reason if changes else "")
        absences.forget()


def set_password(by: Reader, *, account: str, password: str) -> None:
    """Sets the password of an account: one's own, or as administrator anybody's. Sessions made before end."""
    row = models.Account.objects.filter(key=account).first()
    if row is None:
        raise NotFound(f"There is no account {account!r}.", "account")
    if by.id != row.pk or by.kind != "account":
        require(by, "administrator", what="set another person's password")
    try:
        validate_password(password, row)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), "password") from None
    with transaction.atomic():
        row.set_password(password)
        row.save(update_fields=["password"])
        journal.record(by, "people.set-password", Ref("account", account))


def want_digest(by: Reader, *, account: str, wanted: bool) -> None:
    """Whether a person gets the digest of each Monday; for the person and administrators."""
    row = models.Account.objects.filter(key=account, is_active=True).first()
    if row is None:
        raise NotFound(_("There is no account “%(key)s”.") % {"key": account}, "account")
    if by.id != row.pk or by.kind != "account":
        require(by, "administrator", what="change another person's mails")
    with transaction.atomic():
        before = {"digest": row.digest}
        row.digest = wanted
        row.save(update_fields=["digest"])
        journal.record(by, "people.want-digest", Ref("account", account), before=before, after={"digest": wanted})
