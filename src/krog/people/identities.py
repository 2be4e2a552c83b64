"""Which account a person of the organisation's sign-in is: linked once, by verified e-mail or by hand."""

from __future__ import annotations

import re
import unicodedata

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Forbidden, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.journal import verbs as journal
from krog.people import models
from krog.people.identity import reader_of
from krog.people.oidc import Claims
from krog.people.permissions import require


def account_of(claims: Claims) -> models.Account:
    """The open account of a person, linked now if the settings allow it; Forbidden with what to do otherwise."""
    known = (
        models.Identity.objects.filter(issuer=claims.issuer, subject=claims.subject).select_related("account").first()
    )
    if known is not None:
        return _open(known.account)
    how = settings().oidc_match
    if how == "linked":
        raise Forbidden(
            _("Nobody has linked this sign-in with an account yet."),
            todo=_("Sign in with your password and link it on the page My account, or ask your administrator."),
        )
    if not claims.email or not (claims.verified or how == "email-trusted"):
        raise Forbidden(
            _("Your organisation does not vouch for your e-mail address, so that no account can be found by it."),
            todo=_("Ask your administrator."),
        )
    found = list(models.Account.objects.filter(email__iexact=claims.email).order_by("-is_active", "pk")[:2])
    active = [row for row in found if row.is_active]
    if len(active) > 1:
        raise Forbidden(
            _("More than one account has the e-mail address %(email)s.") % {"email": claims.email},
            todo=_("Ask your administrator."),
        )
    if not found and settings().oidc_create:
        return _create(claims)
    if not found:
        raise Forbidden(
            _("There is no account for %(email)s.") % {"email": claims.email},
            todo=_("Ask your administrator to open one."),
        )
    row = _open((active or found)[0])
    link(row, claims)
    return row


def _open(row: models.Account) -> models.Account:
    if not row.is_active:
        raise Forbidden(_("Your account is closed."), todo=_("Ask your administrator if this is a mistake."))
    return row


def link(row: models.Account, claims: Claims) -> None:
    """Links an account with a person of the organisation, once; Forbidden where either is linked with another."""
    try:
        with transaction.atomic():
            models.Identity.objects.create(
                issuer=claims.issuer, subject=claims.subject, account=row, linked=times.now()
            )
            after = {"issuer": claims.issuer}
            journal.record(reader_of(row), "people.link-identity", Ref("account", row.key), after=after)
    except IntegrityError:
        raise Forbidden(
            _("This account is linked with another person of your organisation."),
            todo=_("Ask your administrator to undo the link."),
        ) from None


def link_own(by: Reader, claims: Claims) -> None:
    """Links the account that acts with a person of the organisation."""
    row = models.Account.objects.filter(pk=by.id, is_active=True).first() if by.kind == "account" else None
    if row is None:
        raise Forbidden(_("You are not signed in with an account."), todo=_("Sign in first."))
    link(row, claims)


def unlink(by: Reader, *, account: str, reason: str = "") -> None:
    """Undoes the link of an account with the organisation's sign-in and ends its sessions; administrators only."""
    require(by, "administrator", what="undo a link")
    with transaction.atomic():
        row = models.Account.objects.select_for_update().filter(key=account).first()
        if row is None:
            raise NotFound(_("There is no account “%(key)s”.") % {"key": account}, "account")
        if not models.Identity.objects.filter(account=row).delete()[0]:
            raise Conflict(_("This account is not linked."), "account")
        row.epoch += 1
        row.save(update_fields=["epoch"])
        journal.record(by, "people.unlink-identity", Ref("account", account), reason=reason)


def _create(claims: Claims) -> models.Account:
    """An account that may nothing at the desk until an administrator gives it roles."""
    local = unicodedata.normalize("NFKD", claims.email.partition("@")[0]).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9._-]+", "-", local).strip("-._")[:80] or "person"
    for number in range(1, 100):
        row = models.Account(
            key=stem if number == 1 else f"{stem}-{number}",
            name=claims.name or claims.email,
            email=claims.email,
            roles=["citizen"],
        )
        row.set_unusable_password()
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                after = {"name": row.name, "email": row.email, "roles": row.roles}
                journal.record(reader_of(row), "people.create-account", Ref("account", row.key), after=after)
        except IntegrityError:
            continue
        link(row, claims)
        return row
    raise Conflict(_("No free name was found for the new account."), "account", todo=_("Ask your administrator."))


def sign_out_everywhere(issuer: str, subject: str) -> bool:
    """Ends the sessions of the account that a person of the organisation is; whether there is one."""
    with transaction.atomic():
        known = models.Identity.objects.filter(issuer=issuer, subject=subject).first()
        if known is None:
            return False
        row = models.Account.objects.select_for_update().get(pk=known.account_id)
        row.epoch += 1
        row.save(update_fields=["epoch"])
        journal.record(
            reader_of(row), "people.end-sessions", Ref("account", row.key), reason="said by the organisation"
        )
    return True
