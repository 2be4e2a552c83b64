"""Chance that is the same each time: a normal deviate for a seed, a name and a moment."""

from __future__ import annotations

import hashlib
from statistics import NormalDist

_NORMAL = NormalDist()


def deviate(seed: int, name: str, moment: int) -> float:
    """A standard normal number, cut at ±2.5, that depends on nothing but its arguments."""
    digest = hashlib.blake2b(f"{seed}/{name}/{moment}".encode(), digest_size=8).digest()
    share = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
    return max(-2.5, min(2.5, _NORMAL.inv_cdf(share)))
