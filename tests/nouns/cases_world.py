"""What the tests of cases and rules begin with: an office with its people, types of cases, a protocol, a rule."""

from __future__ import annotations

from typing import Any

import pytest

from krog.base import times
from krog.base.declaration import Change
from krog.base.grant import Reader
from krog.base.origin import Origin
from krog.cases import verbs as cases
from krog.catalogue import door
from krog.people import models as people
from krog.people.permissions import SYSTEM
from krog.rules import verbs as rules
from krog.rules.signals import Outcome, Part

LEAK = {"sl": "Nočni pretok nad mejo", "en": "Night flow above the limit"}


class World:
    """The offices `vodovod` and `ceste`; the case types `leak` and `pothole` (which citizens report); the protocol
    `puscanje`; the rule `night-flow`."""

    def __init__(self, account: Any, dataset: Any):
        for key, title in (("vodovod", "Vodovod"), ("ceste", "Ceste")):
            people.Office.objects.create(
                key=key,
                title={"sl": title, "en": title},
                organisation="mok",
                email=f"{key}@example.org",
                phone="04 281 13 91",
                centre="environment",
            )
        self.operator: Reader = account(
            "olga", "operator", offices=("vodovod",), name="Olga Operater", email="olga@example.org"
        )
        self.other: Reader = account("oto", "operator", offices=("vodovod",), name="Oto Drugi")
        self.stranger: Reader = account("rok", "official", offices=("ceste",), name="Rok Ceste")
        dataset("rules", noun="rules", access="public")
        dataset(
            "cases",
            noun="cases",
            access="public",
            public_rows={"field": "public", "value": True},
            fields={
                "reference": {"type": "text"},
                "place": {"type": "text"},
                "description": {"type": "text"},
                "outcome": {"type": "text"},
                "photos": {"type": "list"},
                "reporter": {"type": "text", "access": "official"},
            },
        )
        cases.declare_protocols(
            SYSTEM,
            changes=[
                Change(
                    "puscanje",
                    {
                        "title": {"sl": "Puščanje", "en": "Leak"},
                        "steps": [
                            {"sl": "Preverite vodomer", "en": "Check the meter"},
                            {"sl": "Poiščite", "en": "Find it"},
                        ],
                    },
                )
            ],
        )
        kind = {"dataset": "cases", "deadline_hours": 24, "description": {}, "icon": ""}
        cases.declare_case_types(
            SYSTEM,
            changes=[
                Change(
                    "leak",
                    {
                        **kind,
                        "title": {"sl": "Puščanje", "en": "Leak"},
                        "office": "vodovod",
                        "public": False,
                        "citizen": False,
                    },
                ),
                Change(
                    "pothole",
                    {
                        **kind,
                        "title": {"sl": "Luknja na cesti", "en": "Pothole"},
                        "office": "ceste",
                        "public": True,
                        "citizen": True,
                    },
                ),
            ],
        )
        rules.declare(
            SYSTEM,
            changes=[
                Change(
                    "night-flow",
                    {
                        "title": LEAK,
                        "description": {},
                        "dataset": "rules",
                        "office": "vodovod",
                        "protocol": "puscanje",
                        "case_type": "leak",
                        "severity": "urgent",
                        "unit": "m3/h",
                        "mode": "act",
                        "hold": 2,
                        "hold_clear": 0,
                        "signal": {"terms": [{"stream": "inflow"}, {"stream": "meter-1", "weight": -1}]},
                        "window": {"kind": "daily", "from": "02:00", "to": "04:00"},
                        "raise_above": 4.0,
                        "clear_below": 2.5,
                        "raise_below": None,
                        "clear_above": None,
                        "min_coverage": 0.8,
                        "samples": [],
                    },
                )
            ],
        )
        door.forget()

    def leak(self, **about: Any) -> str:
        """A case of the office `vodovod`; gives its key."""
        given = {
            "type": "leak",
            "channel": "desk",
            "title": LEAK,
            "place": "Mlaka 2",
            "severity": "urgent",
            "protocol": "puscanje",
            **about,
        }
        return cases.open(SYSTEM, **given).key


def outcome(night: int, value: float | None, origin: Origin = Origin.SIMULATED) -> Outcome:
    """What the rule found in the night number `night`."""
    end = times.now() // times.DAY * times.DAY + night * times.DAY
    part = Part("inflow", 1.0, "mean", value, 8, 8, end - times.HOUR, end - 1, origin.word)
    return Outcome(end - 2 * times.HOUR, end, value, 1.0 if value is not None else 0.2, origin, (part,))


def found(world: World, *values: float | None, first: int = 0) -> Any:
    """Lets the rule find these values, night after night."""
    outcomes = [outcome(first + at, value) for at, value in enumerate(values)]
    return rules.evaluated(SYSTEM, rule="night-flow", outcomes=outcomes, data=f"{first}")


@pytest.fixture()
def world(account: Any, dataset: Any) -> World:
    return World(account, dataset)
