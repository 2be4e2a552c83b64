"""The one way in: validates a batch, makes it durable, answers; what is not accepted goes to the loss ledger."""

from __future__ import annotations

import asyncio
import logging
import threading
import time as clock
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from asgiref.sync import sync_to_async

from krog.base import times
from krog.base.errors import TooLarge, Transient
from krog.base.grant import Reader
from krog.base.settings import Settings
from krog.engine.ingest.message import REFUSED, LiveValue, Message, Receipt
from krog.engine.ingest.validate import Limits, Refusal, check, clean, may_write_all
from krog.lake.hot import HotReads, HotStore
from krog.lake.shapes import NewAside, Row, Stored

if TYPE_CHECKING:
    from krog.streams.shapes import IngestStream

log = logging.getLogger("krog.ingest")

#: Most messages of one batch.
BATCH = 20_000
INDEX_EVERY_S = 1.0

Index = Mapping[str, "IngestStream"]
Subscriber = Callable[[Sequence[LiveValue]], None]


class Intake:
    """One per ingest process: the writing end of the hot store with the index of datastreams in front of it."""

    def __init__(
        self,
        store: HotStore,
        reads: HotReads,
        *,
        index: Callable[[], Index],
        epoch: Callable[[], int],
        settings: Settings,
    ):
        self.store, self.reads = store, reads
        self._read_index, self._read_epoch = index, epoch
        self._index: Index | None = None
        self._keys: dict[int, str] = {}
        self._epoch: int | None = None
        self._looked = 0.0
        self._loading = threading.Lock()
        self._late_us = settings.late_days * times.DAY
        self._future_us = settings.future_seconds * times.SECOND
        self._demo = bool(settings.demo)
        self._counts: Counter[str] = Counter()
        self._subscribers: list[Subscriber] = []
        self._unlisten = store.listen(self._tell)

    async def accept(self, batch: Sequence[Message], *, by: Reader) -> list[Receipt]:
        """One receipt for each message, given when all is on the disk. Raises Busy before anything was taken when too
        much waits, Transient when the store failed, TooLarge for a batch of more than BATCH."""
        if len(batch) > BATCH:
            raise TooLarge(f"The batch has {len(batch)} messages.", allowed=f"at most {BATCH}", todo="Send several.")
        index = await self._known()
        limits = Limits(times.now(), self._late_us, self._future_us, self._demo)
        checked = [self._check(message, index, by, limits) for message in batch]
        rows = [found for found in checked if isinstance(found, Row)]
        aside = [
            _aside(message, found, index, by, limits.now)
            for message, found in zip(batch, checked, strict=True)
            if isinstance(found, Refusal)
        ]
        if not checked:
            return []
        stored, entries = await asyncio.wrap_future(self.store.submit(rows, aside))
        return self._receipts(checked, stored, entries)

    async def set_aside(
        self, payload: bytes, reason: str, detail: str, *, transport: str, topic: str, by: Reader, key: str = ""
    ) -> Receipt:
        """Puts a payload that no Message could be made of into the loss ledger."""
        known = await self._known()
        stream = known.get(key)
        entry = NewAside(
            clean(transport),
            clean(topic[:500]),
            clean(key[:200]),
            stream.id if stream else 0,
            payload,
            reason,
            clean(detail),
            clean(_who(by)),
        )
        _, entries = await asyncio.wrap_future(self.store.submit((), (entry,)))
        self._counts[reason] += 1
        return Receipt(_status(reason), entries[0], reason, detail)

    async def retry(self, message: Message, *, by: Reader) -> Receipt:
        """The same as `accept` for one message out of the loss ledger: refused again, it makes no new entry there."""
        index = await self._known()
        found = self._check(message, index, by, Limits(times.now(), self._late_us, self._future_us, self._demo))
        if isinstance(found, Refusal):
            return Receipt(_status(found.reason), 0, found.reason, found.detail)
        stored, _ = await asyncio.wrap_future(self.store.submit((found,)))
        return self._receipts([found], stored, [])[0]

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Calls `subscriber` after each commit with the observations that are new; calling the result ends it. The call
        comes in the writer's thread and must return at once (`loop.call_soon_threadsafe`)."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def metrics(self) -> dict[str, float]:
        """Since the start of the process: messages by fate, and the store's own counters (`store_…`)."""
        own = {name: float(number) for name, number in self._counts.items()}
        return own | {f"store_{name}": number for name, number in self.store.metrics().items()}

    def close(self) -> None:
        """Commits what waits and lets the store go."""
        self._unlisten()
        self.store.close()

    def _check(self, message: Message, index: Index, by: Reader, limits: Limits) -> Row | Refusal:
        key = message.stream
        try:
            found = check(message, index.get(key) if isinstance(key, str) else None, by, limits)
        except Exception as failure:  # Whatever a sender finds to break a rule with, the message is kept and seen.
            log.exception("A message broke the rules of validation.")
            return Refusal("malformed", f"It could not be checked ({type(failure).__name__}).")
        if isinstance(found, Row) and found.supersedes is not None and not self._may_correct(found, by):
            return Refusal("malformed", f"{key} has no observation {found.supersedes} that this could correct.")
        return found

    def _may_correct(self, row: Row, by: Reader) -> bool:
        """Whether the corrected observation is one of the same stream. Of those only in the lake that is not looked up:
        it is believed of who may write to every stream, and of nobody else."""
        assert row.supersedes is not None
        if self.reads.has(row.stream, row.supersedes):
            return True
        low = max((mark.low for mark in self.reads.marks()), default=0)
        return 0 < row.supersedes <= low and may_write_all(by)

    def _receipts(self, checked: Sequence[Row | Refusal], stored: list[Stored], entries: list[int]) -> list[Receipt]:
        receipts, counts = [], self._counts
        done, kept = iter(stored), iter(entries)
        for found in checked:
            if isinstance(found, Row):
                id, duplicate = next(done)
                status = "duplicate" if duplicate else "accepted"
                counts[status] += 1
                receipts.append(Receipt(status, id))
            else:
                counts[found.reason] += 1
                receipts.append(Receipt(_status(found.reason), next(kept), found.reason, found.detail))
        return receipts

    async def _known(self) -> Index:
        """The index of datastreams, looked at anew once a second."""
        if self._index is None or clock.monotonic() - self._looked >= INDEX_EVERY_S:
            first = self._index is None
            self._looked = clock.monotonic()
            await sync_to_async(self._look, thread_sensitive=True)(first)
        if self._index is None:
            raise Transient("The datastreams are not known yet.", todo="Send it again in a moment.")
        return self._index

    def _look(self, first: bool) -> None:
        with self._loading:
            if first and self._index is not None:
                return
            try:
                epoch = self._read_epoch()
                if epoch != self._epoch or self._index is None:
                    index = self._read_index()
                    self._keys = {stream.id: key for key, stream in index.items()}
                    self._index, self._epoch = index, epoch
            except Exception:
                log.exception("The datastreams could not be read; those known before are used.")

    def _tell(self, fresh: Sequence[tuple[Row, Stored]]) -> None:
        if not self._subscribers:
            return
        live = [
            LiveValue(self._keys.get(row.stream, ""), row.stream, done.id, row.time, row.value, row.text, row.origin)
            for row, done in fresh
        ]
        for subscriber in tuple(self._subscribers):
            subscriber(live)


def _status(reason: str) -> str:
    return "refused" if reason in REFUSED else "set-aside"


def _who(by: Reader) -> str:
    return f"{by.kind} {by.id} {by.name}".strip()


def _aside(message: Message, refusal: Refusal, index: Index, by: Reader, now: int) -> NewAside:
    key = message.stream if isinstance(message.stream, str) else ""
    stream = index.get(key)
    again = _encoded(message, now)
    payload = message.payload if isinstance(message.payload, bytes) else again
    return NewAside(
        clean(str(message.transport)),
        clean(str(message.topic)[:500]),
        clean(key[:200]),
        stream.id if stream else 0,
        payload,
        refusal.reason,
        clean(refusal.detail),
        clean(_who(by)),
        again,
    )


def _encoded(message: Message, now: int) -> bytes:
    """What a replay is made from; empty where the message cannot be written as JSON and read again as it was."""
    if not isinstance(message.stream, str):
        return b""
    fields: dict[str, Any] = {
        name: found
        for name in ("stream", "value", "time", "unit", "origin", "quality", "supersedes")
        if (found := getattr(message, name)) is not None
    }
    fields.setdefault("time", now)
    try:
        written = msgspec.json.encode(fields)
        same: bool = msgspec.json.decode(written) == fields
        msgspec.json.decode(written, type=Message)
    except Exception:
        return b""
    return written if same else b""
