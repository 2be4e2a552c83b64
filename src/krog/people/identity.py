"""From an account row to the Reader that travels."""

from __future__ import annotations

from krog.base.grant import Reader
from krog.people import absences, models


def reader_of(account: models.Account, kind: str = "account") -> Reader:
    """The Reader of an active account. Whoever stands in for somebody today belongs to that person's offices too, and
    leads what that person leads."""
    now = absences.standing()
    absent = now.for_whom(account.key)
    return Reader(
        kind=kind,
        id=account.pk,
        name=account.name,
        roles=frozenset({"anonymous", *account.roles}),
        organisation=account.organisation,
        offices=frozenset(account.offices).union(*(now.offices.get(key, frozenset()) for key in absent)),
        language=account.language,
        leads=frozenset[str]().union(*(now.leads.get(key, frozenset()) for key in (account.key, *absent))),
    )
