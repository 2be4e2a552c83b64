"""The PostgreSQL that tests use: KROG_TEST_POSTGRES, else a cluster of their own for the time of the run."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path


def _programs() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    sys.exit(
        "The tests need PostgreSQL. Type: sudo apt-get install postgresql   (or set KROG_TEST_POSTGRES=postgres://…)"
    )


def server(home: Path) -> str:
    """The address of a server that this run may make databases on: postgres://user@host:port/name."""
    if given := os.environ.get("KROG_TEST_POSTGRES"):
        return given
    programs = _programs()
    folder = home / "postgres"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = []
    if os.geteuid() == 0:
        folder.mkdir(parents=True)
        home.chmod(0o755)
        shutil.chown(folder, "postgres")
        run = ["runuser", "-u", "postgres", "--"]
    subprocess.run(
        [*run, programs / "initdb", "-D", folder, "-U", "krog", "-A", "trust", "--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    subprocess.run(
        [*run, programs / "pg_ctl", "-D", folder, "-o", options, "-l", folder / "log", "-w", "start"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    atexit.register(
        subprocess.run, [*run, programs / "pg_ctl", "-D", folder, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL
    )
    return f"postgres://krog@127.0.0.1:{port}/postgres"
