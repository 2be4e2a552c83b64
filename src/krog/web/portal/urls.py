"""Addresses of the portal, below the language."""

from __future__ import annotations

from krog.web.portal import (
    cases,
    catalogue,
    centres,
    home,
    indicators,
    pages,
    people,
    plans,
    registers,
    rules,
    services,
    streams,
    usage,
    voice,
)

urlpatterns = [
    pattern
    for module in (
        home,
        centres,
        services,
        streams,
        registers,
        indicators,
        plans,
        cases,
        rules,
        voice,
        usage,
        catalogue,
        people,
        pages,
    )
    for pattern in module.urlpatterns
]
