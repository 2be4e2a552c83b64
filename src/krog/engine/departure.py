"""Somebody leaves: all that the person holds goes to others and the account is closed, in one verb."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base.errors import Conflict, Forbidden
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine import responsibility
from krog.journal import verbs as journal
from krog.people import absences, accounts
from krog.people import reads as people
from krog.people.holdings import Held, Responsible
from krog.people.permissions import SYSTEM, may


def holds(by: Reader, account: str) -> list[Held]:
    """All that a person holds. Values that wait follow their indicator, so they are not handed over one by one."""
    return [held for held in responsibility.held_by(by, account) if held.ref.noun != "value"]


def depart(
    by: Reader, *, account: str, rest: str = "", rows: Mapping[Ref, str] | None = None, reason: str = ""
) -> responsibility.Assigned:
    """Hands over everything that a person holds, to whom `rows` names for a thing and else to `rest`, and closes the
    account. All or nothing; Conflict where something would stay with nobody. Administrators only."""
    if not may(by, "administrator"):
        raise Forbidden(_("Only an administrator closes accounts."), todo=_("Ask your administrator."))
    grant = door.open(SYSTEM, "desk", kind="people")
    people.person(grant, account)
    named = dict(rows or {})
    for other in {rest, *named.values()} - {""}:
        if other == account:
            raise Conflict(_("The person who leaves cannot take over."), "rest")
        people.person(grant, other)
    with transaction.atomic():
        things = holds(by, account)
        changes = []
        for held in things:
            to = named.get(held.ref) or rest
            if not to:
                raise Conflict(
                    _("Nobody takes over: %(thing)s.") % {"thing": str(held.ref)},
                    "rest",
                    todo=_("Choose who takes over everything else."),
                )
            changes.append((held, Responsible(holder=to).over(held.own)))
        among = responsibility.personal(by)
        done = responsibility.give(by, among, changes, verb="people.hand-over", reason=reason)
        absences.leave(by, account=account, instead=rest)
        accounts.close(by, account=account, reason=reason)
        after = {"things": done.count, "assignment": done.key, "rest": rest}
        journal.record(by, "people.depart", Ref("account", account), after=after, reason=reason)
    return done
