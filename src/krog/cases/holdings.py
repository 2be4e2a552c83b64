"""Which kinds of cases and open cases somebody answers for, and the verbs that name who."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Case, CharField, F, QuerySet, When
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, NotFound
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.cases import models
from krog.cases.reads import _staff_rows
from krog.cases.shapes import OPEN
from krog.catalogue import door
from krog.journal import verbs as journal
from krog.people import reads as people
from krog.people.holdings import Holding, Responsible
from krog.people.permissions import SYSTEM, is_staff, require_over

_NAMES = ("organisation", "office", "holder")


def _types(grant: Grant) -> QuerySet[models.CaseType]:
    rows = models.CaseType.objects.filter(retired=False)
    return rows if is_staff(grant.reader) else rows.none()


def answer_type(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Names who answers for kinds of cases. For digital officers and the head of the office that had one."""
    with transaction.atomic():
        before: dict[str, Responsible] = {}
        entries, changed = [], []
        for row in models.CaseType.objects.select_for_update().filter(retired=False, key__in=list(changes)):
            require_over(by, row.office, "digital_officer", "planner", what="say who answers for a kind of case")
            was, new = Responsible(row.organisation, row.office, row.holder), changes[row.key]
            if was == new:
                continue
            if not new.office:
                raise Conflict(_("A kind of case needs the office that handles it."), f"{row.key} office")
            before[row.key] = was
            for name in _NAMES:
                setattr(row, name, getattr(new, name))
            changed.append(row)
            entries.append((Ref("case_type", row.key), vars(was), vars(new)))
        models.CaseType.objects.bulk_update(changed, _NAMES, batch_size=100)
        journal.record_all(by, "cases.answer", entries, reason=reason)
    return before


def _open(grant: Grant) -> QuerySet[models.Case]:
    return _staff_rows(grant).filter(status__in=OPEN)


def answer_case(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Gives open cases to people: as `assign`, for many at once, also to a person whose office is another one (the case
    goes to the office that is named with the person). Without a holder a case waits for its office again."""
    grant = door.open(SYSTEM, "mail", kind="people")
    with transaction.atomic():
        before: dict[str, Responsible] = {}
        rows = models.Case.objects.select_for_update(of=("self",)).filter(status__in=OPEN, key__in=list(changes))
        entries = []
        known = {person.key: person for person in people.people(grant)}
        for row in rows.select_related("type", "protocol"):
            require_over(by, row.office, "digital_officer", what="say who handles a case")
            was, new = Responsible("", row.office, row.assignee), changes[row.key]
            if (was.office, was.holder) == (new.office or was.office, new.holder):
                continue
            if new.holder and new.holder not in known:
                raise NotFound(_("There is no account “%(key)s”.") % {"key": new.holder}, "account")
            before[row.key] = was
            row.office = new.office or row.office
            row.assignee = new.holder
            row.assignee_name = known[new.holder].name if new.holder else ""
            if new.holder:
                row.status = "taken" if row.status == "new" else row.status
                row.taken = row.taken or times.now()
            elif row.status == "taken":
                row.status = "new"
            row.updated = times.now()
            row.save(update_fields=["office", "assignee", "assignee_name", "status", "taken", "updated"])
            after = Responsible("", row.office, row.assignee)
            entries.append((Ref("case", row.key), vars(was), vars(after)))
        journal.record_all(by, "cases.answer", entries, reason=reason)
    return before


#: Who answers for an open case: whoever has taken it, else whom its kind names.
_HOLDER = Case(When(assignee="", then=F("type__holder")), default=F("assignee"), output_field=CharField())

HOLDINGS = (
    Holding(
        "case_type",
        "cases",
        _types,
        {
            "title": "title",
            "dataset": "dataset",
            "organisation": "organisation",
            "office": "office",
            "holder": "holder",
        },
        answer_type,
    ),
    Holding(
        "case",
        "cases",
        _open,
        {
            "title": "title",
            "dataset": "dataset",
            "office": "office",
            "holder": _HOLDER,
            "own": "assignee",
            "due": "deadline",
        },
        answer_case,
    ),
)

#: What a person holds himself: a case that was given to him, whomever its kind names.
PERSONAL = (
    Holding(
        "case",
        "cases",
        _open,
        {"title": "title", "dataset": "dataset", "office": "office", "holder": "assignee", "due": "deadline"},
        answer_case,
    ),
)
