"""How it goes: `/healthz` of all three roles, and `/metrics` in Prometheus' text form."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from krog.base import times
from krog.engine.ingest import REASONS
from krog.journal import reads as journal
from krog.sources.offloop import off_loop
from krog.web.ingest.http import Reply, json

#: The work process is well when one of its schedules ended within this time.
WORK_S = 120

#: name, type, help of every metric; the README of operators is made of this.
METRICS: tuple[tuple[str, str, str], ...] = (
    ("krog_up", "gauge", "1 while the ingest process answers."),
    ("krog_uptime_seconds", "gauge", "Seconds since the ingest process began."),
    ("krog_observations_accepted_total", "counter", "Observations stored since the process began."),
    ("krog_observations_duplicate_total", "counter", "Observations that had been stored before."),
    ("krog_observations_not_accepted_total", "counter", "Messages in the loss ledger, by reason."),
    ("krog_hot_waiting", "gauge", "Observations that wait for their commit."),
    ("krog_hot_commits_total", "counter", "Commits of the hot store."),
    ("krog_hot_commit_seconds_total", "counter", "Seconds spent in commits."),
    ("krog_hot_failed_total", "counter", "Commits that failed; their senders were not acknowledged."),
    ("krog_mqtt_clients", "gauge", "Connected MQTT clients."),
    ("krog_mqtt_received_total", "counter", "Messages received over MQTT."),
    ("krog_mqtt_dropped_total", "counter", "Messages at QoS 0 not sent to a slow subscriber."),
    ("krog_mqtt_protocol_errors_total", "counter", "MQTT connections ended for breaking the protocol."),
    ("krog_mqtt_refused_total", "counter", "MQTT connections refused, for example for a wrong key."),
    ("krog_live_clients", "gauge", "Connections to /live."),
    ("krog_live_dropped_total", "counter", "Connections to /live ended because the client took nothing."),
    ("krog_forward_active", "gauge", "Requests being handed to the pages."),
    ("krog_loop_lag_seconds", "gauge", "How late the event loop was at its last look."),
    ("krog_work_lag_seconds", "gauge", "Seconds since the work process last ended a schedule; -1 if never."),
)


class Lag:
    """Measures how late the event loop is."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.5)
            self.seconds = max(0.0, time.monotonic() - began - 0.5)

    def close(self) -> None:
        self._task.cancel()


async def work_lag() -> float:
    """Seconds since a schedule of the work process last ended; -1 if none ever did, or nobody can tell."""
    try:
        found = await off_loop(journal.schedule_states)
    except Exception:
        return -1.0
    ended = [state.finished for state in found if state.finished]
    return (times.now() - max(ended)) / times.SECOND if ended else -1.0


def health(*, ingest: bool, mqtt: bool, web: bool, work: float) -> Reply:
    """200 when every role is well, else 503; says which is not."""
    roles = {"ingest": ingest, "mqtt": mqtt, "web": web, "work": 0 <= work < WORK_S}
    well = all(roles.values())
    said = {role: "ok" if good else "down" for role, good in roles.items()}
    return json(200 if well else 503, {"status": "ok" if well else "degraded", **said})


def metrics(values: Mapping[str, float], reasons: Mapping[str, float]) -> Reply:
    """All of METRICS; a value that is missing is left out."""
    lines = []
    for name, kind, about in METRICS:
        if name == "krog_observations_not_accepted_total":
            samples: Sequence[str] = [f'{name}{{reason="{reason}"}} {reasons.get(reason, 0):g}' for reason in REASONS]
        elif name in values:
            samples = [f"{name} {values[name]:.10g}"]
        else:
            continue
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *samples]
    return Reply(200, ("\n".join(lines) + "\n").encode(), "text/plain; version=0.0.4; charset=utf-8")
