"""What the indicators of a plan say: where each stands, as the indicators' own reads give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from krog.base.grant import Grant, Reader
from krog.catalogue import door
from krog.indicators import reads as indicators
from krog.indicators.shapes import Standing
from krog.plans import models
from krog.plans.shapes import Fact


def standings(grant: Grant, keys: Iterable[str]) -> dict[str, Standing]:
    """Where these indicators stand, those left out that do not exist or that the reader may not see."""
    wanted = sorted(set(keys))
    return indicators.standings(grant, wanted) if wanted else {}


def fact(standing: Standing) -> Fact:
    """The one line that a state and a review need."""
    about, latest, evaluation = standing.indicator, standing.latest, standing.evaluation
    return Fact(
        indicator=about.key,
        title=dict(about.title),
        period=latest.period if latest else "",
        value=latest.value if latest else None,
        unit=about.unit,
        verdict=str(evaluation.verdict) if evaluation else "no_data" if latest is None else "not_evaluable",
        reasons=tuple(evaluation.reasons) if evaluation else () if latest is None else ("no-target",),
    )


def facts(found: Mapping[str, Standing]) -> dict[str, Fact]:
    """The facts of standings."""
    return {key: fact(standing) for key, standing in found.items()}


def facts_of_node(by: Reader, node: str) -> list[Fact]:
    """What the indicators of a node in force say now, those that measure it first."""
    roles = dict(
        models.NodeIndicator.objects.filter(node=node, draft=None, until=None).values_list("indicator", "role")
    )
    found = facts(standings(door.open(by, "desk", kind="indicators"), roles))
    return [found[key] for key in sorted(found, key=lambda key: (roles[key] != "measures", key))]


def exists(by: Reader, indicator: str) -> bool:
    """Whether there is an indicator that this reader may see."""
    return bool(standings(door.open(by, "desk", kind="indicators"), [indicator]))
