"""How it goes: `/healthz` of all three roles, and `/metrics` in Prometheus' text form."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from krog.base import times
from krog.engine.ingest import REASONS
from krog.journal import reads as journal
from krog.sources.offloop import off_loop
from krog.web.ingest.http import Reply, json

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
    ("krog_schedule_age_seconds", "gauge", "Seconds since each schedule of the work process last ended."),
    ("krog_schedule_failed", "gauge", "1 where a schedule's last run failed."),
    ("krog_mails", "gauge", "Mails of the outbox by state."),
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


@dataclass(frozen=True)
class Work:
    """What the database says of the work process: seconds since each schedule last ended, those that failed, those
    that are late, mails of the outbox by state; `error` where the database does not answer."""

    ages: Mapping[str, float] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()
    late: tuple[str, ...] = ()
    mails: Mapping[str, int] = field(default_factory=dict)
    error: str = ""


async def work() -> Work:
    """Read off the event loop; health must say what is wrong with the database and not fall itself."""
    try:
        return await off_loop(_work)
    except Exception as failure:
        return Work(error=f"{type(failure).__name__}: {failure}"[:300])


def _work() -> Work:
    found, now = journal.schedule_states(), times.now()
    return Work(
        {each.key: (now - each.finished) / times.SECOND for each in found if each.finished},
        frozenset(each.key for each in found if each.error),
        tuple(each.key for each in found if each.late(now)),
        journal.mail_counts(),
    )


def health(*, mqtt: bool, web: bool, work: Work) -> Reply:
    """200 when every role is well, else 503; says which is not."""
    if work.error:
        worked = "unknown"
    elif not work.ages:
        worked = "never ran"
    else:
        worked = f"late: {', '.join(work.late)}" if work.late else "ok"
    said = {
        "ingest": "ok", "mqtt": "ok" if mqtt else "down", "web": "ok" if web else "down", "work": worked,
        "database": "down" if work.error else "ok",
    }  # fmt: skip
    well = all(state == "ok" for state in said.values())
    return json(200 if well else 503, {"status": "ok" if well else "degraded", **said})


def metrics(values: Mapping[str, float], reasons: Mapping[str, float], work: Work) -> Reply:
    """All of METRICS; a value that is missing is left out."""
    labelled: dict[str, list[str]] = {
        "krog_observations_not_accepted_total": [f'{{reason="{each}"}} {reasons.get(each, 0):g}' for each in REASONS],
        "krog_schedule_age_seconds": [f'{{schedule="{key}"}} {age:g}' for key, age in sorted(work.ages.items())],
        "krog_schedule_failed": [f'{{schedule="{key}"}} {int(key in work.failed)}' for key in sorted(work.ages)],
        "krog_mails": [f'{{state="{state}"}} {number}' for state, number in sorted(work.mails.items())],
    }
    lines = []
    for name, kind, about in METRICS:
        samples = labelled.get(name, [f" {values[name]:.10g}"] if name in values else [])
        if samples:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *(name + sample for sample in samples)]
    return Reply(200, ("\n".join(lines) + "\n").encode(), "text/plain; version=0.0.4; charset=utf-8")
