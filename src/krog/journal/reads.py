"""Reads of the journal. It lies below people and catalogue, so the nouns wrap these with their grant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Count

from krog.base import times
from krog.base.ids import Ref
from krog.journal import models, shapes
from krog.journal.merkle import GENESIS, chain, leaf


def _entry(row: models.Entry) -> shapes.Entry:
    payload = getattr(row, "payload", None)
    return shapes.Entry(
        id=row.pk,
        time=row.time,
        who=row.actor_name,
        who_kind=row.actor_kind,
        verb=row.verb,
        noun=row.noun,
        key=row.key,
        reason=row.reason,
        before=payload.before if payload else None,
        after=payload.after if payload else None,
        who_id=row.actor_id,
    )


def history(ref: Ref, limit: int = 50, before: int | None = None) -> list[shapes.Entry]:
    """The entries of one thing, newest first; `before` an entry's id pages on."""
    rows = models.Entry.objects.filter(noun=ref.noun, key=ref.key).select_related("payload").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [_entry(row) for row in rows[:limit]]


def recent(limit: int = 50, before: int | None = None) -> list[shapes.Entry]:
    """The newest entries of all things."""
    rows = models.Entry.objects.select_related("payload").order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [_entry(row) for row in rows[:limit]]


def last_seal() -> int:
    """The number of the newest seal; 0 where there is none."""
    return models.Seal.objects.order_by("-id").values_list("id", flat=True).first() or 0


def changed_between(after: int, until: int) -> list[tuple[str, str]]:
    """Noun and key of everything that was changed by entries of the seals after one up to another."""
    rows = models.Entry.objects.filter(sealed__seal__gt=after, sealed__seal__lte=until)
    return sorted(set(rows.values_list("noun", "key")))


def verify() -> shapes.Check:
    """Recomputes every seal, and compares each payload that is not erased with its hash."""
    from krog.journal.verbs import fingerprint

    sealed, previous, broken = 0, GENESIS, ""
    for seal in models.Seal.objects.order_by("id").iterator():
        rows = list(models.Entry.objects.filter(sealed__seal=seal).select_related("payload").order_by("id"))
        if seal.previous != previous or not rows or chain(previous, [leaf(row) for row in rows]) != seal.root:
            broken = broken or f"seal {seal.pk} (entries {seal.first} to {seal.last})"
        for row in rows:
            payload = getattr(row, "payload", None)
            if payload and (
                fingerprint(payload.salt, payload.before) != row.before_hash
                or fingerprint(payload.salt, payload.after) != row.after_hash
            ):
                broken = broken or f"the payload of entry {row.pk}"
        sealed += len(rows)
        previous = seal.root
    unsealed = models.Entry.objects.filter(sealed=None).count()
    return shapes.Check(sealed=sealed, unsealed=unsealed, broken=broken)


def _mail(row: models.Mail) -> shapes.Mail:
    return shapes.Mail(**{name: getattr(row, name) for name in shapes.Mail.__dataclass_fields__})


def mail(number: int) -> shapes.Mail | None:
    """One mail of the outbox by its number, or None."""
    row = models.Mail.objects.filter(pk=number).first()
    return _mail(row) if row else None


def mails_due(limit: int = 50) -> list[shapes.Mail]:
    """Queued mails whose next attempt is due, oldest first."""
    rows = models.Mail.objects.filter(state="queued", next_attempt__lte=times.now()).order_by("id")
    return [_mail(row) for row in rows[:limit]]


def mails(state: str | None = None, ref: Ref | None = None, limit: int = 100, offset: int = 0) -> list[shapes.Mail]:
    """Mails of the outbox, newest first."""
    rows = models.Mail.objects.order_by("-id")
    if state:
        rows = rows.filter(state=state)
    if ref:
        rows = rows.filter(noun=ref.noun, key=ref.key)
    return [_mail(row) for row in rows[offset : offset + limit]]


def mail_counts() -> dict[str, int]:
    """How many mails are queued, sent, failed."""
    return dict(models.Mail.objects.values_list("state").annotate(n=Count("id")))


def schedule_states() -> list[shapes.ScheduleState]:
    """When each schedule last ran and how it ended."""
    rows = models.ScheduleState.objects.order_by("key")
    return [shapes.ScheduleState(r.key, r.started, r.finished, r.every_s, r.error) for r in rows]


def applied(kind: str) -> Mapping[str, Mapping[str, Any]]:
    """What `apply` last wrote of a kind, by key."""
    return dict(models.Applied.objects.filter(kind=kind).values_list("key", "fields"))
