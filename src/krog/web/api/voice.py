"""The Open API of voice."""

from __future__ import annotations

from ninja import Router

router = Router(tags=["voice"])
