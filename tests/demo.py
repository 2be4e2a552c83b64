"""A whole Krog for tests: `krog demo CITY` in a process group of its own, on free ports, in a folder of its own."""

from __future__ import annotations

import email
import email.policy
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Krog:
    """A running demo."""

    url: str
    var: Path
    mqtt_port: int
    mail_port: int
    log: Path
    pid: int

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def password(self) -> str:
        return (self.var / "demo-password").read_text().strip()

    @property
    def key(self) -> str:
        return (self.var / "demo-key").read_text().strip()

    def mails(self, to: str = "") -> list[EmailMessage]:
        """The mails that the demo has delivered, oldest first."""
        found = []
        for file in sorted((self.var / "mail").glob("**/new/*"), key=lambda f: f.stat().st_mtime_ns):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if not to or to in str(mail["To"]):
                found.append(mail)
        return found  # type: ignore[return-value]

    def command(self, *words: str, given: str = "") -> str:
        """What `krog <words>` prints about this demo's data."""
        env = {**_environment(), "KROG_VAR": str(self.var), "KROG_DEMO": "true"}
        done = subprocess.run(
            [sys.executable, "-m", "krog.cli.main", *words],
            cwd=ROOT, env=env, input=given, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


def wait_until(question: Callable[[], object], seconds: float, what: str) -> object:
    """What `question` answers as soon as it is true; fails naming `what` after the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := question():
            return answer
        time.sleep(0.25)
    pytest.fail(f"After {seconds} s still no {what}.")


@contextmanager
def running(home: Path, city: str = "kranj") -> Iterator[Krog]:
    """The demo, from its start to its end; everything that it writes is in `home`."""
    log = home / "demo.log"
    words = ["demo", city, "--port", str(_free_port()), "--var", str(home / "var")]
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "krog.cli.main", *words],
            cwd=ROOT, env=_environment(), stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: "Krog is running" in log.read_text() or process.poll() is not None, 240, "running demo")
        said = log.read_text()
        assert process.poll() is None, said
        url = re.search(r"Krog is running:\s+(\S+)/", said)
        mqtt = re.search(r"mosquitto_pub -p (\d+)", said)
        mail = re.search(r"by mail \(SMTP\) on port (\d+)", said)
        assert url and mqtt and mail, said
        yield Krog(url[1], home / "var", int(mqtt[1]), int(mail[1]), log, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KROG_", "DJANGO_"))}
    if shared := os.environ.get("KROG_SHARED"):
        env["KROG_SHARED"] = shared
    return env


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
