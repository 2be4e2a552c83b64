"""Pages of many records in an order that an index has, and counts that are kept until something changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Max, Min, Q, QuerySet

from krog.registers import indexes, models
from krog.registers.schema import Field

#: Seconds that a count is kept; it is that of one counter, so that it is never a stale one.
KEEP_S = 3600

_Rows = QuerySet[models.Record]


@dataclass(frozen=True)
class Order:
    """By `title`, `key`, `changed` or the `value` of a field; `down`: from the greatest. Records without a value come
    last either way."""

    by: str
    down: bool = False
    field: Field | None = None


def page(rows: _Rows, order: Order, limit: int, offset: int, counter: int) -> list[models.Record]:
    """The records from `offset` in this order."""
    sign = "-" if order.down else ""
    if order.by != "value" or order.field is None:
        columns = ("title", "key") if order.by == "title" else (order.by, "key") if order.by != "key" else ("key",)
        return _read(rows.order_by(*(f"{sign}{column}" for column in columns)), offset, offset + limit)
    # In two parts, because no index of both engines has those without a value last in both directions.
    valued = rows.alias(sorted_by=indexes.Value(order.field)).filter(sorted_by__isnull=False)
    found = _read(valued.order_by(f"{sign}sorted_by", f"{sign}key"), offset, offset + limit)
    if len(found) < limit:
        before = max(offset - count(valued, counter), 0) if offset and not found else 0
        empty = rows.alias(sorted_by=indexes.Value(order.field)).filter(sorted_by__isnull=True).order_by("key")
        found += _read(empty, before, before + limit - len(found))
    return found


def _read(rows: _Rows, start: int, end: int) -> list[models.Record]:
    """Some of the rows: first which, from an index or by sorting no more than their numbers, then what they say."""
    numbers = list(rows.values_list("pk", flat=True)[start:end])
    known = models.Record.objects.in_bulk(numbers)
    return [known[number] for number in numbers if number in known]


def _name(rows: _Rows, counter: int) -> str:
    sql, wanted = rows.query.sql_with_params()
    said = f"{rows.db} {counter} {sql} {wanted!r}"
    return "registers-count-" + hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()


def count(rows: _Rows, counter: int, most: int | None = None) -> int:
    """How many there are: counted once for each state of the register (its `counter`). Exact up to `most`; one more
    than that says that there are more."""
    name = f"{_name(rows, counter)}-{most or 0}"
    found: int | None = cache.get(name)
    if found is None:
        found = rows.count() if most is None else rows[: most + 1].count()
        cache.set(name, found, KEEP_S)
    return found


def extent(rows: _Rows, counter: int) -> tuple[float, float, float, float] | None:
    """West, south, east and north of the rows, once for each state of the register; None where none has a place."""
    name = f"{_name(rows, counter)}-extent"
    found = cache.get(name)
    if found is None:
        sides = rows.aggregate(w=Min("min_lon"), s=Min("min_lat"), e=Max("max_lon"), n=Max("max_lat"))
        found = tuple(sides.values())
        cache.set(name, found, KEEP_S)
    return found if found[0] is not None else None


def counts(registers: Sequence[tuple[models.Register, Q]]) -> dict[int, int]:
    """How many records each register has of those that a condition lets through, in one query for those not known."""
    asked = {
        row.pk: (f"{_name(models.Record.objects.filter(seen, register_id=row.pk, retired=False), row.counter)}-0", seen)
        for row, seen in registers
    }
    known = cache.get_many([name for name, _seen in asked.values()])
    found = {pk: known[name] for pk, (name, _seen) in asked.items() if name in known}
    if missing := {pk: seen for pk, (_name, seen) in asked.items() if pk not in found}:
        whole = [pk for pk, seen in missing.items() if not seen]
        wanted = Q(register_id__in=whole)
        for pk, seen in missing.items():
            if seen:
                wanted |= Q(register_id=pk) & seen
        rows = models.Record.objects.filter(wanted, retired=False).values_list("register_id")
        counted = dict(rows.annotate(n=Count("id")))
        found |= {pk: counted.get(pk, 0) for pk in missing}
        cache.set_many({asked[pk][0]: found[pk] for pk in missing}, KEEP_S)
    return found
