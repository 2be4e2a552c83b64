"""Tables of other datasets: a version for each change, and none where nothing changed."""

from __future__ import annotations

import pytest

from krog.base.errors import Invalid, NotFound
from krog.base.settings import Settings
from krog.lake import dataset_table


def test_each_change_is_a_version_and_old_ones_stay_readable(home: Settings) -> None:
    assert dataset_table.version("stations") is None
    first = dataset_table.write_table("stations", [{"key": "a", "depth": 1.5}])
    assert dataset_table.write_table("stations", [{"key": "a", "depth": 1.5}]) == first
    second = dataset_table.write_table("stations", [{"key": "a", "depth": 2.5, "note": "š"}])
    assert second > first
    assert dataset_table.version("stations") == second
    assert dataset_table.read_table("stations", first).to_pylist() == [{"key": "a", "depth": 1.5}]
    assert dataset_table.read_table("stations").to_pylist() == [{"key": "a", "depth": 2.5, "note": "š"}]
    assert all(file.endswith(".parquet") for file in dataset_table.files("stations", first))


def test_what_is_not_there_and_what_cannot_be_is_said(home: Settings) -> None:
    with pytest.raises(NotFound, match="no table stations"):
        dataset_table.read_table("stations")
    with pytest.raises(Invalid, match="cannot name a table"):
        dataset_table.write_table("../stations", [{"a": 1}])
    with pytest.raises(Invalid, match="no columns"):
        dataset_table.write_table("stations", [])
