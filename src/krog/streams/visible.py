"""Which datastreams a grant lets through; every read of streams begins here."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.catalogue import door
from krog.streams import models

#: Columns of the rows that a dataset's public_rows may name.
COLUMNS = {
    "public": "public",
    "role": "role",
    "key": "key",
    "thing": "thing__key",
    "territory": "thing__territory",
    "observed_property": "observed_property__key",
}


def visible(grant: Grant) -> Q:
    """The datastreams that a grant lets through: by dataset, by its row rules, and in public only the public ones."""
    for_public = [key for key, access in grant.datasets.items() if access.public]
    return Q(retired=False) & door.where(grant, COLUMNS) & (~Q(dataset__in=for_public) | Q(public=True))


def readable(grant: Grant) -> frozenset[str]:
    """Keys of all datastreams whose values the reader may see, in one light query."""
    rows = models.Datastream.objects.filter(visible(grant)).values_list("key", "dataset")
    return frozenset(key for key, dataset in rows if grant.datasets[dataset].shows("value"))


def numbers(grant: Grant, keys: Iterable[str]) -> dict[str, tuple[int, str, int]]:
    """Of these keys the visible ones: key → (number, dataset, interval)."""
    wanted = [key for key in dict.fromkeys(keys) if "\x00" not in key]
    if not wanted:
        return {}
    rows = models.Datastream.objects.filter(visible(grant), key__in=wanted)
    return {row[0]: row[1:] for row in rows.values_list("key", "id", "dataset", "interval_s")}


def keys_of(grant: Grant, keys: Iterable[str]) -> frozenset[str]:
    """Which of these datastreams exist and may be seen."""
    return frozenset(numbers(grant, keys))


def no_datastream(key: str) -> NotFound:
    """There is none, or none that this reader may know of."""
    return NotFound(
        _("There is no datastream “%(key)s”.") % {"key": key[:60]},
        "datastream",
        todo=_("The list of measuring points names them all."),
    )


def number(grant: Grant, key: str) -> tuple[int, str, int]:
    found = numbers(grant, [key]).get(key)
    if found is None:
        raise no_datastream(key)
    return found
