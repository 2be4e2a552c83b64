"""All checks in order; the first that fails ends the run and says what to do. `--quick` leaves the tests out."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

QUICK: tuple[tuple[str, list[str]], ...] = (
    ("format", [str(BIN / "ruff"), "format", "--check", "-q", "."]),
    ("lint", [str(BIN / "ruff"), "check", "-q", "."]),
    ("texts", [sys.executable, "tools/texts.py", "compile"]),
    ("types", [str(BIN / "mypy")]),
    ("floors", [str(BIN / "lint-imports")]),
)

Step = tuple[str, list[str], dict[str, str]]

#: Steps that run side by side, one a core, then what must have the machine for itself.
TESTS: tuple[tuple[Step, ...], ...] = (
    (
        (
            "tests on SQLite",
            ["-m", "pytest", "-q", "tests", "--ignore=tests/browser"],
            {"KROG_TEST_ENGINE": "sqlite"},
        ),
        (
            "tests on PostgreSQL",
            ["-m", "pytest", "-q", "tests/nouns", "tests/web"],
            {"KROG_TEST_ENGINE": "postgres"},
        ),
    ),
    # The browser's driver keeps an event loop in the main thread, and its journeys wait for pages.
    (("journeys in a browser", ["-m", "pytest", "-q", "tests/browser"], {"KROG_TEST_ENGINE": "sqlite"}),),
)

NEEDS = (("chromium", "chromium"), ("mosquitto_pub", "mosquitto-clients"), ("git", "git"))


def missing() -> list[str]:
    """Debian packages that the tests need and this machine lacks."""
    found = [package for program, package in NEEDS if not shutil.which(program)]
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and not os.environ.get("KROG_TEST_POSTGRES"):
        found.append("postgresql")
    return found


def run(step: Step, home: str, out: IO[bytes] | None = None) -> int:
    """Runs one step and says how it ended; its words go to `out`, or straight to the terminal."""
    name, command, extra = step
    began = time.monotonic()
    print(f"── {name} …", flush=True)
    env = {"KROG_VAR": home, **os.environ, **extra}
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, stdout=out, stderr=out and subprocess.STDOUT)
    if out is not None:
        out.seek(0)
        sys.stdout.buffer.write(out.read())
    took = f"({time.monotonic() - began:.0f} s)"
    print(f"── {name} failed {took}" if done.returncode else f"── {name}: good {took}", flush=True)
    return done.returncode


def side_by_side(steps: Sequence[Step], home: str) -> int:
    """Runs steps at the same time, each with a file of its own for what it says; gives the first bad exit code."""
    with ThreadPoolExecutor(len(steps)) as pool, ExitStack() as files:
        outs = [files.enter_context(tempfile.TemporaryFile()) for _ in steps]
        codes = list(pool.map(lambda pair: run(pair[0], home, pair[1]), zip(steps, outs, strict=True)))
    return next((code for code in codes if code), 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    if not quick and (lacking := missing()):
        print(f"The tests need more programs. Type:\n  sudo apt-get install {' '.join(lacking)}", file=sys.stderr)
        return 1
    home = tempfile.mkdtemp(prefix="krog-check-")
    for name, command in QUICK:
        if code := run((name, command, {}), home):
            return code
    for group in () if quick else TESTS:
        steps = [(name, [sys.executable, *words], extra) for name, words, extra in group]
        if code := run(steps[0], home) if len(steps) == 1 else side_by_side(steps, home):
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
