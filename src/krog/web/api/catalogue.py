"""The Open API of catalogue."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["catalogue"])
