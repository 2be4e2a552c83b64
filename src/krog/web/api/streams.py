"""The Open API of streams."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["streams"])
