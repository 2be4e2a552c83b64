"""The hashes that seal the journal: a Merkle tree (RFC 6962 style) over entries, chained from seal to seal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

GENESIS = "0" * 64


class Sealable(Protocol):
    """The parts of an entry that its leaf covers."""

    pk: int
    time: int
    actor_kind: str
    actor_id: int
    verb: str
    noun: str
    key: str
    reason: str
    before_hash: str
    after_hash: str


def _hash(prefix: bytes, content: bytes) -> bytes:
    return hashlib.sha256(prefix + content).digest()


def leaf(entry: Sealable) -> bytes:
    """The hash of one entry: everything but its erasable payload and the actor's (erasable) name."""
    parts = (
        entry.pk,
        entry.time,
        entry.actor_kind,
        entry.actor_id,
        entry.verb,
        entry.noun,
        entry.key,
        entry.reason,
        entry.before_hash,
        entry.after_hash,
    )
    return _hash(b"\x00", "\x1f".join(str(part) for part in parts).encode())


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaves in order; the left subtree of n leaves holds the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return _hash(b"\x01", root(leaves[:split]) + root(leaves[split:]))


def chain(previous: str, leaves: Sequence[bytes]) -> str:
    """The hex root of a new seal: the previous root and the tree of the new leaves."""
    return _hash(b"\x02", bytes.fromhex(previous) + root(leaves)).hex()
