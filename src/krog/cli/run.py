"""`krog run`: the whole of Krog as one process group, or one role of it (ingest, web, work)."""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from krog.base.settings import settings

ROLES = ("ingest", "web", "work")

#: A role that ends this often within a minute is not started again; the whole group stops and says so.
RESTARTS = 5


def register(commands: Any) -> None:
    command = commands.add_parser("run", help="run Krog: pages, API, ingest and work on one address")
    command.add_argument("role", nargs="?", choices=ROLES, help="only this role (for production; default: all)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.role:
        return {"ingest": run_ingest, "web": run_web, "work": run_work}[args.role]()
    prepare()
    return Group([[sys.executable, "-m", "krog.cli.main", "run", role] for role in ROLES]).serve()


def prepare() -> None:
    """Brings the database to the tables that this version needs."""
    import django
    from django.core.management import call_command

    Path(settings().var).mkdir(parents=True, exist_ok=True)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def _granian(*words: str) -> int:
    os.execv(
        sys.executable,
        [
            sys.executable,
            "-m",
            "granian",
            "--log-level",
            "warning",
            "--workers",
            "1",
            "--workers-kill-timeout",
            "8",
            "--backpressure",
            "512",
            *words,
        ],
    )


def run_ingest() -> int:
    """The public port: observations, live values, MQTT; everything else is handed to the pages."""
    found = settings()
    return _granian(
        "--interface", "asgi", "--host", found.host, "--port", str(found.port), "--no-ws", "krog.web.ingest.app:app"
    )


def run_web() -> int:
    """The pages and the API, on a Unix socket that the public port forwards to."""
    socket = Path(settings().var).resolve() / "web.sock"
    socket.unlink(missing_ok=True)
    return _granian(
        "--interface", "wsgi", "--uds", str(socket), "--blocking-threads", "4", "--no-ws", "krog.web.wsgi:application"
    )


def run_work() -> int:
    """The schedules (tier, rules, indicators, mails, seals) and the listener for replies by mail."""
    import django

    django.setup()
    from krog.engine import schedule
    from krog.sources.mail.listener import start as start_mail

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    mail = start_mail()
    try:
        schedule.run_forever(schedule.schedules(), stop)
    finally:
        if mail is not None:
            mail.stop()
    return 0


def _die_with_parent() -> None:
    """Linux ends this process when its parent is killed, so that no role outlives the group."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@dataclass
class Child:
    """One process of the group."""

    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    ended: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.command[-1])

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, preexec_fn=_die_with_parent)


class Group:
    """Runs commands side by side: restarts the one that falls, stops all on Ctrl-C or SIGTERM."""

    def __init__(self, commands: Sequence[Sequence[str]], once: Callable[[], None] | None = None):
        self.children = [Child(command) for command in commands]
        self.once = once
        self.stopping = threading.Event()

    def serve(self) -> int:
        """Until stopped; 0 when asked to stop, 1 when a role could not be kept alive."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        code = 0
        try:
            for child in self.children:
                child.start()
            if self.once:
                threading.Thread(target=self.once, daemon=True).start()
            while not self.stopping.wait(0.2):
                if not all(self._alive(child) for child in self.children):
                    code = 1
                    break
        finally:
            self._stop()
        return code

    def _alive(self, child: Child) -> bool:
        if child.process is None or child.process.poll() is None:
            return True
        now = time.monotonic()
        child.ended = [moment for moment in child.ended if now - moment < 60] + [now]
        if len(child.ended) > RESTARTS:
            print(f"krog: {child.name} ended {len(child.ended)} times within a minute; stopping.", file=sys.stderr)
            return False
        print(f"krog: {child.name} ended with {child.process.returncode}; starting it again.", file=sys.stderr)
        time.sleep(min(5.0, 0.5 * len(child.ended)))
        child.start()
        return True

    def _stop(self) -> None:
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + 15
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
