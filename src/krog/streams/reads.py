"""Reads of streams: things and datastreams; from `observed` what they said, from `ledger` what was not accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff
from krog.streams import models, shapes
from krog.streams.ledger import fates, set_aside, set_aside_counts
from krog.streams.observed import (
    MOST_OBSERVATIONS,
    OVERDUE_AFTER,
    latest,
    latest_of,
    observations,
    readings,
    series,
    state,
    step_for,
)
from krog.streams.visible import keys_of, no_datastream, readable, visible

__all__ = [
    "MOST_OBSERVATIONS",
    "OVERDUE_AFTER",
    "datastream",
    "datastreams",
    "fates",
    "history",
    "ingest_epoch",
    "ingest_index",
    "keys_of",
    "latest",
    "latest_of",
    "observations",
    "readable",
    "readings",
    "series",
    "set_aside",
    "set_aside_counts",
    "state",
    "step_for",
    "thing",
    "things",
]

#: Most datastreams and things that one read gives.
MOST_STREAMS = 1000
#: Orders of a list of datastreams.
SORTED: Mapping[str, tuple[str, ...]] = {
    "": ("thing__key", "key"),
    "property": ("observed_property__key", "key"),
    "place": ("thing__territory", "thing__key", "key"),
}


def ingest_index() -> Mapping[str, shapes.IngestStream]:
    """Every datastream in use by its key, for `engine.ingest`; no grant, because nothing of it leaves."""
    rows = models.Datastream.objects.filter(retired=False).values_list(
        "id", "key", "dataset", "unit", "minimum", "maximum", "interval_s", "numeric", "thing__operator"
    )
    return {row[1]: shapes.IngestStream(*row) for row in rows.iterator(chunk_size=5000)}


def ingest_epoch() -> int:
    """A number that moves whenever `ingest_index` may have changed; one row read by primary key."""
    return models.Epoch.objects.values_list("number", flat=True).first() or 0


def _rows(grant: Grant) -> QuerySet[models.Datastream]:
    joined = models.Datastream.objects.select_related("thing", "sensor", "observed_property")
    return joined.filter(visible(grant)).order_by("thing__key", "key")


def _thing(row: models.Thing) -> shapes.Thing:
    return shapes.Thing(
        row.key,
        row.title,
        row.description,
        row.lon,
        row.lat,
        row.territory,
        row.operator,
        row.owner,
        row.demo_place,
        row.true_place,
        row.source,
    )


def _sensor(row: models.Sensor) -> shapes.Sensor:
    return shapes.Sensor(row.key, row.title, row.model, row.accuracy, row.accuracy_value, row.accuracy_unit)


def _property(row: models.ObservedProperty) -> shapes.ObservedProperty:
    return shapes.ObservedProperty(row.key, row.title, row.definition, row.unit)


def _datastream(row: models.Datastream) -> shapes.Datastream:
    return shapes.Datastream(
        id=row.pk,
        key=row.key,
        title=row.title,
        unit=row.unit,
        dataset=row.dataset,
        minimum=row.minimum,
        maximum=row.maximum,
        interval_s=row.interval_s,
        numeric=row.numeric,
        role=row.role,
        public=row.public,
        thing=_thing(row.thing),
        sensor=_sensor(row.sensor) if row.sensor else None,
        observed_property=_property(row.observed_property),
    )


def datastreams(
    grant: Grant,
    *,
    dataset: str | None = None,
    datasets: Iterable[str] | None = None,
    thing: str | None = None,
    observed_property: str | None = None,
    role: str | None = None,
    territory: str | None = None,
    operator: str | None = None,
    keys: Iterable[str] | None = None,
    territories: Iterable[str] | None = None,
    text: str = "",
    sort: str = "",
    limit: int = 200,
    offset: int = 0,
) -> shapes.Page[shapes.Datastream]:
    """Datastreams with their thing, sensor and property, in the order of one of SORTED (else by thing and key); `text`
    is looked for in key and titles, `territories` are keys of those that the things stand in."""
    rows = _rows(grant).order_by(*SORTED.get(sort, SORTED[""]))
    equal = {
        "dataset": dataset, "thing__key": thing, "observed_property__key": observed_property, "role": role,
        "thing__territory": territory, "thing__operator": operator,
    }  # fmt: skip
    rows = rows.filter(**{column: value for column, value in equal.items() if value is not None})
    if datasets is not None:
        rows = rows.filter(dataset__in=set(datasets))
    if keys is not None:
        rows = rows.filter(key__in=[key for key in keys if "\x00" not in key][:MOST_STREAMS])
    if territories is not None:
        rows = rows.filter(thing__territory__in=set(territories))
    for word in text.casefold().replace("\x00", " ").split()[:8]:
        rows = rows.filter(search__contains=word)
    limit = min(max(limit, 0), MOST_STREAMS)
    found = [_datastream(row) for row in rows[offset : offset + limit]]
    total = offset + len(found) if found and len(found) < limit else rows.count()
    return shapes.Page(found, total)


def chosen_by(grant: Grant) -> shapes.Choices:
    """What datastreams can be chosen by: the properties, territories and operators that the reader's own have."""
    named = ("observed_property__key", "thing__territory", "thing__operator")
    found = list(_rows(grant).select_related(None).order_by().values_list(*named).distinct())
    keys = {row[0] for row in found}
    properties = models.ObservedProperty.objects.filter(key__in=keys).order_by("key")
    return shapes.Choices(
        [_property(row) for row in properties],
        sorted({row[1] for row in found if row[1]}),
        sorted({row[2] for row in found if row[2]}),
    )


def datastream(grant: Grant, key: str) -> shapes.Datastream:
    """One datastream, joined in one query; NotFound where there is none or the reader may not know of it."""
    row = _rows(grant).filter(key=key).first() if "\x00" not in key else None
    if row is None:
        raise no_datastream(key)
    return _datastream(row)


def _things(grant: Grant) -> QuerySet[models.Thing]:
    mine = models.Datastream.objects.filter(visible(grant), thing=OuterRef("pk"))
    seen = Q(Exists(mine))
    if is_staff(grant.reader):
        seen |= Q(~Exists(models.Datastream.objects.filter(retired=False, thing=OuterRef("pk"))))
    return models.Thing.objects.filter(seen, retired=False).order_by("key")


def things(
    grant: Grant, *, territory: str | None = None, limit: int = 1000, offset: int = 0
) -> shapes.Page[shapes.Thing]:
    """Things of which the reader may see at least one datastream; staff also see those that have none yet."""
    rows = _things(grant)
    if territory is not None:
        rows = rows.filter(territory=territory)
    limit = min(max(limit, 0), MOST_STREAMS)
    return shapes.Page([_thing(row) for row in rows[offset : offset + limit]], rows.count())


def thing(grant: Grant, key: str) -> shapes.Thing:
    """One thing, or NotFound."""
    row = _things(grant).filter(key=key).first() if "\x00" not in key else None
    if row is None:
        raise NotFound(_("There is no measuring point “%(key)s”.") % {"key": key[:60]}, "thing")
    return _thing(row)


def history(grant: Grant, key: str, limit: int = 50) -> list[Entry]:
    """What was changed of a datastream's declaration: for staff; nobody else learns who works here."""
    datastream(grant, key)
    return journal.history(Ref("datastream", key), limit) if is_staff(grant.reader) else []
