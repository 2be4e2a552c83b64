"""References of cases (K-2026-000123) and the secret ends of status addresses."""

from __future__ import annotations

import re
import secrets

from django.conf import settings

from krog.base import times
from krog.cases import models

#: Letters that people do not confuse when they read them out.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
#: 12 of 31 letters are 59 bits: nobody finds another person's case by trying.
_CODE_LENGTH = 12

_ADDRESS = re.compile(r"^(k-\d{4}-\d{6})(?:-([2-9a-hj-kmnp-z]{12}))?$")


def next_key(moment: int) -> str:
    """The key of the next case of the year; inside the transaction that opens it."""
    year = times.local_date(moment, settings.TIME_ZONE).year
    models.Number.objects.get_or_create(year=year)
    row = models.Number.objects.select_for_update().get(year=year)
    row.last += 1
    row.save(update_fields=["last"])
    return f"k-{year}-{row.last:06d}"


def new_code() -> str:
    """A secret end of a status address."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))


def split(address: str) -> tuple[str, str] | None:
    """Key and code ("" without one) of `K-2026-000123` or `k-2026-000123-x7f…`, or None."""
    match = _ADDRESS.match(address.strip().lower())
    return (match[1], match[2] or "") if match else None
