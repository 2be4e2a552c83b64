"""Pages under the whole process group: p50 and p95 in ms, bytes, queries. Asked: ≤ 12 queries, p95 ≤ 150 ms."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

from benchmarks.machine import ROOT, Running, demo, percentile, report

PAGES = (
    "/sl/",
    "/sl/now/",
    "/sl/streams/",
    "/sl/streams/mlaka-inflow",
    "/sl/registers/",
    "/sl/registers/mlaka-points",
    "/sl/indicators/",
    "/sl/indicators/night-losses",
    "/sl/plans/",
    "/sl/plans/tus-2030",
    "/sl/plans/tus-2030/u3.2.4",
    "/sl/cases/report",
    "/sl/datasets/",
    "/sl/datasets/mlaka-water",
    "/sl/voice/",
)
RUNS = 60

COUNT = """
import json, sys, django
django.setup()
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
found = {}
for page in json.loads(sys.argv[1]):
    client = Client(headers={"host": "127.0.0.1"})
    client.get(page)
    with CaptureQueriesContext(connection, ) as seen:
        answer = client.get(page)
    found[page] = [answer.status_code, len(seen)]
print(json.dumps(found))
"""


def queries(running: Running) -> dict[str, list[int]]:
    """Status and number of queries of each page, warm, in a process of its own on the same data."""
    env = {
        **os.environ,
        "KROG_VAR": str(running.var),
        "KROG_DEMO": "true",
        "DJANGO_SETTINGS_MODULE": "krog.web.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", COUNT, json.dumps(PAGES)], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    with demo() as running:
        time.sleep(float(os.environ.get("SETTLE_S", "60")))
        counted = queries(running)
        host = urlsplit(running.url)
        connection = http.client.HTTPConnection(host.hostname or "", host.port)
        figures = {}
        for page in PAGES:
            took, size, status = [], 0, 0
            for _ in range(RUNS):
                began = time.perf_counter()
                connection.request("GET", page)
                answer = connection.getresponse()
                size, status = len(answer.read()), answer.status
                took.append((time.perf_counter() - began) * 1000)
            figures[page] = {
                "status": status,
                "p50_ms": round(percentile(took, 0.5), 1),
                "p95_ms": round(percentile(took, 0.95), 1),
                "bytes": size,
                "queries": counted[page][1],
            }
        report("pages", runs=RUNS, pages=figures, memory_mb=running.memory_mb())


if __name__ == "__main__":
    main()
