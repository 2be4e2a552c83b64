"""What a replay remembers between its runs: when it first began, and how far each datastream is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec


class Kept(msgspec.Struct):
    """`began` and `sent` in UTC seconds; `sent` by datastream."""

    began: float
    sent: dict[str, float] = {}


class Progress:
    """Kept in a file, so that a demo that is started again goes on where it was; without a file only in memory."""

    def __init__(self, file: Path | None):
        self.file = file
        self._kept = Kept(time.time())
        if file is not None and file.exists():
            try:
                self._kept = msgspec.json.decode(file.read_bytes(), type=Kept)
            except msgspec.DecodeError:
                file.rename(file.with_suffix(".unreadable"))

    @property
    def began(self) -> float:
        return self._kept.began

    def sent(self, datastream: str) -> float:
        """The time of the newest acknowledged reading, 0 where there is none."""
        return self._kept.sent.get(datastream, 0.0)

    def keep(self, sent: Mapping[str, float]) -> None:
        self._kept.sent.update(sent)
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(self._kept))
        os.replace(new, self.file)
