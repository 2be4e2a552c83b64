"""Floor 1: observed facts. Everything that reads observations calls the functions named here; see `reader`."""

from krog.lake.reader import (
    aside,
    aside_by_id,
    aside_counts,
    count,
    counters,
    last_id,
    latest,
    observations,
    series,
    since,
    summary,
    totals,
)
from krog.lake.shapes import Aside, Bucket, Cursor, Latest, Observation, Summary

__all__ = [
    "Aside",
    "Bucket",
    "Cursor",
    "Latest",
    "Observation",
    "Summary",
    "aside",
    "aside_by_id",
    "aside_counts",
    "count",
    "counters",
    "last_id",
    "latest",
    "observations",
    "series",
    "since",
    "summary",
    "totals",
]
