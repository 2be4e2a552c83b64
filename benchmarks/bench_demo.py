"""`make demo` in a fresh clone with warm package caches: seconds to the first page, MB of the process group."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.machine import ROOT, Running, report, wait_for

PORT = 8621


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="krog-demo-") as home:
        clone = Path(home) / "krog"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        log = Path(home) / "demo.log"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("KROG_", "VIRTUAL_ENV", "DJANGO_"))}
        began = time.monotonic()
        process = subprocess.Popen(
            ["make", "demo", f"PORT={PORT}", f"VAR={home}/var"],
            cwd=clone,
            stdout=log.open("w"),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=env,
        )
        try:
            wait_for(f"http://127.0.0.1:{PORT}/sl/", 300)
            first = time.monotonic() - began
            running = Running(f"http://127.0.0.1:{PORT}", Path(home) / "var", process, first, log)
            time.sleep(90)
            memory = running.memory_mb()
            report(
                "demo", first_page_s=round(first, 1), memory_mb=memory, memory_total_mb=round(sum(memory.values()), 1)
            )
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


if __name__ == "__main__":
    main()
