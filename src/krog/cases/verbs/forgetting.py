"""What is erased of a case when the person who reported asks for it."""

from __future__ import annotations

from django.db import transaction

from krog.base.errors import NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.cases import models
from krog.cases.references import new_code
from krog.cases.verbs.rows import locked, words
from krog.journal import verbs as journal
from krog.people.permissions import require


def forget_reporter(by: Reader, *, key: str, reason: str) -> None:
    """Erases who reported a case: name, contact, and the mails to or about that address. What was reported stays; its
    secret address is good no more."""
    require(by, "digital_officer", what="erase personal data")
    reason = words(reason, "Say who asked for it and when.", "reason")
    with transaction.atomic():
        row = locked(key)
        reporter = models.Reporter.objects.filter(case=row).first()
        if reporter is None:
            raise NotFound(f"Nobody is known to have reported {row.key.upper()}.", "reporter")
        if reporter.email:
            journal.erase_mails(by, ref=Ref("case", row.key), address=reporter.email, reason=reason)
            row.messages.filter(author__iexact=reporter.email).update(author="")
        reporter.delete()
        row.code = new_code()
        row.save(update_fields=["code"])
        journal.record(by, "cases.forget-reporter", Ref("case", row.key), reason=reason)
