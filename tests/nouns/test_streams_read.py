"""Reading streams: the grant decides what exists, the lake what they said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from krog.base import times
from krog.base.errors import Invalid, NotFound
from krog.base.grant import ANONYMOUS, Grant, Reader
from krog.base.origin import Origin
from krog.base.settings import Settings, settings
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.streams import reads
from krog.streams.shapes import State
from tests import sensing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_values", "english")]

HIDDEN = ("secret", "draft")


@pytest.fixture()
def town(db: None) -> None:
    sensing.dataset("mlaka-water", noun="streams")
    sensing.dataset("homes", noun="streams", access="restricted", roles=["operator"])
    sensing.declare(
        inflow=sensing.stream(),
        silent=sensing.stream(interval_s=60),
        never=sensing.stream(),
        secret=sensing.stream(dataset="homes"),
        draft=sensing.stream(public=False),
    )


def _grant(who: Reader) -> Grant:
    return door.open(who, "api", kind="streams")


def test_what_is_not_granted_does_not_exist(town: None, reader: Callable[..., Reader]) -> None:
    sensing.observe("secret", [1.0])
    sensing.observe("draft", [1.0])
    public = _grant(ANONYMOUS)
    assert {s.key for s in reads.datastreams(public).items} == {"inflow", "silent", "never"}
    assert reads.latest(public, HIDDEN) == {}
    assert reads.readings(public, HIDDEN) == []
    for key in HIDDEN:
        for ask in (reads.datastream, reads.observations, reads.history):
            with pytest.raises(NotFound):
                ask(public, key)
        with pytest.raises(NotFound):
            reads.series(public, key, 0, times.now())
    assert {s.key for s in reads.datastreams(_grant(reader("operator"))).items} >= {"secret", "draft"}
    assert "secret" not in {s.key for s in reads.datastreams(_grant(reader("official"))).items}


def test_a_thing_is_as_visible_as_its_streams(town: None) -> None:
    from krog.base.declaration import Change
    from krog.streams import verbs

    verbs.declare(SYSTEM, kind="thing", changes=[Change("cellar", sensing.thing()), Change("empty", sensing.thing())])
    verbs.declare(
        SYSTEM, kind="datastream", changes=[Change("cellar-flow", sensing.stream(thing="cellar", dataset="homes"))]
    )
    assert [t.key for t in reads.things(_grant(ANONYMOUS)).items] == ["shaft"]
    assert [t.key for t in reads.things(_grant(SYSTEM)).items] == ["cellar", "empty", "shaft"]
    with pytest.raises(NotFound):
        reads.thing(_grant(ANONYMOUS), "cellar")


def test_a_withheld_value_is_said_to_be_withheld(db: None) -> None:
    fields = {"time": {"access": "public"}, "value": {"access": "official"}}
    sensing.dataset("mlaka-water", noun="streams", fields=fields)
    sensing.declare(inflow=sensing.stream())
    sensing.observe("inflow", [7.5])
    seen = reads.latest(_grant(ANONYMOUS), ["inflow"])["inflow"]
    assert (seen.withheld, seen.result, seen.most, seen.state) == (True, None, None, State.WORKING)
    assert reads.observations(_grant(ANONYMOUS), "inflow").items[0].result is None
    assert reads.series(_grant(ANONYMOUS), "inflow", 0, times.now()).points == ()
    assert reads.latest(_grant(SYSTEM), ["inflow"])["inflow"].result == 7.5


def test_state_says_working_silent_and_never(town: None) -> None:
    sensing.observe("inflow", [1.0, 2.5])
    sensing.observe("silent", [3.0], end=times.now() - times.HOUR)
    found = reads.latest(_grant(ANONYMOUS), ["inflow", "silent", "never"])
    assert {key: each.state.value for key, each in found.items()} == {
        "inflow": "working",
        "silent": "silent",
        "never": "never",
    }
    inflow = found["inflow"]
    assert (inflow.result, inflow.count, inflow.least, inflow.most) == (2.5, 2, 1.0, 2.5)
    assert inflow.origin is Origin.SIMULATED


def test_an_irregular_stream_is_never_silent() -> None:
    assert reads.state(0, 0, times.DAY) is State.WORKING
    assert reads.state(0, 60, 3 * times.MINUTE) is State.WORKING
    assert reads.state(0, 60, 3 * times.MINUTE + 1) is State.SILENT


def test_pages_of_observations_neither_lose_nor_repeat(town: None) -> None:
    moments = sensing.observe("inflow", [float(n) for n in range(25)])
    for newest_first in (True, False):
        seen, after = [], None
        while True:
            page = reads.observations(_grant(ANONYMOUS), "inflow", limit=10, newest_first=newest_first, after=after)
            seen += [o.time for o in page.items]
            after = page.after
            if after is None:
                break
        assert seen == sorted(moments, reverse=newest_first)


def test_a_range_takes_its_start_and_leaves_its_end(town: None) -> None:
    moments = sensing.observe("inflow", [1.0, 2.0, 3.0])
    found = reads.observations(_grant(ANONYMOUS), "inflow", moments[0], moments[2])
    assert [o.value for o in found.items] == [2.0, 1.0]
    assert [o.value for o in reads.readings(_grant(ANONYMOUS), ["inflow"], moments[1])] == [2.0, 3.0]


@pytest.mark.parametrize("after", ["x", "1", "1.x", "1.1.1", f"{10**30}.1"])
def test_a_made_up_place_to_go_on_is_refused(town: None, after: str) -> None:
    with pytest.raises(Invalid, match="page can begin"):
        reads.observations(_grant(ANONYMOUS), "inflow", after=after)


def test_a_chart_shows_gaps_as_missing_points(town: None) -> None:
    end = times.now() // times.HOUR * times.HOUR
    sensing.observe("inflow", [1.0, None, None, 4.0], every_s=3600, end=end)
    found = reads.series(_grant(ANONYMOUS), "inflow", end - 30 * times.DAY, end + times.HOUR, step=times.HOUR)
    assert [(p.time, p.mean) for p in found.points] == [(end - 3 * times.HOUR, 1.0), (end, 4.0)]
    assert found.origin is Origin.SIMULATED
    with pytest.raises(Invalid, match="ends before"):
        reads.series(_grant(ANONYMOUS), "inflow", end, end)


def test_a_chart_never_leaves_out_the_beginning_of_its_range(town: None) -> None:
    moments = sensing.observe("never", [1.0] * 4000, every_s=5)
    found = reads.series(_grant(ANONYMOUS), "never", moments[0], moments[-1] + 1)
    assert found.step == 15 * times.MINUTE
    assert sum(point.count for point in found.points) == 4000


@pytest.mark.parametrize(
    ("span", "interval_s", "step"),
    [
        (times.DAY, 300, 0),
        (times.DAY, 10, 15 * times.MINUTE),
        (7 * times.DAY, 300, 15 * times.MINUTE),
        (30 * times.DAY, 300, times.HOUR),
        (365 * times.DAY, 300, times.DAY),
        (365 * times.DAY, 86400, 0),
        (times.DAY, 0, 15 * times.MINUTE),
        (20 * 365 * times.DAY, 60, 7 * times.DAY),
    ],
)
def test_a_chart_is_as_fine_as_it_can_be_read(span: int, interval_s: int, step: int) -> None:
    assert reads.step_for(span, interval_s) == step


def test_streams_are_found_by_words_roles_and_paged(town: None) -> None:
    grant = _grant(SYSTEM)
    assert [s.key for s in reads.datastreams(grant, text="DOTOK mlaka", limit=2).items] == ["draft", "inflow"]
    assert reads.datastreams(grant, limit=2, offset=4).total == 5
    assert reads.datastreams(grant, role="delivery").total == 0
    assert reads.datastreams(grant, text="' OR 1=1 --").items == []
    assert reads.datastreams(grant, keys=["inflow", "none", "x\x00"]).total == 1
    with pytest.raises(NotFound):
        reads.datastream(grant, "a/b\x00")


@pytest.fixture()
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings whose hot store and lake stand in the test's own folder."""
    monkeypatch.setenv("KROG_VAR", str(tmp_path))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


def test_readings_of_a_pinned_version_stay_as_they_were(town: None, home: Settings) -> None:
    from krog.engine.tier import Tier
    from krog.lake.snapshot import snapshot

    sensing.observe("inflow", [1.0, 2.0])
    sensing.observe("secret", [9.0])
    tier = Tier(home.path("hot"), home.path("lake"), hot_days=8)
    tier.move()
    pinned = snapshot().version
    sensing.observe("inflow", [3.0], end=times.now() + times.SECOND)
    tier.move()
    tier.close()
    public = _grant(ANONYMOUS)
    assert [o.value for o in reads.readings(public, ["inflow", "secret"], version=pinned)] == [1.0, 2.0]
    assert [o.value for o in reads.readings(public, ["inflow"])] == [1.0, 2.0, 3.0]
    assert reads.readings(public, ["secret"], version=pinned) == []
