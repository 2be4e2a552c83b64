"""/healthz and /metrics: whether every role works, and the numbers that operators watch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from krog.base import times
from krog.engine import ingest
from krog.journal import reads as journal
from krog.web.ingest.asgi import Send, answer, answer_json

#: Names and meaning of what /metrics gives; `krog_` goes before each.
NAMES = {
    "observations_total": ("counter", "Messages by what became of them, since the start of the process."),
    "store": ("gauge", "Counters of the hot store's writer."),
    "live_listeners": ("gauge", "Pages that follow live values."),
    "mqtt_clients": ("gauge", "Connected MQTT clients."),
    "schedule_age_seconds": ("gauge", "Seconds since a schedule last finished."),
    "schedule_failed": ("gauge", "1 where a schedule's last run failed."),
    "mails": ("gauge", "Mails of the outbox by state."),
    "uptime_seconds": ("counter", "Seconds since this process started."),
}
_started = time.monotonic()


def _database() -> dict[str, Any]:
    """What the work process wrote last, read off the event loop; says so when the database does not answer."""
    close_old_connections()
    try:
        states = journal.schedule_states()
        late = [state.key for state in states if state.late(times.now())]
        return {"schedules": states, "late": late, "mails": journal.mail_counts(), "error": ""}
    except Exception as failure:  # Whatever is wrong with the database, health must say it and not fall itself.
        return {"schedules": [], "late": [], "mails": {}, "error": f"{type(failure).__name__}: {failure}"[:300]}
    finally:
        close_old_connections()


async def healthz(send: Send, *, pages: bool) -> None:
    """200 when ingest, pages, work and the database are well; 503 naming what is not."""
    found = await sync_to_async(_database, thread_sensitive=False)()
    roles = {
        "ingest": "ok",
        "web": "ok" if pages else "not answering",
        "work": "ok"
        if found["schedules"] and not found["late"]
        else f"late: {', '.join(found['late']) or 'never ran'}",
        "database": found["error"] or "ok",
    }
    well = all(state == "ok" for state in roles.values())
    await answer_json(send, 200 if well else 503, {"status": "ok" if well else "degraded", "roles": roles})


def _lines(name: str, values: Mapping[str, float], label: str = "") -> list[str]:
    kind, about = NAMES[name]
    lines = [f"# HELP krog_{name} {about}", f"# TYPE krog_{name} {kind}"]
    for key, value in sorted(values.items()):
        lines.append(f'krog_{name}{{{label}="{key}"}} {value:g}' if label else f"krog_{name} {value:g}")
    return lines


async def metrics(send: Send, *, listeners: int, mqtt_clients: int) -> None:
    """Prometheus' text form."""
    own = ingest.metrics()
    found = await sync_to_async(_database, thread_sensitive=False)()
    now = times.now()
    lines = [
        *_lines("observations_total", {k: v for k, v in own.items() if not k.startswith("store_")}, "fate"),
        *_lines("store", {k.removeprefix("store_"): v for k, v in own.items() if k.startswith("store_")}, "name"),
        *_lines("live_listeners", {"": listeners}),
        *_lines("mqtt_clients", {"": mqtt_clients}),
        *_lines("schedule_age_seconds", {s.key: (now - s.finished) / 1e6 for s in found["schedules"]}, "schedule"),
        *_lines("schedule_failed", {s.key: float(bool(s.error)) for s in found["schedules"]}, "schedule"),
        *_lines("mails", {state: float(count) for state, count in found["mails"].items()}, "state"),
        *_lines("uptime_seconds", {"": time.monotonic() - _started}),
        "",
    ]
    await answer(send, 200, "\n".join(lines).encode(), b"text/plain; version=0.0.4; charset=utf-8")
