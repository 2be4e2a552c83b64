"""Milestones of nodes: steps by a day that planners and the responsible offices keep; management, in no version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound, Problem, invalid
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.catalogue import door
from krog.journal.verbs import record
from krog.people import reads as people
from krog.people.permissions import SYSTEM, require, require_over
from krog.plans import models
from krog.plans.applying import milestone_content
from krog.plans.fields import plain, texts
from krog.plans.reads import nodes_named
from krog.plans.shapes import Milestone


def today() -> date:
    """The local calendar day."""
    return times.local_date(times.now(), settings().timezone)


def _milestone(row: models.Milestone) -> Milestone:
    return Milestone(row.key, row.plan.key, row.node, row.title, row.due, row.done_on, row.office, row.note, row.source)


def milestones(grant: Grant, plan: str, nodes: Iterable[str] | None = None, *, late: bool = False) -> list[Milestone]:
    """Milestones of a plan's nodes in force that the reader may see (of all, or of some), by day, those without one
    last; `late` keeps those whose day has passed and that are not done. At most 2000."""
    rows = models.Milestone.objects.filter(
        plan__key=plan, plan__dataset__in=grant.keys, plan__retired=False, retired=False
    ).select_related("plan")
    if nodes is not None:
        rows = rows.filter(node__in=list(nodes))
    if late:
        rows = rows.filter(done_on=None, due__lt=today())
    found = [_milestone(row) for row in rows.order_by("due", "key")[:2000]]
    if any(grant.datasets[key].rows for key in grant.keys):
        seen = nodes_named(grant, {each.node for each in found})
        found = [each for each in found if each.node in seen]
    return sorted(found, key=lambda each: (each.due is None, each.due or date.max))


def upcoming(found: Iterable[Milestone]) -> Milestone | None:
    """The next milestone: of those not done the one with the earliest day, late ones first."""
    waiting = [each for each in found if each.done_on is None]
    return min(waiting, key=lambda each: (each.due is None, each.due or date.max, each.key), default=None)


def add_milestone(
    by: Reader,
    *,
    plan: str,
    node: str,
    title: Mapping[str, str],
    due: date | None = None,
    office: str = "",
    note: str = "",
) -> str:
    """Adds a milestone to a node in force; returns its key. For planners and the head of the node's office."""
    with transaction.atomic():
        row = _node(by, plan, node)
        fields = _cleaned({"title": title, "due": due, "office": office, "note": note})
        made = models.Milestone.objects.create(plan=row.plan, key=f"{node[:80]}.m{times.now():x}", node=node, **fields)
        record(by, "plans.milestone", Ref("node", node), after={"milestone": made.key, **milestone_content(made)})
    return made.key


def change_milestone(by: Reader, *, milestone: str, fields: Mapping[str, Any]) -> None:
    """Changes title, due, done_on, office or note of a milestone; the others stay."""
    with transaction.atomic():
        row = _row(by, milestone)
        before = milestone_content(row)
        for name, value in _cleaned(fields).items():
            setattr(row, name, value)
        row.save()
        _journal(by, row, before)


def finish_milestone(by: Reader, *, milestone: str, on: date | None) -> None:
    """Says on which day a milestone was done; None: it is not done after all."""
    change_milestone(by, milestone=milestone, fields={"done_on": on})


def remove_milestone(by: Reader, *, milestone: str, reason: str = "") -> None:
    """Takes a milestone out; the journal keeps it."""
    with transaction.atomic():
        row = _row(by, milestone)
        row.retired = True
        row.save(update_fields=["retired"])
        before = {"milestone": row.key, **milestone_content(row)}
        record(by, "plans.milestone", Ref("node", row.node), before=before, reason=plain(reason)[:2000])


def _journal(by: Reader, row: models.Milestone, before: Mapping[str, Any]) -> None:
    after = milestone_content(row)
    if after != before:
        changed = {name for name in after if after[name] != before[name]}
        record(
            by,
            "plans.milestone",
            Ref("node", row.node),
            before={"milestone": row.key, **{name: before[name] for name in changed}},
            after={"milestone": row.key, **{name: after[name] for name in changed}},
        )


def _node(by: Reader, plan: str, node: str) -> models.Node:
    row = (
        models.Node.objects.filter(plan__key=plan, plan__retired=False, key=node, draft=None, until=None)
        .select_related("plan")
        .first()
    )
    require_over(by, row.office if row else "", "planner", what="change the milestones of a plan")
    if row is None:
        raise NotFound(_("The plan “%(plan)s” has no node “%(node)s” in force.") % {"plan": plan, "node": node}, "node")
    return row


def _row(by: Reader, milestone: str) -> models.Milestone:
    row = (
        models.Milestone.objects.select_for_update(of=("self",))
        .filter(key=milestone, retired=False)
        .select_related("plan")
        .first()
    )
    if row is None:
        require(by, "planner", what="change the milestones of a plan")
        raise NotFound(_("There is no milestone “%(key)s”.") % {"key": milestone}, "milestone")
    _node(by, row.plan.key, row.node)
    return row


def _cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    problems: list[Problem] = []

    def wrong(name: str, what: str, allowed: str = "") -> None:
        problems.append(Problem(what, name, allowed))

    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "title":
            found[name] = texts("title", value, wrong)
            if not found[name] and not problems:
                wrong("title", _("A milestone needs a title in at least one language."))
        elif name in ("due", "done_on"):
            found[name] = value
            if value is not None and not isinstance(value, date):
                wrong(name, _("“%(value)s” is not a day.") % {"value": value}, "2027-06-30")
            elif name == "done_on" and value is not None and value > today():
                wrong(name, _("The day has not come yet."), _("today or earlier"))
        elif name == "office":
            found[name] = value
            offices = {each.key for each in people.offices(door.open(SYSTEM, "desk", kind="people"))}
            if value and value not in offices:
                wrong(name, _("There is no office “%(office)s”.") % {"office": value})
        elif name == "note":
            found[name] = plain(str(value))
            if len(found[name]) > 5000:
                wrong(name, _("The note is too long."), _("at most %(count)s characters") % {"count": 5000})
        else:
            wrong(name, _("A milestone has no such field."), "title, due, done_on, office, note")
    if problems:
        raise invalid(problems, _("The milestone cannot be saved like this."))
    return found
