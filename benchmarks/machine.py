"""What every measure says of the machine it ran on, and a Krog of its own to measure."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def about() -> dict[str, Any]:
    """Machine, versions and the load before the measure."""
    model = (
        re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        if Path("/proc/cpuinfo").exists()
        else None
    )
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "cpu": model[1] if model else platform.processor(),
        "python": platform.python_version(),
        "load": [round(each, 2) for each in os.getloadavg()],
    }


def report(name: str, **figures: Any) -> None:
    """Prints the measure as one JSON document."""
    print(json.dumps({"bench": name, "machine": about(), **figures}, indent=2))


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Running:
    """A Krog that runs for a measure."""

    url: str
    var: Path
    process: subprocess.Popen[str]
    started_s: float
    log: Path

    @property
    def key(self) -> str:
        return (self.var / "demo-key").read_text().strip()

    @property
    def password(self) -> str:
        return (self.var / "demo-password").read_text().strip()

    def memory_mb(self) -> dict[str, float]:
        """Proportional set size in MB of each process of the group, by its role."""
        found: dict[str, float] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getpgid(int(folder.name)) != self.process.pid:
                    continue
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                pss = re.search(r"^Pss:\s+(\d+)", (folder / "smaps_rollup").read_text(), re.M)
            except (OSError, ProcessLookupError):
                continue
            line = " ".join(words)
            roles = (("asgi", "ingest"), ("wsgi", "web"), ("run work", "work"), ("replay", "replay"))
            role = next((role for mark, role in roles if mark in line), "supervisor")
            found[role] = found.get(role, 0) + int(pss[1]) / 1024 if pss else 0
        return {role: round(size, 1) for role, size in sorted(found.items())}


def wait_for(url: str, seconds: float = 120) -> float:
    """Seconds until the address answers 200."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if answer.status == 200:
                    return time.monotonic() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within {seconds} s")


@contextmanager
def demo(city: str = "kranj", port: int = 8611) -> Iterator[Running]:
    """A demo of its own in a folder of its own, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="krog-bench-") as home:
        log = Path(home) / "demo.log"
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "krog.cli.main", "demo", city, "--port", str(port), "--var", f"{home}/var"],
            cwd=ROOT,
            stdout=log.open("w"),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            found = None
            while found is None and time.monotonic() - began < 120:
                time.sleep(0.1)
                found = re.search(r"Krog is running:\s+(\S+)/", log.read_text())
                if process.poll() is not None:
                    raise SystemExit(log.read_text())
            if found is None:
                raise SystemExit(log.read_text())
            yield Running(found[1], Path(home) / "var", process, time.monotonic() - began, log)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
