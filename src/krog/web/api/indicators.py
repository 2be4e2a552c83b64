"""The Open API of indicators."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["indicators"])
