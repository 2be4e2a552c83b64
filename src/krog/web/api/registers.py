"""The Open API of registers."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["registers"])
