"""Signed links in mails: what a person may do with one thing, without signing in."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Forbidden
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.people import models
from krog.people.identity import reader_of

_SALT = "krog.people.links"


@dataclass(frozen=True)
class Link:
    """An opened link: the thing, the account it was given to, the reader who acts by it, when it was made."""

    ref: Ref
    account: str
    reader: Reader
    issued: int


def sign(purpose: str, ref: Ref, account: str, *, days: int) -> str:
    """A token for one purpose, one thing, one account, for some days. URL-safe; also fits a reply address."""
    content = [purpose, ref.noun, ref.key, account, times.now() // times.SECOND, days]
    return signing.dumps(content, salt=_SALT, compress=False).replace(":", "~")


def open(token: str, purpose: str) -> Link:
    """The opened link, or Forbidden with what to do. Who has left, or lost the account, acts no more, also when the
    account is opened again."""
    try:
        found, noun, key, account, issued, days = signing.loads(token.replace("~", ":"), salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise Forbidden(
            _("This link is not valid."), todo=_("Open it from the mail again, or sign in to the desk.")
        ) from None
    if found != purpose:
        raise Forbidden(_("This link is for something else."), todo=_("Open it from the mail again."))
    if times.now() // times.SECOND > issued + days * 86400:
        raise Forbidden(_("This link has run out."), todo=_("Sign in to the desk, or ask for a new mail."))
    row = models.Account.objects.filter(key=account, is_active=True).first()
    if row is None or (row.closed is not None and issued * times.SECOND <= row.closed):
        raise Forbidden(
            _("The account that this link was given to is no longer active."),
            todo=_("Sign in to the desk."),
            extra={"left": account},
        )
    return Link(Ref(noun, key), account, reader_of(row, "link"), issued * times.SECOND)
