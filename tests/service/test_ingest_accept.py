"""The door in: what is acknowledged is stored once; what is not is in the ledger and can be tried again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from krog import lake
from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, TooLarge, Transient
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.settings import Settings, settings
from krog.engine.ingest import aside
from krog.engine.ingest.intake import Intake
from krog.engine.ingest.message import LiveValue, Message, Receipt
from krog.journal import reads as journal
from krog.lake.store import hot_reads, open_hot
from krog.streams.shapes import IngestStream

KEY = Reader(kind="key", id=3, name="logger", roles=frozenset({"sensor"}), organisation="komunala-kranj")


def _stream(number: int, key: str, **about: Any) -> IngestStream:
    fields = {
        "dataset": "d",
        "unit": "m3/h",
        "minimum": 0.0,
        "maximum": 200.0,
        "interval_s": 60,
        "numeric": True,
        "organisation": "komunala-kranj",
    } | about
    return IngestStream(number, key, **fields)


class City:
    """The datastreams that the intake knows; `declare` adds one as a city would."""

    def __init__(self) -> None:
        self.streams = {"flow": _stream(1, "flow"), "door": _stream(2, "door", numeric=False)}
        self.epoch = 1
        self.reads = 0

    def declare(self, stream: IngestStream) -> None:
        self.streams = {**self.streams, stream.key: stream}
        self.epoch += 1

    def index(self) -> dict[str, IngestStream]:
        self.reads += 1
        return self.streams


@pytest.fixture()
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("KROG_VAR", str(tmp_path))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture()
def city() -> City:
    return City()


@pytest.fixture()
def intake(home: Settings, city: City, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    monkeypatch.setattr("krog.engine.ingest.intake.INDEX_EVERY_S", 0.0)
    made = Intake(open_hot(), hot_reads(), index=city.index, epoch=lambda: city.epoch, settings=home)
    yield made
    made.close()


def _accept(intake: Intake, *batch: Message, by: Reader = KEY) -> list[Receipt]:
    return asyncio.run(intake.accept(batch, by=by))


def test_every_message_gets_its_receipt_and_its_place(intake: Intake) -> None:
    now = times.now()
    good = Message(stream="flow", value=1.5, time=now, origin="simulated", transport="mqtt", topic="krog/flow")
    receipts = _accept(
        intake,
        good,
        good,
        Message(stream="flow", value=2.5, time=now),
        Message(stream="nowhere", value=1),
        Message(stream="flow", value=999),
        Message(stream="flow", value=1, time=now - 500 * times.DAY),
        Message(stream="flow", value=1, unit="l/s"),
        Message(stream="door", value="open", time=now),
    )
    assert [(each.status, each.reason) for each in receipts] == [
        ("accepted", ""),
        ("duplicate", ""),
        ("accepted", ""),
        ("set-aside", "unknown"),
        ("set-aside", "out-of-range"),
        ("set-aside", "late"),
        ("set-aside", "unit"),
        ("accepted", ""),
    ]
    assert [each.id for each in receipts if each.stored] == [1, 1, 2, 3]
    assert [(each.id, each.value, each.origin) for each in lake.observations([1], newest_first=False)] == [
        (1, 1.5, 2),
        (2, 2.5, 0),
    ]
    assert {entry.id: entry.reason for entry in lake.aside()} == {
        each.id: each.reason for each in receipts if not each.stored
    }
    assert lake.totals() == {"accepted": 3, "duplicate": 1, "unknown": 1, "out-of-range": 1, "late": 1, "unit": 1}
    assert intake.metrics()["accepted"] == 3


def test_a_sender_without_the_right_is_refused_and_seen(intake: Intake) -> None:
    stranger = Reader(kind="key", id=8, name="stranger", roles=frozenset({"sensor"}), organisation="elsewhere")
    [receipt] = _accept(intake, Message(stream="flow", value=1), by=stranger)
    assert (receipt.status, receipt.reason) == ("refused", "forbidden")
    [entry] = lake.aside()
    assert entry.who == "key 8 stranger"
    assert lake.count([1]) == 0


def test_replayed_values_are_refused_outside_a_demonstration(
    home: Settings, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KROG_DEMO", "false")
    settings.cache_clear()
    strict = Intake(open_hot(), hot_reads(), index=city.index, epoch=lambda: 1, settings=settings())
    receipts = _accept(strict, *(Message(stream="flow", value=1, origin=word) for word in ("replayed", "simulated")))
    assert {(each.status, each.reason) for each in receipts} == {("refused", "origin-refused")}
    strict.close()


def test_a_new_datastream_is_known_without_a_restart_and_the_index_is_read_only_when_it_moved(
    intake: Intake, city: City
) -> None:
    assert _accept(intake, Message(stream="later", value=1))[0].reason == "unknown"
    _accept(intake, Message(stream="flow", value=1), Message(stream="flow", value=2))
    assert city.reads == 1
    city.declare(_stream(9, "later"))
    assert _accept(intake, Message(stream="later", value=1))[0].status == "accepted"
    assert city.reads == 2


def test_an_index_that_cannot_be_read_stops_nobody_who_is_known(intake: Intake, city: City) -> None:
    _accept(intake, Message(stream="flow", value=1))
    city.epoch += 1
    city.index = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    assert _accept(intake, Message(stream="flow", value=2))[0].status == "accepted"


def test_a_batch_has_a_limit_and_nothing_of_a_larger_one_is_taken(intake: Intake) -> None:
    with pytest.raises(TooLarge):
        _accept(intake, *[Message(stream="flow", value=1, time=1)] * 20_001)
    assert lake.totals() == {"accepted": 0}
    assert _accept(intake) == []


def test_subscribers_get_values_after_they_are_stored(intake: Intake) -> None:
    heard: list[tuple[LiveValue, int]] = []
    end = intake.subscribe(lambda values: heard.extend((each, lake.count([each.stream])) for each in values))
    _accept(intake, Message(stream="flow", value=4, origin="replayed"), Message(stream="flow", value=4000))
    until = times.now() + 5 * times.SECOND
    while not heard and times.now() < until:  # They are told after the sender has his answer.
        time.sleep(0.01)
    end()
    _accept(intake, Message(stream="flow", value=5))
    [(live, stored)] = heard
    assert (live.key, live.value, live.origin, stored) == ("flow", 4.0, 1, 1)


def test_many_senders_at_once_each_get_their_own_answer(intake: Intake) -> None:
    now = times.now()

    async def all_at_once() -> list[list[Receipt]]:
        return await asyncio.gather(
            *(intake.accept([Message(stream="flow", value=n % 200, time=now - n)], by=KEY) for n in range(3000))
        )

    receipts = asyncio.run(all_at_once())
    stored = {each.id: each for each in lake.observations([1], limit=5000)}
    for n, [receipt] in enumerate(receipts):
        assert (stored[receipt.id].time, stored[receipt.id].value) == (now - n, n % 200)


def test_a_payload_that_is_no_message_is_kept(intake: Intake) -> None:
    receipt = asyncio.run(
        intake.set_aside(b"\xff{", "malformed", "This is\nno JSON.", transport="mqtt", topic="krog/flow\x00", by=KEY,
                         key="flow")
    )  # fmt: skip
    [entry] = lake.aside(reason="malformed")
    found = (entry.id, entry.payload, entry.stream, entry.key, entry.transport)
    assert found == (receipt.id, b"\xff{", 1, "flow", "mqtt")
    assert lake.counters([1]) == {1: {"malformed": 1}}


def test_a_store_that_fails_acknowledges_nothing(intake: Intake, home: Settings) -> None:
    from krog.lake.hot.schema import connect

    connection = connect(home.path("hot"))
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON observations BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(Transient):
        _accept(intake, Message(stream="flow", value=1), Message(stream="nowhere", value=1))
    connection.execute("DROP TRIGGER full")
    connection.close()
    assert lake.aside() == [], "the entries of a failed group are sent again together with its rows"
    assert [each.status for each in _accept(intake, Message(stream="flow", value=1))] == ["accepted"]


def test_corrections_name_an_observation_of_the_same_stream(intake: Intake) -> None:
    now = times.now()
    _accept(intake, Message(stream="flow", value=1, time=now), Message(stream="door", value="open", time=now))
    receipts = _accept(
        intake,
        Message(stream="flow", value=3, time=now, supersedes=1),
        Message(stream="flow", value=3, supersedes=2),
        Message(stream="flow", value=3, supersedes=4711),
    )
    assert [(each.status, each.reason) for each in receipts] == [
        ("accepted", ""),
        ("set-aside", "malformed"),
        ("set-aside", "malformed"),
    ]
    assert [each.value for each in lake.observations([1])] == [3.0]


def test_what_only_the_lake_has_is_corrected_by_operators_alone(intake: Intake, home: Settings) -> None:
    """A sender must not take out another's observation by naming its number."""
    from krog.lake.hot.schema import connect

    _accept(intake, Message(stream="flow", value=1), Message(stream="door", value="open"))
    connection = connect(home.path("hot"))
    connection.execute("DELETE FROM observations")
    connection.execute("INSERT INTO marks (worker, low, high, version) VALUES (0, 2, 2, 1)")
    connection.close()
    operator = Reader(kind="key", id=4, name="operator", roles=frozenset({"operator"}), organisation="komunala-kranj")
    correction = Message(stream="flow", value=3, supersedes=2)
    assert [(each.status, each.reason) for each in _accept(intake, correction)] == [("set-aside", "malformed")]
    assert [each.status for each in asyncio.run(intake.accept([correction], by=operator))] == ["accepted"]


@pytest.mark.django_db()
def test_an_operator_has_messages_tried_again(intake: Intake, city: City, reader: Callable[..., Reader]) -> None:
    operator = reader("operator", name="Ana")
    moment = times.now() - times.HOUR
    unknown, wide, broken = _accept(
        intake,
        Message(stream="later", value=7, time=moment, origin="simulated"),
        Message(stream="flow", value=500, time=moment),
        Message(stream="flow", value=float("nan")),
    )
    with pytest.raises(Forbidden):
        aside.replay_aside(reader("citizen"), ids=[unknown.id])
    with pytest.raises(Invalid, match="nothing to try"):
        aside.replay_aside(operator, ids=[unknown.id, broken.id])
    assert aside.replay_aside(operator, ids=[unknown.id, wide.id], note="declared now") == 2
    with pytest.raises(Conflict, match="not open any more"):
        aside.replay_aside(operator, ids=[unknown.id])
    city.declare(_stream(9, "later"))
    assert asyncio.run(aside.replay_asked(intake)) == 2
    done, again = lake.aside_by_id([unknown.id, wide.id])
    assert (done.state, done.by, done.note) == ("replayed", "Ana", "declared now")
    assert (again.state, again.reason) == ("open", "out-of-range")
    [stored] = lake.observations([9])
    assert (stored.id, stored.time, stored.value, stored.origin) == (done.observation, moment, 7.0, 2)
    assert len(lake.aside(state=None)) == 3, "a message that is refused again makes no second entry"
    [entry] = journal.history(Ref("aside", str(unknown.id)))
    assert (entry.verb, entry.reason) == ("ingest.replay", "declared now")


@pytest.mark.django_db()
def test_an_operator_dismisses_with_a_reason(intake: Intake, reader: Callable[..., Reader]) -> None:
    operator = reader("operator", name="Ana")
    [broken] = _accept(intake, Message(stream="flow", value="?"))
    with pytest.raises(Invalid, match="with a reason only"):
        aside.dismiss_aside(operator, ids=[broken.id], note=" ")
    aside.dismiss_aside(operator, ids=[broken.id], note="test of the logger")
    assert lake.aside() == []
    [entry] = lake.aside(state="dismissed")
    assert (entry.by, entry.note) == ("Ana", "test of the logger")
    [written] = journal.history(Ref("aside", str(broken.id)))
    assert written.verb == "ingest.dismiss"


values = st.one_of(
    st.integers(-2, 202), st.sampled_from([1.5, float("nan"), None, "x", True, 10**400, "\ud800", b"\xff"])
)
messages = st.lists(
    st.tuples(st.sampled_from(["flow", "door", "nowhere", "\ud800", ""]), values, st.integers(0, 5)), max_size=12
)


@effort(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(messages, max_size=5))
def test_nothing_accepted_is_lost_or_doubled_and_nothing_else_disappears(
    intake: Intake, batches: list[list[tuple[str, Any, int]]]
) -> None:
    before, entries = lake.totals(), len(lake.aside(limit=100_000))
    base = times.now() - 1000
    receipts = [
        receipt
        for batch in batches
        for receipt in _accept(intake, *(Message(stream=key, value=value, time=base + n) for key, value, n in batch))
    ]
    sent = sum(map(len, batches))
    fates = Counter(receipt.status for receipt in receipts)
    after = lake.totals()
    assert fates.total() == sent
    assert after["accepted"] - before["accepted"] == fates["accepted"]
    assert after.get("duplicate", 0) - before.get("duplicate", 0) == fates["duplicate"]
    assert len(lake.aside(limit=100_000)) - entries == fates["set-aside"]
    stored = {each.id: each for each in lake.observations([1, 2], base, limit=100_000)}
    accepted = [receipt.id for receipt in receipts if receipt.status == "accepted"]
    assert len(set(accepted)) == len(accepted)
    assert set(accepted) <= set(stored)
    assert {receipt.id for receipt in receipts if receipt.status == "duplicate"} <= set(stored)
    results = [(each.stream, each.time, each.value, each.text) for each in stored.values()]
    assert len(set(results)) == len(results)
