"""Reads of the catalogue. Metadata of a dataset is public unless the dataset is restricted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
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


def accesses(grant: Grant, dataset: str | None = None, limit: int = 100) -> list[tuple[int, str, str, str, str]]:
    """Who read what is not public: for digital officers and administrators; empty for others."""
    if not grant.reader.roles & {"digital_officer", "administrator", "system"}:
        return []
    return access_log.recent(limit, dataset)
