"""Makes what was written survive a loss of power: fsync of files and of the folders that name them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from krog.base.errors import Conflict


def sync(file: Path) -> None:
    """Returns when the file's content is on the disk."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path, top: Path) -> None:
    """The same for the names in `folder` and in every folder above it up to `top`."""
    while True:
        sync(folder)
        if folder == top or folder == folder.parent:
            return
        folder = folder.parent


def lease(file: Path, conflict: Conflict) -> IO[str]:
    """Holds `file` for this process until it is closed or the process ends; raises `conflict` if another holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    held = open(file, "w")  # noqa: SIM115 (open as long as it is held)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise conflict from None
    return held
