"""Signing in with account key or e-mail address and password."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from krog.people.models import Account


class AccountBackend(BaseBackend):
    """Django's sign-in over people.Account; who is not active has no session either."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> Account | None:
        name = (username or "").strip().lower()
        field = "email__iexact" if "@" in name else "key"
        found = list(Account.objects.filter(**{field: name}, is_active=True)[:2])
        if len(found) != 1:
            # The same work as for a known name, so that the answer's time tells nothing.
            make_password(password)
            return None
        return found[0] if check_password(password, found[0].password) else None

    def get_user(self, user_id: int) -> Account | None:
        return Account.objects.filter(pk=user_id, is_active=True).first()
