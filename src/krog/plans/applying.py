"""What a city's files do to plans.

The first import is a version of its own, and as long as it is in force the files may change it in place. What a
body has adopted in Krog changes by adoption only: then the files still change who is responsible, how far a node
has come, notes and sources in place, and everything else goes into a draft that waits for a planner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Invalid, NotFound, Problem
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal.verbs import record, record_all
from krog.people.permissions import require
from krog.plans import models
from krog.plans.drafting import Draft, content, free_key, set_span
from krog.plans.fields import EMPTY, RESERVED_KEYS, WORKING_FIELDS
from krog.plans.shapes import FIELDS, Link, NodeIndicator
from krog.plans.tree import problems

_PLAN_FIELDS = (
    "title",
    "description",
    "organisation",
    "horizon",
    "source",
    "levels",
    "trees",
    "statuses",
    "facts",
    "dataset",
)
_VERSION_FIELDS = {
    "version": "label",
    "adopted_on": "adopted_on",
    "adopting_body": "adopting_body",
    "gazette": "gazette",
}


def declare_plans(by: Reader, changes: Sequence[Change]) -> None:
    """Makes, changes and retires plans; a new one gets its first version, in force and marked as imported."""
    require(by, "administrator", what="apply a city's files")
    with transaction.atomic():
        for change in changes:
            row = models.Plan.objects.select_for_update().filter(key=change.key).first()
            if change.fields is None:
                models.Plan.objects.filter(key=change.key).update(retired=True)
                record(by, "plans.retire", Ref("plan", change.key), reason=change.reason)
                continue
            new = row is None
            row = row or models.Plan(key=change.key, latest=1)
            before = None if new else {name: getattr(row, name) for name in _PLAN_FIELDS}
            for name in _PLAN_FIELDS:
                if name in change.fields:
                    setattr(row, name, change.fields[name])
            row.retired = False
            row.save()
            _first_version(row, change.fields, new)
            record(
                by,
                "plans.declare",
                Ref("plan", change.key),
                before=before,
                after={name: getattr(row, name) for name in _PLAN_FIELDS},
                reason=change.reason,
            )


def _first_version(plan: models.Plan, fields: Mapping[str, Any], new: bool) -> None:
    version = models.Version.objects.filter(plan=plan, number=1).first()
    label = fields.get("version") or ""
    if version is None:
        version = models.Version(
            plan=plan,
            number=1,
            status="adopted",
            imported=True,
            created=times.now(),
            key=free_key(plan, label) if label else "1",
            source=fields.get("source") or "",
        )
    for name, column in _VERSION_FIELDS.items():
        if name in fields:
            value: Any = fields[name]
            setattr(version, column, (date.fromisoformat(value) if value else None) if name == "adopted_on" else value)
    version.save()


class _Target:
    """The plan that changes go to: its version in force, and whether the files may change that in place."""

    def __init__(self, plan: models.Plan):
        self.plan = plan
        self.version = models.Version.objects.filter(plan=plan, number=plan.latest).select_related("plan").get()
        self.in_place = self.version.imported
        self._draft: Draft | None = None

    def draft(self) -> Draft:
        """The draft for what the files may not change in place: the open one of before, or a new one."""
        if self._draft is None:
            row = models.Version.objects.filter(plan=self.plan, status="draft", imported=True).first()
            if row is None:
                row = models.Version.objects.create(
                    plan=self.plan,
                    key=free_key(self.plan, "from-files"),
                    label="From the city's files",
                    status="draft",
                    imported=True,
                    parent=self.version,
                    created=times.now(),
                )
            self._draft = Draft(models.Version.objects.select_related("plan").get(pk=row.pk))
        return self._draft


def _targets(names: set[str]) -> dict[str, _Target]:
    rows = {plan.key: plan for plan in models.Plan.objects.select_for_update().filter(key__in=names)}
    if missing := sorted(names - set(rows)):
        raise NotFound(_("There is no plan “%(plan)s”.") % {"plan": missing[0]}, "plan")
    return {key: _Target(row) for key, row in rows.items()}


def declare_nodes(by: Reader, changes: Sequence[Change]) -> None:
    """Makes, changes and takes out nodes, as the module says."""
    require(by, "administrator", what="apply a city's files")
    if reserved := sorted(RESERVED_KEYS & {change.key for change in changes}):
        raise Invalid(
            _("A node cannot have the key “%(key)s”.") % {"key": reserved[0]},
            "key",
            todo=_("It is the address of a page."),
        )
    with transaction.atomic():
        standing = {
            row.key: row
            for row in models.Node.objects.filter(
                key__in=[change.key for change in changes], draft=None, until=None
            ).select_related("plan")
        }
        by_plan: dict[str, list[Change]] = defaultdict(list)
        for change in changes:
            old = standing.get(change.key)
            plan = (change.fields or {}).get("plan") or (old.plan.key if old else "")
            if old is not None and plan != old.plan.key:
                raise Conflict(
                    _("The node “%(key)s” belongs to the plan “%(plan)s”.") % {"key": change.key, "plan": old.plan.key},
                    "plan",
                    todo=_("Give it another key in the other plan."),
                )
            if plan:
                by_plan[plan].append(change)
        targets = _targets(set(by_plan))
        for plan, mine in by_plan.items():
            target = targets[plan]
            (_nodes_in_place if target.in_place else _nodes_into_draft)(by, target, mine, standing)
            _hold_together(target)


def _nodes_in_place(
    by: Reader, target: _Target, changes: Sequence[Change], standing: Mapping[str, models.Node]
) -> None:
    new, changed, journal = [], [], []
    for change in changes:
        row = standing.get(change.key)
        before = content(row) if row else None
        if change.fields is None:
            if row is not None:
                # An empty span: the row belongs to no version any more, and stays for the journal.
                row.until = row.since
                changed.append(row)
        else:
            if row is None:
                row = models.Node(plan=target.plan, key=change.key, since=target.plan.latest, **EMPTY)
                new.append(row)
            else:
                changed.append(row)
            for name in FIELDS:
                if name in change.fields:
                    setattr(row, name, change.fields[name])
        after = content(row) if row is not None and change.fields is not None else None
        journal.append((Ref("node", change.key), before, after))
        if before and after:
            _into_open_drafts(target.plan, change.key, before, after)
    models.Node.objects.bulk_create(new, batch_size=200)
    models.Node.objects.bulk_update(changed, ["until", *FIELDS], batch_size=30)
    record_all(by, "plans.declare", journal)


def _into_open_drafts(plan: models.Plan, key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """What changes in place changes in open drafts too, where they do not say otherwise."""
    for row in models.Node.objects.filter(plan=plan, key=key, draft__status__in=("draft", "consultation"), gone=False):
        for name in FIELDS:
            if before[name] != after[name] and getattr(row, name) == before[name]:
                setattr(row, name, after[name])
        row.save()


def _nodes_into_draft(
    by: Reader, target: _Target, changes: Sequence[Change], standing: Mapping[str, models.Node]
) -> None:
    journal: list[tuple[Ref, Mapping[str, Any] | None, Mapping[str, Any] | None]] = []
    for change in changes:
        row = standing.get(change.key)
        if change.fields is None:
            if row is not None:
                target.draft().put(change.key, content(row), gone=True)
                journal.append((Ref("node", change.key), content(row), None))
            continue
        before = content(row) if row else {**EMPTY}
        wanted = {name: change.fields.get(name, before[name]) for name in FIELDS}
        if row is not None and any(wanted[name] != before[name] for name in WORKING_FIELDS):
            for name in WORKING_FIELDS:
                setattr(row, name, wanted[name])
            row.save()
            after = content(row)
            _into_open_drafts(target.plan, change.key, before, after)
            record(by, "plans.declare", Ref("node", change.key), before=before, after=after, reason=change.reason)
            before = after
        if row is None or wanted != before:
            target.draft().put(change.key, wanted)
            journal.append((Ref("node", change.key), before if row else None, wanted))
    if journal:
        record_all(by, "plans.draft-declare", journal)


_MILESTONE_FIELDS = ("node", "title", "due", "done_on", "office", "note", "source")


def declare_milestones(by: Reader, changes: Sequence[Change]) -> None:
    """Makes, changes and takes out milestones of nodes in force."""
    require(by, "administrator", what="apply a city's files")
    with transaction.atomic():
        rows = {row.key: row for row in models.Milestone.objects.filter(key__in=[change.key for change in changes])}
        wanted = {change.fields["node"] for change in changes if change.fields and "node" in change.fields}
        plans = dict(models.Node.objects.filter(key__in=wanted, draft=None, until=None).values_list("key", "plan_id"))
        journal: list[tuple[Ref, Mapping[str, Any] | None, Mapping[str, Any] | None]] = []
        for change in changes:
            row = rows.get(change.key)
            before = milestone_content(row) if row else None
            if change.fields is None:
                if row is not None:
                    row.retired = True
                    row.save()
                    journal.append((Ref("node", row.node), {"milestone": row.key, **(before or {})}, None))
                continue
            row = row or models.Milestone(key=change.key, title={})
            for name in _MILESTONE_FIELDS:
                if name in change.fields:
                    value: Any = change.fields[name]
                    if name in ("due", "done_on"):
                        value = date.fromisoformat(value) if value else None
                    setattr(row, name, value)
            if row.node not in plans:
                raise NotFound(_("There is no plan node “%(key)s”.") % {"key": row.node}, "node")
            row.plan_id = plans[row.node]
            row.retired = False
            row.save()
            journal.append((Ref("node", row.node), before, {"milestone": row.key, **milestone_content(row)}))
        record_all(by, "plans.milestone", journal)


def milestone_content(row: models.Milestone) -> dict[str, Any]:
    """The fields of a milestone, days as texts."""
    return {
        "title": row.title,
        "due": row.due.isoformat() if row.due else "",
        "done_on": row.done_on.isoformat() if row.done_on else "",
        "office": row.office,
        "note": row.note,
        "source": row.source,
    }


def declare_links(by: Reader, changes: Sequence[Change]) -> None:
    """Makes and takes out links between nodes."""
    _declare_spans(by, models.Link, changes, ("source", "target", "type"), (), "source")


def declare_indicators(by: Reader, changes: Sequence[Change]) -> None:
    """Makes, changes and takes out the indicators of nodes."""
    _declare_spans(by, models.NodeIndicator, changes, ("node", "indicator"), ("role",), "node")


def _declare_spans(
    by: Reader,
    model: type[models.Link] | type[models.NodeIndicator],
    changes: Sequence[Change],
    names: tuple[str, ...],
    values: tuple[str, ...],
    owner: str,
) -> None:
    require(by, "administrator", what="apply a city's files")
    manager: Any = model._default_manager
    with transaction.atomic():
        standing = {
            row.key: row
            for row in manager.filter(
                key__in=[change.key for change in changes], draft=None, until=None
            ).select_related("plan")
        }
        wanted = {c.key: c.fields[owner] for c in changes if c.fields}
        plans = dict(
            models.Node.objects.filter(key__in=set(wanted.values()), until=None).values_list("key", "plan__key")
        )
        if missing := sorted({node for node in wanted.values() if node not in plans}):
            raise NotFound(_("There is no plan node “%(key)s”.") % {"key": missing[0]}, owner)
        targets = _targets({plans[node] for node in wanted.values()} | {row.plan.key for row in standing.values()})
        journal = []
        new: list[models.Link | models.NodeIndicator] = []
        for change in changes:
            row = standing.get(change.key)
            if change.fields is None and row is None:
                continue
            target = targets[plans[wanted[change.key]] if change.fields else row.plan.key]  # type: ignore[union-attr]
            before = {n: getattr(row, n) for n in (*names, *values)} if row else None
            after = {n: change.fields[n] for n in (*names, *values)} if change.fields else None
            node = (after or before or {})[owner]
            new += _one_span(target, model, change.key, row, names, values, after)
            journal.append((Ref("node", node), before, after))
        manager.bulk_create(new, batch_size=500)
        record_all(by, "plans.declare", journal)
        for target in targets.values():
            _hold_together(target)


def _one_span(
    target: _Target,
    model: type[models.Link] | type[models.NodeIndicator],
    key: str,
    row: models.Link | models.NodeIndicator | None,
    names: tuple[str, ...],
    values: tuple[str, ...],
    after: Mapping[str, str] | None,
) -> list[models.Link | models.NodeIndicator]:
    """Makes one change; gives back the row that is yet to be saved with the others."""
    if not target.in_place:
        version = target.draft().version
        if row is not None and (after is None or any(getattr(row, n) != after[n] for n in names)):
            set_span(
                model, version, {n: getattr(row, n) for n in names}, {n: getattr(row, n) for n in values}, gone=True
            )
        if after is not None:
            set_span(model, version, {n: after[n] for n in names}, {n: after[n] for n in values}, gone=False)
    elif after is None:
        assert row is not None
        row.until = row.since
        row.save()
    else:
        saved = row or model(plan=target.plan, key=key, since=target.plan.latest)
        for name, value in after.items():
            setattr(saved, name, value)
        if row is None:
            return [saved]
        saved.save()
    return []


def _hold_together(target: _Target) -> None:
    """The plan must be one after the change, be it the version in force or the draft."""
    if not target.in_place:
        found = target._draft.problems() if target._draft else []
    else:
        kept = {"plan": target.plan, "draft": None, "until": None}
        found = problems(
            dict(models.Node.objects.filter(**kept).values_list("key", "parent")),
            [Link(*each) for each in models.Link.objects.filter(**kept).values_list("source", "target", "type")],
            [
                NodeIndicator(*each)
                for each in models.NodeIndicator.objects.filter(**kept).values_list("node", "indicator", "role")
            ],
        )
    if found:
        raise Conflict(
            _("The plan would not hang together like this; nothing was changed."),
            problems=tuple(Problem(p.what, p.where, p.allowed, p.todo) for p in found[:50]),
        )
