"""The code knows no city: what one is called, and the keys of its things, stand in its folder only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CITIES = sorted(path.parent for path in (ROOT / "cities").glob("*/city.toml"))
#: Measured facts of stations of the national network: their names are data.
DATA = {Path("src/krog/sources/simulate/profiles/arso_stations.csv")}
TEXTS = {".py", ".html", ".js", ".toml", ".txt", ".css", ".md", ".po", ".csv"}


def _names(city: Path) -> set[str]:
    """What would give a city away: its name and key, and the keys of what only it has."""
    document = tomllib.loads((city / "city.toml").read_text("utf-8"))
    found = {document["key"], document["name"]}
    for file, kinds in (
        ("people.toml", ("organisation",)),
        ("territories.toml", ("territory",)),
        ("streams.toml", ("thing", "datastream")),
    ):
        declared = tomllib.loads((city / file).read_text("utf-8"))
        found |= {one["key"] for kind in kinds for one in declared[kind] if kind != "organisation" or "-" in one["key"]}
    return {name for name in found if len(name) > 5 or name in (document["key"], document["name"])}


def _sources() -> Iterator[Path]:
    for top in ("src", "frontend/src"):
        for file in sorted((ROOT / top).rglob("*")):
            known = file.relative_to(ROOT) in DATA or "static/krog" in file.as_posix()
            if file.is_file() and file.suffix in TEXTS and not known:
                yield file


@pytest.mark.parametrize("city", CITIES, ids=lambda path: path.name)
def test_no_source_names_a_city(city: Path) -> None:
    words = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(_names(city))))})(?![\w-])", re.IGNORECASE)
    found = [
        f"{file.relative_to(ROOT)}:{number}: {hit[0]}"
        for file in _sources()
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if (hit := words.search(line))
    ]
    assert found == []


def test_there_is_more_than_one_city() -> None:
    assert len(CITIES) >= 2
