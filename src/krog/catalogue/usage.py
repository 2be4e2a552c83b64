"""Counts the use of services by day, channel and language: no cookie, no address, nothing about who it was.

A form carries a signed mark that is given when it is opened (`started`) and spent when it is finished (`finish`). A
mark counts once, within a day, for its own service; the finish is counted on the day of the start, so that a day never
has more finished than started. Numbers of use are counters, not changes by somebody: they are not in the journal.
"""

from __future__ import annotations

import atexit
import hashlib
import re
import secrets
import threading
from collections import Counter
from datetime import date

from django.core import signing
from django.db import IntegrityError, close_old_connections, transaction
from django.db.models import F

from krog.base import times
from krog.base.settings import settings
from krog.catalogue import models

#: Ways on which somebody uses a service.
CHANNELS = ("web", "mail", "phone", "desk", "paper", "api")
#: How long a form may be open until it counts as abandoned.
OPEN_S = 86_400
#: What a service is called: a word, and behind a colon which one of its kind.
SERVICE = re.compile(r"^[a-z][a-z0-9-]{0,39}(:[a-z0-9][a-z0-9._-]{0,78})?$")

_SALT = "krog.catalogue.usage"
_FLUSH_S = 5.0

Place = tuple[date, str, str, str]


def _today() -> date:
    return times.to_datetime(times.now(), settings().timezone).date()


def _place(service: str, channel: str, language: str, day: date | None = None) -> Place:
    if not SERVICE.match(service):
        raise ValueError(f"{service!r} is not the name of a service, such as report:pothole.")
    if channel not in CHANNELS:
        raise ValueError(f"The channel {channel!r} is not one of {', '.join(CHANNELS)}.")
    return day or _today(), service, channel, language[:5]


class _Waiting:
    """Counts that this process has not written yet. Without `wait` each is written at once; the pages write every few
    seconds, so that who looks at pages, or hammers them, makes no write each."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[tuple[Place, str]] = Counter()
        self.wait = False

    def add(self, place: Place, step: str) -> None:
        if not self.wait:
            _write(place, {step: 1})
            return
        with self.lock:
            self.counts[place, step] += 1

    def flush(self) -> None:
        with self.lock:
            counts, self.counts = self.counts, Counter()
        places: dict[Place, dict[str, int]] = {}
        for (place, step), number in counts.items():
            places.setdefault(place, {})[step] = number
        for place, steps in places.items():
            _write(place, steps)


_waiting = _Waiting()


def write_in_background() -> None:
    """For the process of the pages: counts are kept in memory and written every few seconds, and at the end."""

    def loop() -> None:
        while not ended.wait(_FLUSH_S):
            close_old_connections()
            _waiting.flush()
            close_old_connections()

    def end() -> None:
        ended.set()
        _waiting.flush()

    ended = threading.Event()
    _waiting.wait = True
    threading.Thread(target=loop, name="service-use", daemon=True).start()
    atexit.register(end)


def _write(place: Place, steps: dict[str, int]) -> None:
    day, service, channel, language = place
    about = {"day": day, "service": service, "channel": channel, "language": language}
    added = {step: F(step) + number for step, number in steps.items()}
    if models.ServiceUse.objects.filter(**about).update(**added):
        return
    try:
        with transaction.atomic():
            models.ServiceUse.objects.create(**about, **steps)
    except IntegrityError:
        models.ServiceUse.objects.filter(**about).update(**added)


def start(service: str, *, channel: str, language: str) -> str:
    """Counts a start and gives the mark that the form carries. URL-safe text."""
    place = _place(service, channel, language)
    _waiting.add(place, "started")
    content = [place[0].toordinal(), service, channel, place[3], times.now() // times.SECOND, secrets.token_hex(8)]
    return signing.dumps(content, salt=_SALT)


def finish(mark: str, service: str) -> bool:
    """Spends a mark of this service and counts the finish. False, and nothing is counted, for a mark that is wrong,
    older than a day, of another service, or spent."""
    try:
        ordinal, named, channel, language, issued, _nonce = signing.loads(mark[:500], salt=_SALT, max_age=OPEN_S)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    if named != service:
        return False
    digest = hashlib.sha256(mark.encode()).hexdigest()
    place = _place(service, channel, language, date.fromordinal(ordinal))
    try:
        with transaction.atomic():
            models.SpentToken.objects.create(digest=digest, issued=issued)
            _write(place, {"finished": 1})
    except IntegrityError:
        return False
    return True


def once(service: str, *, channel: str, language: str, finished: bool = True) -> None:
    """Counts what has no form to fill in: a download, a search (`finished`: it found something), a clerk's entry."""
    place = _place(service, channel, language)
    _waiting.add(place, "started")
    if finished:
        _waiting.add(place, "finished")


def forget_spent() -> int:
    """Deletes marks that have run out; returns how many. They could not be spent again anyway."""
    old = times.now() // times.SECOND - OPEN_S - 3600
    return models.SpentToken.objects.filter(issued__lt=old).delete()[0]
