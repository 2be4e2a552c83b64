"""Indicators for tests: the night losses of a small water zone, with readings in the lake."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from krog.base import times
from krog.base.declaration import Change
from krog.base.grant import ANONYMOUS
from krog.base.origin import Origin
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine.tier import Tier
from krog.indicators import reads, verbs
from krog.lake import snapshot
from krog.lake.shapes import Row
from krog.people.permissions import SYSTEM
from krog.streams import reads as streams
from tests import sensing
from tests.formulas import NIGHT_LOSSES


def indicator(**about: Any) -> dict[str, Any]:
    """The fields of a computed indicator of days."""
    return {
        "code": "N1",
        "title": {"sl": "Nočne izgube", "en": "Night losses"},
        "definition": {},
        "unit": "m3/h",
        "decimals": 2,
        "direction": "down",
        "period": "day",
        "kind": "computed",
        "dataset": "tus-indicators",
        "office": "vodovod",
        "formula": NIGHT_LOSSES,
        **about,
    }


def entered(**about: Any) -> dict[str, Any]:
    """The fields of an indicator whose yearly value Ana enters and Bor confirms."""
    return indicator(
        **{
            "code": "K3.1",
            "title": {"sl": "Primarna energija javnih stavb", "en": "Primary energy of public buildings"},
            "unit": "MW.h/a",
            "decimals": 1,
            "period": "year",
            "kind": "entered",
            "formula": {},
            "office": "energetika",
            "owner": "ana",
            "confirmer": "bor",
            "due": "03-31",
            **about,
        }
    )


def declare(**indicators: Mapping[str, Any]) -> None:
    """Declares indicators (`_` in a name is `-` in the key)."""
    changes = [Change(name.replace("_", "-"), about) for name, about in indicators.items()]
    verbs.declare_indicators(SYSTEM, changes=changes)


def target(key: str, indicator: str, **about: Any) -> None:
    """Declares one target."""
    fields = {
        "indicator": indicator,
        "date": "2030",
        "type": "absolute",
        "op": "",
        "value": None,
        "value_to": None,
        "unit": "",
        "raw": "",
        "parse_status": "ok",
        "note": "",
        **about,
    }
    verbs.declare_targets(SYSTEM, changes=[Change(key, fields)])


def known(indicator: str, **values: float | None) -> None:
    """Adds official values of years: `known("k1.1", y2014=22144, y2023=25353)`."""
    fields = {year[1:]: {"indicator": indicator, "period": year[1:], "value": v, "source": "SURS"}
              for year, v in values.items()}  # fmt: skip
    changes = [Change(f"{indicator}.{year}", about) for year, about in fields.items()]
    verbs.declare_values(SYSTEM, changes=changes)


def standing_of(key: str) -> Any:
    """Where an indicator stands to its next target, as the public sees it."""
    return reads.standings(door.open(ANONYMOUS, "portal", kind="indicators"), [key])[key].evaluation


def fresh() -> None:
    """An empty hot store and an empty lake."""
    sensing.clear()
    shutil.rmtree(settings().path("lake"), ignore_errors=True)
    snapshot._load.cache_clear()


def zone(deliveries: int = 3) -> list[str]:
    """The datastreams of the zone: one inflow and some deliveries; returns their keys."""
    sensing.dataset("mlaka-water", noun="streams")
    sensing.dataset("tus-indicators", noun="indicators")
    names = [f"mlaka-d{number}" for number in range(1, deliveries + 1)]
    sensing.declare(
        mlaka_inflow=sensing.stream(),
        **{name.replace("-", "_"): sensing.stream(role="delivery") for name in names},
    )
    return ["mlaka-inflow", *names]


def night(day: date, readings: Mapping[str, Sequence[float | None]], *, origin: Origin = Origin.MEASURED) -> None:
    """Stores readings of the night of `day`: 24 values from 02:00, one every 5 minutes (None: a gap)."""
    numbers = {key: one.id for key, one in streams.ingest_index().items()}
    start = times.start_of_day(day, settings().timezone) + 2 * times.HOUR
    rows = [
        Row(numbers[key], start + index * 5 * times.MINUTE, float(value), origin=int(origin))
        for key, values in readings.items()
        for index, value in enumerate(values)
        if value is not None
    ]
    with sensing.hot() as store:
        store.submit(rows).result(timeout=30)


def to_lake() -> None:
    """Moves everything that was stored to the lake."""
    here = settings()
    tier = Tier(here.path("hot"), here.path("lake"), hot_days=8)
    try:
        tier.move()
    finally:
        tier.close()


def days_ago(days: int) -> date:
    """A local day before today."""
    return times.local_date(times.now(), settings().timezone) - timedelta(days=days)
