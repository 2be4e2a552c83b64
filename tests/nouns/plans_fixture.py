"""A small plan of a town and its readers, for the tests of plans and voice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils.translation import override

from krog.base.declaration import Change
from krog.base.grant import ANONYMOUS, Grant, Reader
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.plans import applying

LEVELS = [
    {"key": "area", "title": {"en": "Thematic area", "sl": "Tematsko področje"}},
    {"key": "measure", "title": {"en": "Measure", "sl": "Ukrep"}},
    {"key": "project", "title": {"en": "Project", "sl": "Projekt"}},
]
PLANNER = Reader(
    kind="account",
    id=7,
    name="Petra Planner",
    roles=frozenset({"anonymous", "planner"}),
    organisation="mok",
    offices=frozenset(),
    language="en",
)


def plan(dataset: Callable[..., str], *, key: str = "town", nodes: int = 0, **fields: Any) -> None:
    """Declares the plan `town`: area tp3, measures u3.1 and u3.2, projects u3.2.1 …; or `nodes` nodes."""
    dataset("town-plan", noun="plans")
    applying.declare_plans(
        SYSTEM,
        [
            Change(
                key,
                {
                    "title": {"en": "Town 2030", "sl": "Mesto 2030"},
                    "description": {},
                    "levels": LEVELS,
                    "organisation": "",
                    "horizon": "2030",
                    "source": "test",
                    "dataset": "town-plan",
                    "version": "First",
                    **fields,
                },
            )
        ],
    )
    rows = (
        [
            ("tp3", "area", "", "Environment"),
            ("u3.1", "measure", "tp3", "Green spaces"),
            ("u3.2", "measure", "tp3", "Drinking water"),
            ("u3.2.1", "project", "u3.2", "Water supply renewal"),
        ]
        if not nodes
        else [
            (f"n{n}", "project" if n else "area", "" if n == 0 else f"n{(n - 1) // 7}", f"Node {n}")
            for n in range(nodes)
        ]
    )
    applying.declare_nodes(
        SYSTEM,
        [
            Change(
                node,
                {"plan": key, "level": level, "parent": parent, "title": {"en": title}, "order": n, "number": node},
            )
            for n, (node, level, parent, title) in enumerate(rows)
        ],
    )


def grant(reader: Reader = ANONYMOUS) -> Grant:
    """A grant on everything that the reader may see."""
    return door.open(reader, "portal")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """What verbs refuse is said in English, whichever translations are compiled."""
    with override("en"):
        yield
