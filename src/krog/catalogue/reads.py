"""Reads of the catalogue. Metadata of a dataset is public unless the dataset is restricted."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.text import Text
from krog.catalogue import access_log, door, models, shapes
from krog.people.permissions import is_staff


def _visible(grant: Grant, dataset: shapes.Dataset) -> bool:
    return dataset.access != "restricted" or is_staff(grant.reader)


def datasets(grant: Grant, noun: str | None = None, text: str = "") -> list[shapes.Dataset]:
    """Datasets whose description the reader may see, by key; `text` filters titles, case-insensitively."""
    rows = models.Dataset.objects.filter(retired=False).order_by("key")
    if noun:
        rows = rows.filter(noun=noun)
    found = [d for d in map(door.dataset_of, rows) if _visible(grant, d)]
    wanted = text.strip().casefold()
    return [d for d in found if not wanted or any(wanted in t.casefold() for t in d.title.values())]


def dataset(grant: Grant, key: str) -> shapes.Dataset:
    """One dataset's metadata, or NotFound."""
    row = models.Dataset.objects.filter(key=key, retired=False).first()
    if row is None or not _visible(grant, found := door.dataset_of(row)):
        raise NotFound(_("There is no dataset “%(key)s”.") % {"key": key}, "dataset")
    return found


def doubts(grant: Grant, key: str) -> tuple[Text, ...]:
    """What the source of a dataset contradicts or leaves open, to be told beside its data; asks no table."""
    found = door.known(key)
    return found.doubts if found is not None and _visible(grant, found) else ()


def accesses(grant: Grant, dataset: str | None = None, limit: int = 100) -> list[tuple[int, str, str, str, str]]:
    """Who read what is not public: for digital officers and administrators; empty for others."""
    if not grant.reader.roles & {"digital_officer", "administrator", "system"}:
        return []
    return access_log.recent(limit, dataset)


#: The dataset that the numbers of use belong to; a city declares it in datasets.toml.
USE = "service-use"


def service_use(grant: Grant, first: date, last: date, service: str = "", channel: str = "") -> list[shapes.Use]:
    """How often services were started and finished on the local days from `first` to `last`, both included, by day,
    service, channel and language. `service` is one service, or all of a kind (`report` for `report:…`). Empty unless
    the grant holds the dataset `service-use`."""
    if USE not in grant:
        return []
    rows = models.ServiceUse.objects.filter(day__gte=first, day__lte=last)
    if service:
        rows = rows.filter(Q(service=service) | Q(service__startswith=f"{service}:"))
    if channel:
        rows = rows.filter(channel=channel)
    return [
        shapes.Use(row.day, row.service, row.channel, row.language, row.started, row.finished)
        for row in rows.order_by("day", "service", "channel", "language")
    ]
