"""`krog apply CITY` on an empty database, and once more without a change, in seconds. Asked: ≤ 20 s and ≤ 3 s."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import ROOT, report

CITIES = ("kranj", "koper")


def apply(city: str, var: Path) -> dict[str, float]:
    """One run of the command: wall and CPU seconds."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KROG_", "PYTHONDONTWRITE"))}
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    command = [str(Path(sys.executable).parent / "krog"), "apply", f"cities/{city}", "--yes"]
    subprocess.run(command, cwd=ROOT, env={**env, "KROG_VAR": str(var)}, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {"wall_s": round(time.monotonic() - began, 2), "cpu_s": round(cpu, 2)}


def main() -> None:
    figures = {}
    for city in CITIES:
        with tempfile.TemporaryDirectory(prefix="krog-apply-") as var:
            figures[city] = {"empty": apply(city, Path(var)), "unchanged": apply(city, Path(var))}
    report("apply", **figures)


if __name__ == "__main__":
    main()
