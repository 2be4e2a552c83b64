"""200 indicators with ten years of monthly values: list and pages of one, p50 and p95 in ms and queries, as JSON."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from typing import Any

INDICATORS = int(os.environ.get("INDICATORS", "200"))
TIMES = int(os.environ.get("TIMES", "20"))
YEARS = range(2016, 2026)


def _prepare() -> None:
    home = tempfile.mkdtemp(prefix="krog-bench-")
    os.environ.setdefault("KROG_VAR", home)
    os.environ.setdefault("KROG_DEMO", "true")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _city() -> None:
    """Indicators of ten parts of a plan, each with a baseline, two targets and a value of every month."""
    from krog.base.declaration import Change
    from krog.catalogue import door
    from krog.catalogue import verbs as catalogue
    from krog.indicators import verbs
    from krog.people.permissions import SYSTEM

    about = {"title": {"en": "Indicators"}, "noun": "indicators", "access": "public"}
    catalogue.declare_datasets(SYSTEM, changes=[Change("town-indicators", about)])
    door.forget()
    fields: dict[str, Any] = {
        "definition": {"sl": "Kako se šteje", "en": "How it is counted"},
        "unit": "1",
        "decimals": 0,
        "direction": "up",
        "period": "month",
        "kind": "imported",
        "dataset": "town-indicators",
        "formula": {},
        "baseline": {"period": "2016-01", "value": 100.0},
    }
    keys = [f"i{number:03d}" for number in range(INDICATORS)]
    verbs.declare_indicators(
        SYSTEM,
        changes=[
            Change(
                key,
                {
                    **fields,
                    "title": {"sl": f"Kazalnik {key} z dolgim naslovom, kot so v načrtih", "en": f"Indicator {key}"},
                    "theme": f"part{number % 10}",
                    "level": "result" if number % 3 == 0 else "",
                    "order": number,
                },
            )
            for number, key in enumerate(keys)
        ],
    )
    target = {"type": "absolute", "op": ">=", "value_to": None, "unit": "", "raw": "", "parse_status": "ok", "note": ""}
    verbs.declare_targets(
        SYSTEM,
        changes=[
            Change(f"{key}.{year}", {**target, "indicator": key, "date": year, "value": value})
            for key in keys
            for year, value in (("2030", 300.0), ("2035", 400.0))
        ],
    )
    for key in keys:
        verbs.declare_values(
            SYSTEM,
            changes=[
                Change(
                    f"{key}.{year}-{month:02d}",
                    {
                        "indicator": key,
                        "period": f"{year}-{month:02d}",
                        "value": 100.0 + 12 * (year - YEARS[0]) + month,
                        "source": "Made up",
                    },
                )
                for year in YEARS
                for month in range(1, 13)
            ],
        )


def _measured(address: str) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "127.0.0.1"})
    began = time.perf_counter()
    status = client.get(address).status_code
    first = (time.perf_counter() - began) * 1000
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        client.get(address)
        taken.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(taken, n=20)
    return {
        "status": status,
        "first_ms": round(first),
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": round(cuts[18], 1),
        "queries": len(queries),
    }


def main() -> None:
    _prepare()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    began = time.perf_counter()
    _city()
    filled = time.perf_counter() - began
    from krog.engine.compute.asking import ask_due

    with CaptureQueriesContext(connection) as asking:
        ask_due()
    pages = ("/sl/indicators/", "/sl/indicators/?theme=part3", "/sl/indicators/?sort=state&offset=60")
    found = {page: _measured(page) for page in (*pages, "/sl/indicators/i007", "/api/v1/indicators/")}
    print(
        json.dumps(
            {
                "bench": "indicators",
                "indicators": INDICATORS,
                "values": INDICATORS * len(YEARS) * 12,
                "filled_s": round(filled, 1),
                "ask_due_queries": len(asking),
                "pages": found,
            }
        )
    )


if __name__ == "__main__":
    main()
