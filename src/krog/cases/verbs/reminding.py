"""What Krog itself does about cases whose deadline is over: reminds the holder, then tells the head; once each."""

from __future__ import annotations

from django.db import transaction

from krog.base import times
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.cases import mails
from krog.cases.shapes import OPEN
from krog.cases.verbs.rows import locked
from krog.journal import verbs as journal
from krog.people.permissions import require


def remind(by: Reader, *, key: str) -> bool:
    """Reminds whoever has taken the case, else who answers for it. A second call does nothing; whether it was done."""
    require(by, what="remind of a case")
    with transaction.atomic():
        row = locked(key)
        if row.status not in OPEN or row.reminded is not None or row.deadline >= times.now():
            return False
        row.reminded = times.now()
        row.save(update_fields=["reminded"])
        told = mails.to_reminded(row)
        journal.record(by, "cases.remind", Ref("case", row.key), after={"mail": told, "of": row.assignee})
    return True


def escalate(by: Reader, *, key: str) -> bool:
    """Tells the head of the office, else its deputy. A second call does nothing; whether it was done."""
    require(by, what="escalate a case")
    with transaction.atomic():
        row = locked(key)
        if row.status not in OPEN or row.escalated is not None or row.deadline >= times.now():
            return False
        row.escalated = times.now()
        row.save(update_fields=["escalated"])
        told = mails.to_head(row)
        journal.record(by, "cases.escalate", Ref("case", row.key), after={"told": told.key if told else ""})
    return True
