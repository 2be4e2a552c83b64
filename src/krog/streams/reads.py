"""Reads of streams: things and datastreams from the database, their observations from the lake."""

from __future__ import annotations

from collections.abc import Mapping

from krog.streams import models, shapes


def ingest_index() -> Mapping[str, shapes.IngestStream]:
    """Every datastream in use by its key, for `engine.ingest`; no grant, because nothing of it leaves."""
    rows = models.Datastream.objects.filter(retired=False).values_list(
        "id", "key", "dataset", "unit", "minimum", "maximum", "interval_s", "numeric", "thing__operator"
    )
    return {row[1]: shapes.IngestStream(*row) for row in rows.iterator(chunk_size=5000)}


def ingest_epoch() -> int:
    """A number that moves whenever `ingest_index` may have changed; one row read by primary key."""
    return models.Epoch.objects.values_list("number", flat=True).first() or 0
