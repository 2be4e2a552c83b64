"""The replayer before a real listener: history exactly once, live values after it, and patience with both."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from krog.base import times
from krog.base.errors import Transient, Unauthenticated
from krog.base.origin import Origin
from krog.sources.replay import run
from tests.service.mqtt_house import House, house, until

RECIPE = """
seed = 1
[[water]]
inflow = "inflow"
[water.deliveries]
delivery = 5.0
[[recorded]]
datastream = "secret-flow"
file = "counter.csv"
time = ["time"]
value = "v"
"""


@pytest.fixture()
def city(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "replay.toml").write_text(RECIPE)
    lines = [f"2020-01-{day:02} {hour:02}:00:00,{day * 100 + hour}" for day in range(6, 21) for hour in range(24)]
    (folder / "counter.csv").write_text("time,v\n" + "\n".join(lines) + "\n")
    return folder


def play(krog: House, city: Path, **more: object) -> object:
    about = {"host": "127.0.0.1", "port": krog.port, "key_id": "own", "secret": "secret", "days_back": 3, "once": True}
    return run(city, city, **(about | more))  # type: ignore[arg-type]


def test_a_history_arrives_once_however_often_it_is_sent(tmp_path: Path, city: Path) -> None:
    with house(tmp_path) as krog:
        outcome = play(krog, city, state=tmp_path / "replay.json")
        first = krog.observations()
        assert len(first) == outcome.acknowledged == outcome.sent  # type: ignore[attr-defined]
        assert len(first) == pytest.approx(3 * (96 * 2 + 24), abs=4)
        assert {(each.stream, each.origin) for each in first} == {
            (1, Origin.SIMULATED), (2, Origin.SIMULATED), (3, Origin.REPLAYED)
        }  # fmt: skip
        assert max(each.time for each in first) <= times.now() + times.SECOND
        again = play(krog, city, state=tmp_path / "replay.json")
        assert again.sent <= 3, "it goes on where it ended"  # type: ignore[attr-defined]
        play(krog, city, days_back=1)
        assert len({(each.stream, each.time) for each in krog.observations()}) == len(krog.observations())


def test_live_values_follow_and_survive_an_absence_of_the_listener(tmp_path: Path, city: Path) -> None:
    said: list[str] = []
    stop = threading.Event()
    with house(tmp_path) as krog:
        port = krog.port
        playing = threading.Thread(
            target=lambda: play(krog, city, once=False, every_s=0.3, say=said.append, stop=stop, days_back=0.1)
        )
        playing.start()
        until(lambda: any("history" in words for words in said))
        count = len(krog.observations())
        until(lambda: len(krog.observations()) > count + 3)
        newest = max(each.time for each in krog.observations())
        assert times.now() - newest < 3 * times.SECOND
    time.sleep(1)
    back = House(tmp_path)
    back.fixed_port = port
    back.start()
    try:
        count = len(back.observations())
        until(lambda: len(back.observations()) > count + 3, 20)
    finally:
        stop.set()
        playing.join(40)
        back.stop()
    assert not playing.is_alive()


def test_what_is_set_aside_is_told(tmp_path: Path, city: Path) -> None:
    with house(tmp_path) as krog:
        krog.streams.pop("delivery")
        outcome = play(krog, city, days_back=0.5)
        assert outcome.refused.total() == len(krog.aside()) > 40  # type: ignore[attr-defined]
        assert "There is no datastream" in next(iter(outcome.refused))  # type: ignore[attr-defined]
        assert json.loads(krog.aside()[0].payload)["origin"] == "simulated"


def test_a_wrong_key_or_an_absent_listener_ends_with_words(tmp_path: Path, city: Path) -> None:
    with house(tmp_path) as krog:
        with pytest.raises(Unauthenticated):
            play(krog, city, secret="wrong")
        port = krog.port
    with pytest.raises(Transient, match="does not answer"):
        run(city, city, host="127.0.0.1", port=port, key_id="own", secret="secret", once=True, patience_s=1)


def test_a_paced_replay_takes_its_time(tmp_path: Path, city: Path) -> None:
    with house(tmp_path) as krog:
        began = time.monotonic()
        play(krog, city, days_back=0.25, speed=6 * 3600)
        assert 0.7 < time.monotonic() - began < 6
