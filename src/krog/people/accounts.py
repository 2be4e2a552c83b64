"""Accounts opened, changed, closed and opened again; who is closed loses every way in at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound, Problem, invalid
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.journal import verbs as journal
from krog.people import models, shapes
from krog.people.permissions import ROLES, may, require

KEY = re.compile(r"^[a-z0-9][a-z0-9._-]{0,99}$")
#: Roles that a person may have.
GIVEN = tuple(role for role in ROLES if role not in ("anonymous", "sensor", "system"))


def _row(key: str) -> models.Account:
    row = models.Account.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no account “%(key)s”.") % {"key": key}, "account")
    return row


def end_access(row: models.Account) -> None:
    """Sets a row, still to be saved, so that nobody acts for it any more: sessions, links in mails, sign-in."""
    row.is_active, row.epoch, row.closed = False, row.epoch + 1, times.now()


def close(by: Reader, *, account: str, keys: str = "keep", reason: str = "") -> None:
    """Ends everything that a person can do here, at once: sign-in, sessions, links in mails. `keys` says whether API
    keys that the person made `keep` working or `end`. Administrators only, and never for oneself."""
    require(by, "administrator", what="close an account")
    if keys not in ("keep", "end"):
        raise Invalid(_("Say what becomes of the keys."), "keys", "keep, end")
    with transaction.atomic():
        row = _row(account)
        if by.kind == "account" and by.id == row.pk:
            raise Forbidden(_("Nobody closes the own account."), todo=_("Ask another administrator."))
        if not row.is_active:
            raise Conflict(_("The account “%(key)s” is closed already.") % {"key": account}, "account")
        end_access(row)
        row.save(update_fields=["is_active", "epoch", "closed"])
        ended = []
        if keys == "end":
            for key in models.ApiKey.objects.select_for_update().filter(maker=account, revoked=None):
                key.revoked = times.now()
                key.save(update_fields=["revoked"])
                journal.record(by, "people.revoke-key", Ref("key", key.key), after={"revoked": key.revoked})
                ended.append(key.key)
        after = {"is_active": False, "keys": ended}
        before = {"is_active": True}
        journal.record(by, "people.close-account", Ref("account", account), before=before, after=after, reason=reason)


def reopen(by: Reader, *, account: str, reason: str = "") -> None:
    """Lets a closed account sign in again; sessions and links from before stay ended."""
    require(by, "administrator", what="open an account again")
    with transaction.atomic():
        row = _row(account)
        if row.is_active:
            raise Conflict(_("The account “%(key)s” is open.") % {"key": account}, "account")
        row.is_active = True
        row.save(update_fields=["is_active"])
        journal.record(
            by,
            "people.reopen-account",
            Ref("account", account),
            before={"is_active": False},
            after={"is_active": True},
            reason=reason,
        )


def end_sessions(by: Reader, *, account: str, reason: str = "") -> None:
    """Signs an account out everywhere: one's own, or as administrator anybody's."""
    with transaction.atomic():
        row = _row(account)
        if by.kind != "account" or by.id != row.pk:
            require(by, "administrator", what="end another person's sessions")
        row.epoch += 1
        row.save(update_fields=["epoch"])
        journal.record(by, "people.end-sessions", Ref("account", account), reason=reason)


def _checked(
    key: str, name: str, email: str, organisation: str, roles: Sequence[str], offices: Sequence[str], language: str
) -> None:
    problems = []
    if not KEY.match(key):
        problems.append(
            Problem(_("This is no name to sign in with."), "key", _("small letters without marks, digits, . _ -"))
        )
    if not name or len(name) > 200:
        problems.append(Problem(_("The name is missing or too long."), "name"))
    try:
        if email:
            validate_email(email)
        if len(email) > 254:
            raise ValidationError("")
    except ValidationError:
        problems.append(Problem(_("This is not an e-mail address."), "email", "name@example.org"))
    if wrong := sorted(set(roles) - set(GIVEN)):
        problems.append(Problem(f"There is no role {', '.join(wrong)} for people.", "roles", ", ".join(GIVEN)))
    if not re.fullmatch(r"[a-z]{2}", language):
        problems.append(Problem("There is no such language.", "language"))
    if organisation and not models.Organisation.objects.filter(key=organisation).exists():
        problems.append(Problem(f"There is no organisation {organisation!r}.", "organisation"))
    known = set(models.Office.objects.filter(key__in=list(offices), retired=False).values_list("key", flat=True))
    if wrong := sorted(set(offices) - known):
        problems.append(Problem(f"There is no office {', '.join(wrong)}.", "offices"))
    if any("\x00" in each for each in (key, name, email)):
        problems.append(Problem("The text holds a character that cannot be kept.", "name"))
    if problems:
        raise invalid(problems, _("The account cannot be like this."))


def create(
    by: Reader,
    *,
    key: str,
    name: str,
    email: str = "",
    organisation: str = "",
    roles: Sequence[str] = (),
    offices: Sequence[str] = (),
    language: str = "sl",
) -> None:
    """Opens an account without a password: the person signs in through the organisation, or gets a first password."""
    require(by, "administrator", what="open an account")
    key, name, email = key.strip().lower(), " ".join(name.split()), email.strip().lower()
    _checked(key, name, email, organisation, roles, offices, language)
    about: dict[str, Any] = {
        "name": name, "email": email, "organisation": organisation, "roles": sorted(set(roles)),
        "offices": sorted(set(offices)), "language": language,
    }  # fmt: skip
    try:
        with transaction.atomic():
            row = models.Account(key=key, **about)
            row.set_unusable_password()
            row.save(force_insert=True)
            journal.record(by, "people.create-account", Ref("account", key), after=about)
    except IntegrityError:
        raise Conflict(_("There is an account “%(key)s” already.") % {"key": key}, "key") from None


def change(
    by: Reader,
    *,
    account: str,
    name: str,
    email: str,
    organisation: str,
    roles: Sequence[str],
    offices: Sequence[str],
    language: str,
    reason: str = "",
) -> None:
    """Changes who an account is and what it may do; administrators only. Nobody takes the role of administrator from
    the last one, who is oneself."""
    require(by, "administrator", what="change an account")
    name, email = " ".join(name.split()), email.strip().lower()
    _checked(account, name, email, organisation, roles, offices, language)
    new: dict[str, Any] = {
        "name": name, "email": email, "organisation": organisation, "roles": sorted(set(roles)),
        "offices": sorted(set(offices)), "language": language,
    }  # fmt: skip
    with transaction.atomic():
        row = _row(account)
        if by.kind == "account" and by.id == row.pk and "administrator" not in roles:
            raise Forbidden(_("Nobody takes the own role of administrator."), todo=_("Ask another administrator."))
        before = {name: getattr(row, name) for name in new}
        before |= {"roles": sorted(row.roles), "offices": sorted(row.offices)}
        moved = {field for field, value in new.items() if before[field] != value}
        if not moved:
            return
        for field in moved:
            setattr(row, field, new[field])
        row.save(update_fields=sorted(moved))
        journal.record(
            by,
            "people.change-account",
            Ref("account", account),
            before={field: before[field] for field in sorted(moved)},
            after={field: new[field] for field in sorted(moved)},
            reason=reason,
        )


def _listed(row: Any) -> shapes.AccountInfo:
    return shapes.AccountInfo(
        key=row.key,
        id=row.pk,
        name=row.name,
        email=row.email,
        language=row.language,
        organisation=row.organisation,
        roles=tuple(sorted(row.roles)),
        offices=tuple(sorted(row.offices)),
        demo=row.demo,
        active=row.is_active,
        closed=row.closed,
        last_sign_in=times.from_datetime(row.last_login) if row.last_login else None,
        password=row.has_usable_password(),
        second_factor=row.factor is not None,
        organisation_sign_in=row.identities > 0,
    )


def _rows() -> QuerySet[models.Account]:
    from django.db.models import Count, OuterRef, Subquery
    from django.db.models.functions import Coalesce

    factor = models.SecondFactor.objects.filter(account=OuterRef("pk")).values("since")[:1]
    linked = models.Identity.objects.filter(account=OuterRef("pk")).order_by().values("account").annotate(n=Count("*"))
    return models.Account.objects.annotate(
        factor=Subquery(factor), identities=Coalesce(Subquery(linked.values("n")[:1]), 0)
    )


def listing(
    grant: Grant, *, text: str = "", role: str = "", state: str = "open", limit: int = 50, offset: int = 0
) -> tuple[list[shapes.AccountInfo], int]:
    """Accounts by name, and how many there are; for administrators. `state`: open, closed, or "" for all."""
    require(grant.reader, "administrator", what="see accounts")
    rows = _rows()
    if state:
        rows = rows.filter(is_active=state == "open")
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(key__icontains=text) | Q(email__icontains=text))
    if role in ROLES:
        # Roles are a JSON list; both databases keep its words in quotes.
        rows = rows.filter(roles__icontains=f'"{role}"')
    total = rows.count()
    return [_listed(row) for row in rows.order_by("name", "key")[offset : offset + limit]], total


def one(grant: Grant, key: str) -> shapes.AccountInfo:
    """One account, also a closed one; for administrators and the person."""
    row = _rows().filter(key=key).first()
    by = grant.reader
    if row is None or not (may(by, "administrator") or (by.kind == "account" and by.id == row.pk)):
        raise NotFound(_("There is no account “%(key)s”.") % {"key": key}, "account")
    return _listed(row)


def own(grant: Grant) -> shapes.AccountInfo:
    """The account of the reader."""
    row = _rows().filter(pk=grant.reader.id).first() if grant.reader.kind == "account" else None
    if row is None:
        raise NotFound(_("You are not signed in with an account."), "account")
    return _listed(row)
