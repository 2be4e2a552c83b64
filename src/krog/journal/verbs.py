"""Writes to the journal, its seals, the outbox, the schedules and the base of `apply`."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q

from krog.base import times
from krog.base.errors import Conflict
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal import models
from krog.journal.merkle import GENESIS, chain, leaf

#: How far behind the newest sealed entry the sealer looks for entries that committed later than those after them.
LOOK_BACK = 100_000

#: Seconds to wait before the next attempt to send a mail, by number of attempts made.
RETRY_AFTER_S = (5, 30, 120, 600, 3600, 14400, 43200)


def fingerprint(salt: str, content: Mapping[str, Any] | None) -> str:
    """The salted hash of a payload; empty for none."""
    if content is None:
        return ""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{salt}{canonical}".encode()).hexdigest()


def record(
    by: Reader,
    verb: str,
    ref: Ref,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> int:
    """Writes one entry into the transaction of the verb that calls it; returns the entry's id."""
    return record_all(by, verb, [(ref, before, after)], reason=reason)[0]


def record_all(
    by: Reader,
    verb: str,
    changes: Iterable[tuple[Ref, Mapping[str, Any] | None, Mapping[str, Any] | None]],
    *,
    reason: str = "",
) -> list[int]:
    """The same for many things at once, in two statements."""
    moment = times.now()
    entries, payloads = [], []
    for ref, before, after in changes:
        salt = secrets.token_hex(16)
        before, after = _plain(before), _plain(after)
        entries.append(
            models.Entry(
                time=moment,
                actor_kind=by.kind,
                actor_id=by.id,
                actor_name=by.name,
                verb=verb,
                noun=ref.noun,
                key=ref.key,
                reason=reason,
                before_hash=fingerprint(salt, before),
                after_hash=fingerprint(salt, after),
            )
        )
        payloads.append((salt, before, after))
    with transaction.atomic():
        saved = models.Entry.objects.bulk_create(entries)
        models.Payload.objects.bulk_create(
            models.Payload(entry=entry, salt=salt, before=before, after=after)
            for entry, (salt, before, after) in zip(saved, payloads, strict=True)
        )
    return [entry.pk for entry in saved]


def _plain(content: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The content as JSON will give it back, so that its hash can be checked later."""
    return None if content is None else json.loads(json.dumps(content, default=str))


def erase(by: Reader, *, ref: Ref, reason: str) -> int:
    """Erases the payloads of a thing's entries (personal data); the entries, their hashes and seals stay."""
    with transaction.atomic():
        count, _ = models.Payload.objects.filter(entry__noun=ref.noun, entry__key=ref.key).delete()
        record(by, "journal.erase", ref, reason=reason)
    return count


def erase_mails(by: Reader, *, ref: Ref, address: str, reason: str) -> int:
    """Erases the mails about a thing that went, or wait to go, to an address, and those that name it: to whom, subject
    and words; that there was a mail and when it was sent stays. What was not sent yet is not sent any more. Returns how
    many."""
    with transaction.atomic():
        mails = models.Mail.objects.filter(noun=ref.noun, key=ref.key)
        mine = mails.filter(Q(to=address) | Q(text__icontains=address)) if address else mails.none()
        count = mine.update(to="", subject="", text="", html="", reply_token="", error="", state="erased")
        record(by, "journal.erase-mails", ref, after={"mails": count}, reason=reason)
    return count


def seal(limit: int = 5000) -> int:
    """Chains all committed entries that no seal holds yet; returns how many. Called by the one worker each second."""
    with transaction.atomic():
        last = models.Seal.objects.order_by("-id").first()
        # Asked each second: what it costs must not grow with the journal.
        recent = models.Entry.objects.filter(id__gt=last.last - LOOK_BACK if last else 0)
        waiting = list(recent.filter(sealed=None).order_by("id")[:limit])
        if not waiting:
            return 0
        previous = last.root if last else GENESIS
        new = models.Seal.objects.create(
            time=times.now(),
            first=waiting[0].pk,
            last=waiting[-1].pk,
            count=len(waiting),
            previous=previous,
            root=chain(previous, [leaf(entry) for entry in waiting]),
        )
        models.SealedEntry.objects.bulk_create(models.SealedEntry(entry=entry, seal=new) for entry in waiting)
    return len(waiting)


def post_mail(
    *, to: str, subject: str, text: str, ref: Ref, html: str = "", reply_token: str = "", language: str = ""
) -> int:
    """Puts a mail into the outbox, in the transaction of the verb that calls it."""
    mail = models.Mail.objects.create(
        created=times.now(),
        to=to,
        subject=" ".join(subject.split())[:300],
        text=text,
        html=html,
        reply_token=reply_token,
        language=language,
        noun=ref.noun,
        key=ref.key,
    )
    return mail.pk


def mail_sent(*, mail: int, message_id: str) -> None:
    """The mail server has taken the mail."""
    kept = models.Mail.objects.filter(pk=mail).exclude(state="erased")
    kept.update(state="sent", sent=times.now(), message_id=message_id, error="")


def mail_failed(*, mail: int, error: str, permanent: bool = False) -> None:
    """The mail could not be sent now: it is tried again later, and given up after the last of RETRY_AFTER_S."""
    with transaction.atomic():
        row = models.Mail.objects.select_for_update().get(pk=mail)
        if row.state == "erased":
            return
        row.attempts += 1
        row.error = error[:1000]
        if permanent or row.attempts > len(RETRY_AFTER_S):
            row.state = "failed"
        else:
            row.next_attempt = times.now() + RETRY_AFTER_S[row.attempts - 1] * times.SECOND
        row.save()


def mail_again(by: Reader, *, mail: int) -> None:
    """Queues a mail that was given up once more."""
    with transaction.atomic():
        given_up = models.Mail.objects.filter(pk=mail, state="failed")
        if not given_up.update(state="queued", attempts=0, next_attempt=0):
            raise Conflict(f"The mail {mail} is not one that was given up.", "mail", todo="Load the list again.")
        record(by, "journal.mail-again", Ref("mail", str(mail)))


def schedule_ran(key: str, *, started: int, every_s: float, error: str) -> None:
    """Keeps when a schedule last ran and how it ended."""
    models.ScheduleState.objects.update_or_create(
        key=key, defaults={"started": started, "finished": times.now(), "every_s": every_s, "error": error}
    )


def applied(kind: str, things: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Keeps what `apply` wrote as the new base; None takes a thing out of it."""
    gone = [key for key, fields in things.items() if fields is None]
    kept = [
        models.Applied(kind=kind, key=key, fields=_plain(fields))
        for key, fields in things.items()
        if fields is not None
    ]
    with transaction.atomic():
        if gone:
            models.Applied.objects.filter(kind=kind, key__in=gone).delete()
        models.Applied.objects.bulk_create(
            kept, update_conflicts=True, unique_fields=["kind", "key"], update_fields=["fields"], batch_size=500
        )
