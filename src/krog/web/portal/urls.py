"""Addresses of the portal, below the language."""

from __future__ import annotations

from krog.web.portal import (
    cases,
    catalogue,
    home,
    indicators,
    pages,
    people,
    plans,
    registers,
    rules,
    streams,
    usage,
    voice,
)

urlpatterns = [
    pattern
    for module in (home, streams, registers, indicators, plans, cases, rules, voice, usage, catalogue, people, pages)
    for pattern in module.urlpatterns
]
