"""API keys: made, verified, revoked. Secrets are 256 random bits, kept as SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from django.db import transaction

from krog.base import times
from krog.base.errors import Invalid, NotFound, Unauthenticated
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal import verbs as journal
from krog.people import models, shapes
from krog.people.permissions import ROLES, require


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _maker(by: Reader) -> str:
    """The key of the account that acts; numbers of keys and accounts are counted apart."""
    if by.kind != "account":
        return ""
    return str(models.Account.objects.filter(pk=by.id).values_list("key", flat=True).first() or "")


def create(by: Reader, *, title: str, organisation: str, roles: tuple[str, ...] = ("sensor",)) -> shapes.NewKey:
    """Makes a key for a program of an organisation. Administrators only; the secret is in the answer alone."""
    require(by, "administrator", what="make API keys")
    if wrong := sorted(set(roles) - (set(ROLES) - {"system"})):
        raise Invalid(f"There is no role {', '.join(wrong)}.", "roles", ", ".join(ROLES))
    if not models.Organisation.objects.filter(key=organisation).exists():
        raise NotFound(
            f"There is no organisation {organisation!r}.", "organisation", todo="Declare it in people.toml first."
        )
    new = shapes.NewKey(id=f"k{secrets.token_hex(6)}", secret=secrets.token_urlsafe(32))
    with transaction.atomic():
        models.ApiKey.objects.create(
            key=new.id,
            digest=_digest(new.secret),
            title=title,
            organisation=organisation,
            roles=list(roles),
            created=times.now(),
            created_by=by.name,
            maker=_maker(by),
        )
        journal.record(
            by,
            "people.create-key",
            Ref("key", new.id),
            after={"title": title, "organisation": organisation, "roles": list(roles)},
        )
    return new


def revoke(by: Reader, *, key: str, reason: str = "") -> None:
    """The key is refused from now on."""
    require(by, "administrator", what="revoke API keys")
    with transaction.atomic():
        row = models.ApiKey.objects.select_for_update().filter(key=key, revoked=None).first()
        if row is None:
            raise NotFound(f"There is no key {key!r} in use.", "key")
        row.revoked = times.now()
        row.save(update_fields=["revoked"])
        journal.record(by, "people.revoke-key", Ref("key", key), after={"revoked": row.revoked}, reason=reason)


def verify(key_id: str, secret: str) -> Reader | None:
    """The reader that a key stands for, or None. One query; costs a SHA-256, not a slow hash."""
    row: Any = models.ApiKey.objects.filter(key=key_id, revoked=None).first()
    if row is None or not hmac.compare_digest(row.digest, _digest(secret)):
        return None
    return Reader(
        kind="key", id=row.pk, name=row.title, roles=frozenset({"anonymous", *row.roles}), organisation=row.organisation
    )


def verify_bearer(header: str) -> Reader | None:
    """The reader of an `Authorization` header: None where there is none, Unauthenticated where it is wrong."""
    if not header:
        return None
    scheme, _, token = header.partition(" ")
    key_id, _, secret = token.strip().partition(".")
    found = verify(key_id, secret) if scheme.lower() == "bearer" and secret else None
    if found is None:
        raise Unauthenticated(
            "The API key is not known.",
            "Authorization",
            "Bearer <key id>.<secret>",
            "Make a key with `krog key create`.",
        )
    return found


def list_keys(by: Reader) -> list[shapes.KeyInfo]:
    """All keys, newest first. Administrators only."""
    require(by, "administrator", what="see API keys")
    return [
        shapes.KeyInfo(r.key, r.title, r.organisation, frozenset(r.roles), r.created, r.created_by, r.revoked)
        for r in models.ApiKey.objects.order_by("-id")
    ]
