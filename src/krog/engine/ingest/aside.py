"""Answers to the loss ledger: an operator has messages tried again, or dismisses them; both stand in the journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec
from django.db import transaction

from krog import lake
from krog.base.errors import Conflict, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.engine.ingest.intake import Intake
from krog.engine.ingest.message import Message
from krog.journal import verbs as journal
from krog.lake.shapes import Aside
from krog.lake.store import hot_ledger, hot_reads
from krog.people.permissions import SYSTEM, require

log = logging.getLogger("krog.ingest")

#: Entries that are tried again at a time.
SOME = 500


def replay_aside(by: Reader, *, ids: Sequence[int], note: str = "") -> int:
    """Asks for entries to be tried again, through the same door; the ingest process does it within a second or two.
    What is not accepted then either is open again, with the reason of now. Returns how many were asked."""
    require(by, "operator", "digital_officer", what="have messages tried again")
    entries = _open(ids)
    lost = [entry for entry in entries if not entry.message]
    if lost:
        raise invalid(
            [
                Problem(
                    "Nothing could be read from this message, so there is nothing to try.",
                    f"entry {entry.id}",
                    todo="Have the sender corrected, and dismiss it.",
                )
                for entry in lost
            ],
            "Some of these messages cannot be tried again.",
        )
    return _answer(by, "ingest.replay", entries, state="asked", note=note)


def dismiss_aside(by: Reader, *, ids: Sequence[int], note: str) -> int:
    """Closes entries without an observation; `note` says why. Returns how many."""
    require(by, "operator", "digital_officer", what="dismiss messages")
    if not note.strip():
        raise invalid([Problem("Say why.", "note")], "Messages are dismissed with a reason only.")
    return _answer(by, "ingest.dismiss", _open(ids), state="dismissed", note=note)


async def replay_asked(intake: Intake) -> int:
    """Tries the entries that were asked for; run by the ingest process. Trying twice after a crash is harmless: the
    second is a duplicate with the same id."""
    entries = hot_reads().aside(state="asked", reason=None, key=None, keys=None, before=None, limit=SOME)
    ledger = hot_ledger()
    for entry in sorted(entries, key=lambda each: each.id):
        message = msgspec.json.decode(entry.message, type=Message)
        message = msgspec.structs.replace(message, payload=entry.payload, transport=entry.transport, topic=entry.topic)
        receipt = await intake.retry(message, by=SYSTEM)
        if receipt.stored:
            await asyncio.to_thread(ledger.replayed, entry.id, observation=receipt.id)
        else:
            await asyncio.to_thread(ledger.again, entry.id, reason=receipt.reason, detail=receipt.detail)
    return len(entries)


async def watch(intake: Intake, every_s: float = 1.0) -> None:
    """Runs `replay_asked` for ever; a task of the ingest process."""
    while True:
        try:
            await replay_asked(intake)
        except Exception:
            log.exception("Messages set aside could not be tried again.")
        await asyncio.sleep(every_s)


def _open(ids: Sequence[int]) -> list[Aside]:
    entries = lake.aside_by_id(ids)
    closed = sorted({*ids} - {entry.id for entry in entries if entry.state == "open"})
    if closed:
        raise Conflict(
            f"Entries {', '.join(map(str, closed[:20]))} are not open any more.", "aside", todo="Load the list again."
        )
    return entries


def _answer(by: Reader, verb: str, entries: list[Aside], *, state: str, note: str) -> int:
    """Journal first, ledger last inside the same transaction: if either fails, neither is kept."""
    with transaction.atomic():
        journal.record_all(
            by,
            verb,
            [
                (Ref("aside", str(entry.id)), {"state": entry.state, "reason": entry.reason}, {"state": state})
                for entry in entries
            ],
            reason=note,
        )
        moved = hot_ledger().answer([entry.id for entry in entries], state=state, was=("open",), by=by.name, note=note)
    return len(moved)
