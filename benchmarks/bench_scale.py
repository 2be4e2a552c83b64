"""Pages of a city with 10^5 records and 10^4 datastreams: queries, p50 and p95 in ms. Asked: ≤ 12 and p95 ≤ 200 ms."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import scale
from benchmarks.machine import percentile, report

RUNS = int(os.environ.get("RUNS", "30"))

#: `{n}` is a number that differs in every run, so that no page is asked twice.
PAGES = (
    "/sl/registers/",
    "/sl/registers/assets?offset={n}",
    "/sl/registers/assets?sort=-installed&offset={n}",
    "/sl/registers/assets?sort=height&offset=9{n}0",
    "/sl/registers/assets?kind=lamp&height.min={n}e-2",
    "/sl/registers/assets?q=presernova+{n}",
    "/sl/registers/assets?q=k-0{n}",
    "/sl/registers/assets?bbox=14.3{n},46.2{n},14.4{n},46.3",
    "/sl/registers/assets?good=true&sort=code",
    "/sl/registers/assets/asset-0{n}",
    "/sl/registers/assets/map.geojson?bbox=14.3{n},46.22,14.4{n},46.26",
    "/sl/streams/?offset={n}",
    "/sl/streams/?property=scale-no2&sort=property",
    "/sl/streams/?q=koroska+{n}",
    "/sl/now/",
    "/sl/",
    "/api/v1/registers/assets/records?limit=100&offset={n}",
)


def measure(pages: tuple[str, ...] = PAGES) -> dict[str, Any]:
    """Each page `RUNS` times in this process, without the network."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    figures = {}
    client = Client(headers={"host": "127.0.0.1"})
    for page in pages:
        client.get(page.replace("{n}", "1"))
        took, most, status, size = [], 0, 0, 0
        for run in range(RUNS):
            address = page.replace("{n}", str(100 + run * 29))
            began = time.perf_counter()
            with CaptureQueriesContext(connection) as seen:
                answer = client.get(address)
                body = answer.getvalue()
            took.append((time.perf_counter() - began) * 1000)
            most, status, size = max(most, len(seen)), answer.status_code, len(body)
        figures[page] = {
            "status": status,
            "queries": most,
            "first_ms": round(took[0], 1),
            "p50_ms": round(percentile(took, 0.5), 1),
            "p95_ms": round(percentile(took, 0.95), 1),
            "bytes": size,
        }
    return figures


def main() -> None:
    """KROG_VAR, where given, names a city that was filled before."""
    given = os.environ.get("KROG_VAR")
    with tempfile.TemporaryDirectory(prefix="krog-bench-") as folder:
        var = Path(given or folder)
        os.environ.update(KROG_VAR=str(var), KROG_DEMO="true", DJANGO_SETTINGS_MODULE="krog.web.settings")
        if not given:
            scale.home(var)
        import django

        django.setup()
        filled = {} if given else scale.fill()
        engine = os.environ.get("KROG_DATABASE", "sqlite:").split(":")[0]
        report("scale", engine=engine, records=scale.RECORDS, streams=scale.STREAMS, filled=filled, pages=measure())


if __name__ == "__main__":
    main()
