"""Writes of people: what a city declares in files, and passwords."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models as db
from django.db import transaction
from django.utils.translation import gettext as _

from krog.base.declaration import Change
from krog.base.errors import Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal import declaring
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
    with transaction.atomic():
        declaring.declare(
            by,
            model,
            changes,
            verb=f"people.declare-{noun}",
            noun=noun,
            retired=(retired, off),
            prepare=_without_access,
        )
        absences.forget()


def _without_access(row: db.Model) -> None:
    """Nobody acts any more for an account that was taken out of the files."""
    if isinstance(row, models.Account) and not row.is_active:
        end_access(row)


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
