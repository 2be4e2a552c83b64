"""All checks in order; the first that fails ends the run and says what to do. `--quick` leaves the tests out."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent

QUICK: tuple[tuple[str, list[str]], ...] = (
    ("format", [str(BIN / "ruff"), "format", "--check", "-q", "."]),
    ("lint", [str(BIN / "ruff"), "check", "-q", "."]),
    ("texts", [sys.executable, "tools/texts.py", "compile"]),
    ("types", [str(BIN / "mypy")]),
    ("floors", [str(BIN / "lint-imports")]),
)

TESTS: tuple[tuple[str, list[str], dict[str, str]], ...] = (
    ("tests on SQLite", ["-m", "pytest", "-q", "tests", "--ignore=tests/browser"], {"KROG_TEST_ENGINE": "sqlite"}),
    # By themselves: the browser's driver keeps an event loop in the main thread.
    ("journeys in a browser", ["-m", "pytest", "-q", "tests/browser"], {"KROG_TEST_ENGINE": "sqlite"}),
    ("tests on PostgreSQL", ["-m", "pytest", "-q", "tests/nouns", "tests/web"], {"KROG_TEST_ENGINE": "postgres"}),
)

NEEDS = (("chromium", "chromium"), ("mosquitto_pub", "mosquitto-clients"), ("git", "git"))


def missing() -> list[str]:
    """Debian packages that the tests need and this machine lacks."""
    found = [package for program, package in NEEDS if not shutil.which(program)]
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and not os.environ.get("KROG_TEST_POSTGRES"):
        found.append("postgresql")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    if not quick and (lacking := missing()):
        print(f"The tests need more programs. Type:\n  sudo apt-get install {' '.join(lacking)}", file=sys.stderr)
        return 1
    steps = [(name, command, {}) for name, command in QUICK]
    if not quick:
        steps += [(name, [sys.executable, *words], extra) for name, words, extra in TESTS]
    home = tempfile.mkdtemp(prefix="krog-check-")
    for name, command, extra in steps:
        began = time.monotonic()
        print(f"── {name} …", flush=True)
        done = subprocess.run(command, cwd=ROOT, env={"KROG_VAR": home, **os.environ, **extra}, check=False)
        if done.returncode:
            print(f"── {name} failed", file=sys.stderr)
            return done.returncode
        print(f"── {name}: good ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
