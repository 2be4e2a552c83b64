"""The second factor of accounts with a password: time-based codes and recovery codes; enrolled, checked, reset."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.journal import verbs as journal
from krog.people import models, totp
from krog.people.identity import reader_of
from krog.people.permissions import STAFF, require

#: Recovery codes that are made at a time, and their letters (none that are confused on paper).
CODES, _LETTERS = 10, "abcdefghjkmnpqrstuvwxyz23456789"


def _box() -> Fernet:
    return Fernet(
        base64.urlsafe_b64encode(hashlib.sha256(f"krog.people.factors:{settings().secret}".encode()).digest())
    )


def _digest(code: str) -> str:
    # 50 random bits behind a keyed hash: no slow hash is needed, and the table alone tells nothing.
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hmac.new(settings().secret.encode(), f"recovery:{plain}".encode(), hashlib.sha256).hexdigest()


def _new_codes() -> list[str]:
    drawn = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(CODES)]
    return [f"{code[:5]}-{code[5:]}" for code in drawn]


def required() -> bool:
    """Whether staff with a password must have a second factor: the setting, else outside of a demo."""
    return {"required": True, "optional": False}.get(settings().second_factor, not settings().demo)


def needed(account: models.Account) -> bool:
    """The same for one account; the accounts that a demo brings go by password alone while it is a demo."""
    return required() and bool(set(account.roles) & STAFF) and not (account.demo and settings().demo)


def has(account: int) -> bool:
    """Whether the account with this number has a second factor."""
    return models.SecondFactor.objects.filter(account_id=account).exists()


def left(account: int) -> int:
    """How many recovery codes are left."""
    row = models.SecondFactor.objects.filter(account_id=account).first()
    return len(row.recovery) if row else 0


def enrol(account: models.Account, *, secret: str, code: str) -> list[str]:
    """Gives an account its second factor once the app shows the right code; the recovery codes are in the answer alone.
    Who has one already resets it first."""
    step = totp.matching_step(secret, code, times.now() // times.SECOND, 0)
    if step is None:
        raise Invalid(
            _("The code is not right. Wait for the next one and type it; check that the phone's clock is right."),
            "code",
            _("six digits"),
        )
    codes = _new_codes()
    try:
        with transaction.atomic():
            models.SecondFactor.objects.create(
                account=account,
                secret=_box().encrypt(secret.encode()).decode(),
                since=times.now(),
                last_step=step,
                recovery=[_digest(each) for each in codes],
            )
            journal.record(reader_of(account), "people.enrol-factor", Ref("account", account.key))
            _tell(account)
    except IntegrityError:
        raise Conflict(
            _("This account has a second factor already."), "code", todo=_("Sign in with it, or have it reset.")
        ) from None
    return codes


def check(account: int, code: str) -> str:
    """How a code was right: `app`, `recovery`, or "" when it was not. A code is good once, also for two at the same
    moment; so is a recovery code."""
    row = models.SecondFactor.objects.filter(account_id=account).select_related("account").first()
    if row is None:
        return ""
    try:
        secret = _box().decrypt(row.secret.encode()).decode()
    except InvalidToken:
        secret = ""  # KROG_SECRET is another one than when it was enrolled: recovery codes are void as well.
    step = totp.matching_step(secret, code, times.now() // times.SECOND, row.last_step) if secret else None
    if step is not None:
        taken = models.SecondFactor.objects.filter(account_id=account, last_step__lt=step).update(last_step=step)
        return "app" if taken else ""
    return "recovery" if _use_recovery(row.account, _digest(code[:100])) else ""


def _use_recovery(account: models.Account, digest: str) -> bool:
    with transaction.atomic():
        row = models.SecondFactor.objects.select_for_update().filter(account=account).first()
        if row is None or digest not in row.recovery:
            return False
        row.recovery = [each for each in row.recovery if each != digest]
        row.save(update_fields=["recovery"])
        after = {"left": len(row.recovery)}
        journal.record(reader_of(account), "people.use-recovery-code", Ref("account", account.key), after=after)
    return True


def renew_codes(by: Reader, *, code: str) -> list[str]:
    """New recovery codes for oneself, against a code of the app; the old ones are void."""
    if by.kind != "account" or check(by.id, code) != "app":
        raise Invalid(_("The code is not right. Wait for the next one and type it."), "code", _("six digits"))
    codes = _new_codes()
    with transaction.atomic():
        row = models.SecondFactor.objects.select_for_update().select_related("account").get(account_id=by.id)
        row.recovery = [_digest(each) for each in codes]
        row.save(update_fields=["recovery"])
        journal.record(by, "people.renew-recovery-codes", Ref("account", row.account.key))
    return codes


def reset(by: Reader, *, account: str, reason: str) -> None:
    """Takes the second factor from an account whose phone is lost, ends its sessions and tells the person by mail;
    the next sign-in with the password enrols a new one. Administrators only, and never for oneself at the desk."""
    require(by, "administrator", what="reset a second factor")
    if not (reason := " ".join(reason.split())[:500]):
        raise Invalid(_("Say how you know that it is this person who asks."), "reason")
    with transaction.atomic():
        row = models.Account.objects.select_for_update().filter(key=account).first()
        if row is None:
            raise NotFound(_("There is no account “%(key)s”.") % {"key": account}, "account")
        if by.kind == "account" and by.id == row.pk:
            raise Forbidden(
                _("Nobody resets the own second factor."), todo=_("Use a recovery code, or ask another administrator.")
            )
        if not models.SecondFactor.objects.filter(account=row).delete()[0]:
            raise Conflict(_("This account has no second factor."), "account")
        row.epoch += 1
        row.save(update_fields=["epoch"])
        journal.record(by, "people.reset-factor", Ref("account", account), reason=reason)
        _tell(row, by.name)


def _tell(row: models.Account, who: str = "") -> None:
    """Tells the person by mail that the factor was set up, or by whom it was reset."""
    if not row.email:
        return
    with override(row.language):
        if who:
            subject = _("Your second factor was reset")
            text = _(
                "%(who)s has reset the second factor of your account %(account)s. At your next sign-in you set up a "
                "new one. If you did not ask for this, call your administrator at once."
            ) % {"who": who, "account": row.key}
        else:
            subject = _("A second factor was set up for your account")
            text = _(
                "Your account %(account)s now signs in with a code from a phone as well. If this was not you, call "
                "your administrator at once."
            ) % {"account": row.key}
        journal.post_mail(to=row.email, subject=subject, text=text, ref=Ref("account", row.key), language=row.language)
