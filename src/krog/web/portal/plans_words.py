"""The words and marks for what plans and proposals say in codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from krog.base.text import Text, say
from krog.journal.shapes import Entry
from krog.plans.shapes import Node, Plan, Reason

#: State of a node → mark of the status component, words.
STATES: dict[str, tuple[str, Any]] = {
    "off_track": ("bad", _("off track")),
    "at_risk": ("warn", _("at risk")),
    "on_track": ("ok", _("on track")),
    "done": ("ok", _("done")),
    "stopped": ("none", _("stopped")),
    "no_verdict": ("none", _("no verdict")),
    "no_data": ("none", _("no data")),
}
VERDICTS: dict[str, tuple[str, Any]] = {
    "achieved": ("ok", _("achieved")),
    "on_track": ("ok", _("on track")),
    "at_risk": ("warn", _("at risk")),
    "off_track": ("bad", _("off track")),
    "no_data": ("none", _("no data")),
    "not_evaluable": ("none", _("no verdict")),
}
VERSION_STATUSES: dict[str, tuple[str, Any]] = {
    "draft": ("none", _("draft")),
    "consultation": ("warn", _("out for comments")),
    "adopted": ("ok", _("in force")),
    "amended": ("none", _("replaced by a newer version")),
    "repealed": ("none", _("no longer in force")),
    "withdrawn": ("none", _("given up")),
}
NODE_STATUSES: dict[str, Any] = {
    "idea": _("idea"),
    "proposed": _("proposed"),
    "approved": _("approved"),
    "concept_design": _("concept design"),
    "detailed_design": _("design for construction"),
    "plan_in_preparation": _("detailed spatial plan being drawn up"),
    "plan_adopted": _("detailed spatial plan adopted"),
    "procurement": _("procurement"),
    "under_construction": _("under construction"),
    "under_review": _("checks and studies"),
    "remediation": _("remediation"),
    "waiting_ownership": _("waits for ownership to be settled"),
    "running": _("running"),
    "done": _("done"),
    "stopped": _("stopped"),
}
LINKS: dict[str, tuple[Any, Any]] = {
    "contributes": (_("contributes to"), _("is contributed to by")),
    "relates_to": (_("is related to"), _("is related to")),
    "implements": (_("implements"), _("is implemented by")),
    "addresses_challenge": (_("addresses the challenge"), _("is addressed by")),
    "derived_from_finding": (_("follows from the finding"), _("leads to")),
    "depends_on": (_("depends on"), _("is needed by")),
    "synergy": (_("strengthens and is strengthened by"), _("strengthens and is strengthened by")),
    "conflict": (_("is in conflict with"), _("is in conflict with")),
}
MISSING: dict[str, Any] = {
    "office": _("nobody is named"),
    "holder": _("no role-holder"),
    "indicator": _("no indicator measures it"),
    "status": _("no status"),
}
JUDGEMENTS: dict[str, tuple[str, Any]] = {
    "on_track": ("ok", _("on track")),
    "at_risk": ("warn", _("at risk")),
    "off_track": ("bad", _("off track")),
    "cannot_say": ("none", _("cannot be said")),
}
DECISIONS: dict[str, Any] = {"keep": _("go on as planned"), "change": _("change the plan"), "stop": _("stop")}
FIELDS: dict[str, Any] = {
    "title": _("Title"),
    "text": _("Purpose"),
    "level": _("Level"),
    "number": _("Number"),
    "parent": _("Part of the node"),
    "order": _("Place among its neighbours"),
    "organisation": _("Responsible organisation"),
    "office": _("Responsible office"),
    "holder": _("Responsible person"),
    "status": _("How far it is"),
    "strategic": _("Strategic"),
    "horizon": _("Horizon"),
    "note": _("Note"),
    "source": _("Source"),
    "facts": _("Facts"),
}
PROPOSAL_STATES: dict[str, tuple[str, Any]] = {
    "unconfirmed": ("none", _("waits for the author to confirm the e-mail address")),
    "received": ("none", _("received, waits for an answer")),
    "accepted": ("ok", _("accepted for consideration")),
    "declined": ("bad", _("declined")),
}
STEPS: dict[str, Any] = {
    "received": _("Received"),
    "confirmed": _("E-mail address confirmed"),
    "accepted": _("Accepted for consideration"),
    "declined": _("Declined"),
    "draft": _("Taken into a draft of the plan"),
    "consultation": _("In a draft of the plan that is out for comments"),
    "adopted": _("Taken up in the plan"),
    "withdrawn": _("The draft that had it was given up"),
}
_NO_VERDICT: dict[str, Any] = {
    "target-ambiguous": _("the target can be read in several ways"),
    "target-contradictory": _("the target contradicts itself"),
    "target-missing": _("the plan gives no target"),
    "no-target": _("the plan gives no target"),
    "no-values": _("there is no value yet"),
    "no-baseline": _("there is no baseline"),
    "demo-data": _("its values are replayed or simulated, not facts"),
}


VERBS: dict[str, Any] = {
    "plans.review": _("reviewed"),
    "plans.adopt": _("changed by adoption"),
    "plans.declare": _("taken over from the city's files"),
    "plans.draft-change": _("changed in a draft"),
    "plans.draft-add": _("added in a draft"),
    "plans.draft-remove": _("removed in a draft"),
    "plans.draft-undo": _("change in a draft taken back"),
    "plans.draft-link": _("linked in a draft"),
    "plans.draft-unlink": _("link taken out in a draft"),
    "plans.draft-indicator": _("indicator changed in a draft"),
    "plans.milestone": _("milestone changed"),
    "plans.draft-bulk": _("changed in a draft, with others at once"),
    "plans.draft-declare": _("changed by the city's files in a draft"),
}


def entry(found: Entry) -> Entry:
    """An entry of a node's history in words."""
    if found.verb == "plans.review" and found.after:
        said = found.after
        _mark, judgement = JUDGEMENTS[said["judgement"]]
        after = {str(_("How is it doing?")): str(judgement), str(_("What follows?")): str(DECISIONS[said["decision"]])}
        return replace(found, verb=str(VERBS[found.verb]), reason=said.get("note", ""), before=None, after=after)

    def shown(content: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if content is None:
            return None
        return {
            str(FIELDS.get(name, name)): _shown(value) for name, value in content.items() if value not in ("", {}, None)
        }

    return replace(
        found, verb=str(VERBS.get(found.verb, found.verb)), before=shown(found.before), after=shown(found.after)
    )


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return " · ".join(f"{language}: {text}" for language, text in sorted(value.items()))
    return {True: gettext("yes"), False: gettext("no")}[value] if isinstance(value, bool) else value


def status(status: str, plan: Plan | None = None) -> Any:
    """How far a node is, in the plan's own words, else in those that all plans share; another code as it is."""
    own = next((each.title for each in plan.statuses if each.key == status), None) if plan else None
    if own:
        return say(own, get_language() or "sl")
    return NODE_STATUSES.get(status, status.replace("_", " "))


def fact_title(plan: Plan, fact: str) -> Text:
    """The title of a fact of a plan; its key where the plan does not name it."""
    return next((each.title for each in plan.facts if each.key == fact and each.title), {"und": fact})


def no_verdict(codes: Any) -> str:
    """Why an indicator carries no verdict."""
    known = [str(_NO_VERDICT[code]) for code in codes if code in _NO_VERDICT]
    return ", ".join(known) or gettext("its data or its target carry none")


def reason(found: Reason) -> dict[str, Any]:
    """One reason of a node's state: mark, words, and the indicator that it is about."""
    if found.code == "no_indicator":
        return {"mark": "none", "text": gettext("No indicator measures it yet."), "indicator": ""}
    if found.code.startswith("status_"):
        return {
            "mark": "none",
            "text": gettext("The plan says: %(status)s.") % {"status": status(found.about)},
            "indicator": "",
        }
    if found.code == "indicator_unknown":
        return {"mark": "none", "text": gettext("An indicator that is not public or not set up."), "indicator": ""}
    verdict = found.code.removeprefix("indicator_")
    mark, words = VERDICTS[verdict]
    text = no_verdict(found.details) if verdict == "not_evaluable" else ""
    return {"mark": mark, "word": words, "text": text, "indicator": found.about, "title": found.title}


def title(node: Node) -> str:
    """Number and title as plain words."""
    name = str(say(node.title, get_language() or "sl"))
    return f"{node.number} {name}" if node.number else name
