"""From an account row to the Reader that travels."""

from __future__ import annotations

from krog.base.grant import Reader
from krog.people import models


def reader_of(account: models.Account, kind: str = "account") -> Reader:
    """The Reader of an active account; roles that are not known are left out."""
    return Reader(
        kind=kind,
        id=account.pk,
        name=account.name,
        roles=frozenset({"anonymous", *account.roles}),
        organisation=account.organisation,
        offices=frozenset(account.offices),
        language=account.language,
    )
