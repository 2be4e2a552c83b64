"""A lake of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from krog.base.settings import Settings, settings


@pytest.fixture()
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose hot store and lake stand in the test's own folder."""
    monkeypatch.setenv("KROG_VAR", str(tmp_path))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()
