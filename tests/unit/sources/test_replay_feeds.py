"""Recordings go round in whole weeks and keep their season; simulated sensors are the same for ever, and balance."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean
from zoneinfo import ZoneInfo

import pytest

from krog.base.errors import Invalid, NotFound
from krog.sources.replay import recipe, recordings
from krog.sources.replay.feeds import DAY_S, RecordedFeed, SimulatedFeed, SteadyFeed, feeds
from krog.sources.replay.progress import Progress
from krog.sources.replay.recipe import Recorded
from krog.sources.simulate.profiles import FOLDER, noise, profile

KRANJ = Path(__file__).parents[3] / "cities" / "kranj"
REAL = Path(os.environ["KROG_SHARED"]) / "data" / "real"
LJUBLJANA = ZoneInfo("Europe/Ljubljana")
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=LJUBLJANA).timestamp()

recorded_ones_are_here = pytest.mark.skipif(
    not REAL.is_dir(), reason="the recordings stay outside the project; KROG_SHARED names where they are"
)


def recording(days: int, every_s: int = 3600, start: str = "2015-08-31 00:00:00") -> list[recordings.Reading]:
    """Values count up from a Monday's midnight."""
    first = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp()
    return [(first + n * every_s, float(n)) for n in range(days * DAY_S // every_s)]


def feed(readings: list[recordings.Reading]) -> RecordedFeed:
    return RecordedFeed("a", readings, LJUBLJANA, 1, NOW)


def test_a_recording_keeps_weekday_and_hour() -> None:
    played = list(feed(recording(days=17)).history(NOW - 35 * DAY_S, NOW))
    assert len(played) == pytest.approx(35 * 24, abs=2)
    for moment, value in played:
        then = datetime.fromtimestamp(moment, LJUBLJANA)
        assert (then.weekday() * 24 + then.hour) == value % (7 * 24)
        assert value < 14 * 24, "a part of a week is left out"


def test_a_recording_of_a_year_keeps_its_season() -> None:
    year = feed(recording(days=390, start="2004-03-10 00:00:00"))
    moment, value = list(year.history(NOW - DAY_S, NOW))[-1]
    then = datetime(2004, 3, 10, tzinfo=UTC).timestamp() + value * 3600
    assert abs((datetime.fromtimestamp(then, UTC) - datetime(2004, 11, 21, 9, tzinfo=UTC)).days) <= 4
    assert datetime.fromtimestamp(then, UTC).weekday() == datetime.fromtimestamp(moment, LJUBLJANA).weekday()


def test_history_is_in_order_and_meets_without_gap_or_overlap() -> None:
    whole = list(feed(recording(days=15, every_s=600)).history(NOW - 20 * DAY_S, NOW))
    parts = [
        each for n in range(20, 0, -1)
        for each in feed(recording(days=15, every_s=600)).history(NOW - n * DAY_S, NOW - (n - 1) * DAY_S)
    ]  # fmt: skip
    assert parts == whole
    assert all(one[0] <= two[0] for one, two in pairwise(whole))


def test_now_lies_between_the_readings_around_it() -> None:
    found = feed(recording(days=14))
    half = datetime(2026, 11, 16, 10, 30, tzinfo=LJUBLJANA).timestamp()
    value = found.now(half)
    assert value is not None and value % (7 * 24) == 10.5
    gap = feed([(0.0, 1.0), (5 * 3600.0, 2.0), (8 * DAY_S - 3600.0, 3.0)])
    assert any(gap.now(NOW + n * 3600) is None for n in range(6)), "nothing is made up where nothing was recorded"


def test_a_single_moment_is_sent_as_it_is() -> None:
    steady = SteadyFeed("a", 76.0, 1800, 2)
    played = list(steady.history(NOW - DAY_S, NOW))
    assert len(played) == 48 and {value for _, value in played} == {76.0}


def kranj(folder: Path | None, mended: float | None = None) -> dict[str, object]:
    found = feeds(recipe.read(KRANJ), folder, began=NOW, mended=lambda case_type, since: mended)
    return {each.datastream: each for each in found}


def balance(found: dict[str, object], moment: float) -> float:
    """Inflow minus deliveries, in m³/h."""
    water = {name: each for name, each in found.items() if isinstance(each, SimulatedFeed)}
    out = sum(each.now(moment) for name, each in water.items() if name.startswith("mlaka-delivery"))
    return water["mlaka-inflow"].now(moment) - out


def night(days: int) -> float:
    today = datetime.fromtimestamp(NOW, LJUBLJANA).replace(hour=2, minute=30)
    return today.timestamp() + days * DAY_S


def test_the_water_zone_balances_and_leaks_when_it_should() -> None:
    found = kranj(None)
    for days in (-30, -15, -5, -2):
        assert 0 < balance(found, night(days)) < 1, f"{days} days: only the background loss"
    assert balance(found, night(-24)) > 5 and balance(found, night(-1)) > 4.5 and balance(found, night(0)) > 4.5
    mended = kranj(None, mended=NOW - 12 * 3600)
    assert balance(mended, night(-1)) > 4.5 and balance(mended, night(0)) < 1


def test_a_nights_water_is_a_quarter_of_the_mean() -> None:
    feed = kranj(None)["mlaka-delivery-01"]
    assert isinstance(feed, SimulatedFeed)
    week = [value for _, value in feed.history(NOW - 7 * DAY_S, NOW)]
    by_hour = [mean(feed.now(night(-days) + n * 600) for n in range(3)) for days in range(7)]
    assert 0.2 < min(by_hour) / mean(week) < 0.35


def test_simulated_values_are_the_same_every_time_and_differ_by_seed() -> None:
    one, two = kranj(None), kranj(None)
    for name in one:
        assert list(one[name].history(NOW - DAY_S, NOW)) == list(two[name].history(NOW - DAY_S, NOW))  # type: ignore[attr-defined]
    assert noise(1, "a", 1000, 900) != noise(2, "a", 1000, 900)
    drawn = [noise(7, "a", n * 900, 900) for n in range(4000)]
    assert abs(mean(drawn)) < 0.1 and 0.9 < mean(value * value for value in drawn) < 1.1


def test_every_datastream_of_the_demo_has_a_feed_with_and_without_recordings() -> None:
    text = (KRANJ / "streams.toml").read_text("utf-8")
    declared = {line.split('"')[1] for block in text.split("[[datastream]]")[1:] for line in block.splitlines()
                if line.startswith("key = ")}  # fmt: skip
    assert set(kranj(None)) == declared
    without = kranj(None)
    assert {each.origin for name, each in without.items() if name.startswith("mlaka-")} == {"simulated"}  # type: ignore[attr-defined]
    assert {each.origin for name, each in without.items() if not name.startswith("mlaka-")} == {"replayed"}  # type: ignore[attr-defined]


@recorded_ones_are_here
def test_the_recordings_are_read_without_what_is_missing() -> None:
    found = kranj(REAL)
    assert set(found) == set(kranj(None))
    for name, each in found.items():
        origin = "simulated" if name.startswith(("mlaka-inflow", "mlaka-delivery")) else "replayed"
        assert each.origin == origin  # type: ignore[attr-defined]
        values = [value for _, value in each.history(NOW - 35 * DAY_S, NOW)]  # type: ignore[attr-defined]
        assert len(values) > 90 and min(values) >= 0, name
    assert sum(1 for each in found.values() for _ in each.history(NOW - 35 * DAY_S, NOW)) < 60_000  # type: ignore[attr-defined]


@recorded_ones_are_here
def test_the_carried_river_values_are_the_recorded_ones() -> None:
    with_folder, without = kranj(REAL), kranj(None)
    for name in ("kokra-kranj-level", "kokra-kranj-flow", "sava-okroglo-flow"):
        assert with_folder[name] == without[name]


def test_profiles_are_complete_and_unknown_ones_are_named() -> None:
    for file in FOLDER.glob("*.csv"):
        if file.stem != "arso_stations":
            found = profile(file.stem)
            assert len(found.cells) in (168, 336, 288)
    with pytest.raises(NotFound) as caught:
        profile("nothing")
    assert "electricity_demand_relative" in caught.value.allowed


@pytest.mark.parametrize(
    "lines, what",
    [("time,v\n2020-01-01,x\n", "a.csv:2"), ("time,v\nyesterday,1\n", "a.csv:2"), ("t,v\n1,1\n", "no column time")],
)
def test_a_broken_recording_is_named_with_its_line(tmp_path: Path, lines: str, what: str) -> None:
    (tmp_path / "a.csv").write_text(lines)
    with pytest.raises(Invalid, match=what):
        recordings.read(tmp_path, Recorded(datastream="a", file="a.csv", value="v", time=["time"]))


def test_a_document_with_entities_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><arsopodatki/>')
    with pytest.raises(Invalid, match="entities"):
        recordings.read(tmp_path, Recorded(datastream="a", file="a.xml", value="v", station="1"))


def test_a_wrong_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        recipe.read(tmp_path)
    (tmp_path / "replay.toml").write_text("seed = 1\nsped = 2\n")
    with pytest.raises(Invalid, match="sped"):
        recipe.read(tmp_path)


def test_progress_outlives_the_process(tmp_path: Path) -> None:
    file = tmp_path / "var" / "replay.json"
    first = Progress(file)
    first.keep({"a": 5.0})
    second = Progress(file)
    assert second.sent("a") == 5.0 and second.sent("b") == 0 and second.began == first.began
    file.write_text("{")
    assert Progress(file).sent("a") == 0


def test_the_carried_profiles_are_unchanged() -> None:
    """The profiles are facts with a named source; a slip of the hand in them would go unseen."""
    shared = REAL.parent / "profiles"
    for file in FOLDER.glob("*.csv"):
        rows = list(csv.reader(file.read_text("utf-8").splitlines()))
        assert len(rows) > 10 and len({len(row) for row in rows}) == 1, file.name
        original = (REAL.parent if file.stem == "arso_stations" else shared) / file.name
        if original.exists():
            assert file.read_bytes() == original.read_bytes(), file.name
