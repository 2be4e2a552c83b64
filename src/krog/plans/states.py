"""How a node is doing, said from its indicators' verdicts and its own status; never guessed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from krog.plans.shapes import Fact, Node, Reason, State, Tree

#: States from bad to good, as pages list them.
STATES = ("off_track", "at_risk", "on_track", "done", "stopped", "no_verdict", "no_data")
_WORST_FIRST = ("off_track", "at_risk", "on_track", "achieved")
DONE = frozenset({"done", "realised"})
STOPPED = frozenset({"stopped", "not_realised"})


def state_of(node: Node, facts: Mapping[str, Fact]) -> State:
    """A stopped node is stopped; else the worst verdict of the indicators that measure it; else done if it says so;
    else no verdict where an indicator has a value that carries none; else no data; always with the reasons."""
    measuring = [each.indicator for each in node.indicators if each.role == "measures"]
    reasons = [_reason(key, facts.get(key)) for key in measuring]
    own = [Reason(f"status_{node.status}", node.status)] if node.status else []
    if node.status in STOPPED:
        return State("stopped", (*own, *reasons))
    verdicts = {reason.code.removeprefix("indicator_") for reason in reasons}
    for verdict in _WORST_FIRST:
        if verdict in verdicts:
            return State("on_track" if verdict == "achieved" else verdict, (*reasons, *own))
    if node.status in DONE:
        return State("done", (*own, *reasons))
    if "not_evaluable" in verdicts:
        return State("no_verdict", (*reasons, *own))
    return State("no_data", (*(reasons or [Reason("no_indicator")]), *own))


def _reason(key: str, fact: Fact | None) -> Reason:
    if fact is None:
        return Reason("indicator_unknown", key)
    if fact.verdict == "not_evaluable" and fact.value is None:
        return Reason("indicator_no_data", key, fact.title, tuple(fact.reasons))
    return Reason(f"indicator_{fact.verdict}", key, fact.title, tuple(fact.reasons))


def with_states(nodes: Mapping[str, Node], facts: Mapping[str, Fact]) -> dict[str, Node]:
    """The same nodes with their states."""
    return {key: node.with_(state=state_of(node, facts)) for key, node in nodes.items()}


def counts(tree: Tree, keys: Iterable[str]) -> dict[str, int]:
    """How many of these nodes are in each state, in the order of STATES; states that nobody is in are left out."""
    found = Counter(tree.nodes[key].state.code for key in keys)
    return {state: found[state] for state in STATES if found[state]}
