"""The only place that changes plans: drafts, consultation, adoption by body and date, reviews.

What is in force changes by adoption alone; a draft holds only what it says differently (docs/decisions/0010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Invalid, NotFound, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import KEY_ALLOWED, Ref, is_key
from krog.base.settings import settings
from krog.catalogue import door
from krog.journal.verbs import record, record_all
from krog.people import reads as people
from krog.people.permissions import SYSTEM, require
from krog.plans import measured, models
from krog.plans.drafting import Draft, clear_links, content, draft_ref, free_key, locked, set_span
from krog.plans.fields import EMPTY, RESERVED_KEYS, cleaned, plain
from krog.plans.merging import flat
from krog.plans.shapes import DECISIONS, INDICATOR_ROLES, JUDGEMENTS, LINK_TYPES


def today() -> date:
    """The local calendar day."""
    return times.local_date(times.now(), settings().timezone)


def begin_draft(by: Reader, *, plan: str, label: str, note: str = "") -> str:
    """Begins a draft on the version in force; returns its key. It costs one row, whatever the plan's size."""
    require(by, "planner", what="begin a draft of a plan")
    label = plain(label)
    if not label or len(label) > 200:
        raise Invalid(
            _("A draft needs a name."),
            "label",
            _("1 to %(count)s characters") % {"count": 200},
            _("Name it as the council will, as in “2026”."),
        )
    with transaction.atomic():
        row = models.Plan.objects.select_for_update().filter(key=plan, retired=False).first()
        if row is None:
            raise NotFound(_("There is no plan “%(plan)s”.") % {"plan": plan}, "plan")
        parent = models.Version.objects.filter(plan=row, number=row.latest).first()
        version = models.Version.objects.create(
            plan=row,
            key=free_key(row, label),
            label=label,
            status="draft",
            parent=parent,
            note=plain(note)[:5000],
            created=times.now(),
        )
        record(by, "plans.draft-begin", Ref("plan", plan), after={"version": version.key, "label": label})
    return version.key


def change_node(
    by: Reader,
    *,
    plan: str,
    draft: str,
    node: str,
    fields: Mapping[str, Any],
    because: Ref | None = None,
    note: str = "",
) -> None:
    """Says in a draft that a node has these fields; the others stay. `because` names what led to it."""
    require(by, "planner", what="change a plan")
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        before = content(opened.node(node))
        after = {**before, **_cleaned(opened, node, fields)}
        opened.put(node, after)
        _checked(opened)
        _ground(opened, node, because, note)
        record(
            by,
            "plans.draft-change",
            Ref("node", node),
            before=_changed(before, after),
            after=_changed(after, before),
            reason=_reason(draft, because, note),
        )
        _seen(by, opened, node, before, after)


def add_node(
    by: Reader,
    *,
    plan: str,
    draft: str,
    node: str,
    fields: Mapping[str, Any],
    because: Ref | None = None,
    note: str = "",
) -> None:
    """Adds a node to a draft; its key is its identity in all versions to come."""
    require(by, "planner", what="change a plan")
    if not is_key(node) or node in RESERVED_KEYS:
        raise Invalid(_("“%(node)s” cannot be the key of a node.") % {"node": node}, "key", KEY_ALLOWED)
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        elsewhere = models.Node.objects.filter(key=node).exclude(plan=opened.plan).select_related("plan").first()
        if node in opened.nodes or elsewhere is not None:
            where = elsewhere.plan.key if elsewhere else plan
            raise Conflict(
                _("There is a node “%(node)s” already, in the plan “%(where)s”.") % {"node": node, "where": where},
                "key",
                todo=_("Choose another key."),
            )
        after = {**EMPTY, **_cleaned(opened, node, {"title": {}, **fields})}
        opened.put(node, after)
        _checked(opened)
        _ground(opened, node, because, note)
        record(by, "plans.draft-add", Ref("node", node), after=after, reason=_reason(draft, because, note))
        _seen(by, opened, node, None, after)


def remove_node(by: Reader, *, plan: str, draft: str, node: str, because: Ref | None = None, note: str = "") -> None:
    """Leaves a node out of a draft, with its links and indicators. It stays readable in the versions that have it."""
    require(by, "planner", what="change a plan")
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        before = content(opened.node(node))
        below = sorted(key for key, row in opened.nodes.items() if row.parent == node)
        if below:
            raise Conflict(
                _("Nodes stand below “%(node)s”: %(count)s.") % {"count": len(below), "node": node},
                "node",
                ", ".join(below[:10]),
                _("Move or remove them first."),
            )
        clear_links(opened, node)
        opened.put(node, before, gone=True)
        _checked(opened)
        _ground(opened, node, because, note)
        record(by, "plans.draft-remove", Ref("node", node), before=before, reason=_reason(draft, because, note))
        _seen(by, opened, node, before, None)


def undo(by: Reader, *, plan: str, draft: str, node: str) -> None:
    """Takes back what a draft says of a node, with the reasons it gave."""
    require(by, "planner", what="change a plan")
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        row = opened.own.pop(node, None)
        if row is None:
            raise NotFound(
                _("The draft “%(draft)s” changes nothing in the node “%(node)s”.") % {"draft": draft, "node": node},
                "node",
            )
        before, was_gone = content(row), row.gone
        if row.gone:
            for model, names in ((models.Link, ("source", "target")), (models.NodeIndicator, ("node",))):
                for name in names:
                    model._default_manager.filter(draft=opened.version, gone=True, **{name: node}).delete()
        row.delete()
        models.Ground.objects.filter(version=opened.version, node=node).delete()
        _checked(opened)
        record(by, "plans.draft-undo", Ref("node", node), before=before, reason=draft)
        base = opened.base.get(node)
        _seen(by, opened, node, None if was_gone else before, content(base) if base else None)


def link(by: Reader, *, plan: str, draft: str, source: str, target: str, type: str, on: bool = True) -> None:
    """Links two nodes in a draft, or takes the link out (`on=False`)."""
    require(by, "planner", what="change a plan")
    if type not in LINK_TYPES:
        raise Invalid(_("There are no links of the type “%(type)s”.") % {"type": type}, "type", ", ".join(LINK_TYPES))
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        opened.node(source)
        opened.node(target)
        names = {"source": source, "target": target, "type": type}
        if not set_span(models.Link, opened.version, names, {}, gone=not on):
            raise Conflict(
                (_("These two are linked like this already.") if on else _("There is no such link.")), "link"
            )
        _checked(opened)
        record(by, "plans.draft-link" if on else "plans.draft-unlink", Ref("node", source), after=names, reason=draft)


def set_indicator(by: Reader, *, plan: str, draft: str, node: str, indicator: str, role: str) -> None:
    """Gives a node of a draft an indicator in a role; an empty role takes it out."""
    require(by, "planner", what="change a plan")
    if role and role not in INDICATOR_ROLES:
        raise Invalid(_("“%(role)s” is no role of an indicator.") % {"role": role}, "role", ", ".join(INDICATOR_ROLES))
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        opened.node(node)
        if not is_key(indicator) or (role and not measured.exists(by, indicator)):
            raise Invalid(
                _("There is no indicator “%(indicator)s”.") % {"indicator": indicator},
                "indicator",
                todo=_("Choose one from the list."),
            )
        names = {"node": node, "indicator": indicator}
        if not set_span(models.NodeIndicator, opened.version, names, {"role": role} if role else {}, gone=not role):
            raise Conflict(
                (_("The node has this indicator already.") if role else _("There is no such indicator.")), "indicator"
            )
        record(by, "plans.draft-indicator", Ref("node", node), after={**names, "role": role}, reason=draft)


def consult(by: Reader, *, plan: str, draft: str, until: date | None = None) -> None:
    """Shows a draft to everybody for comments; it changes no more until it is taken back."""
    require(by, "planner", what="put a draft out for comments")
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        _not_empty(opened)
        _checked(opened)
        if until is not None and until < today():
            raise Invalid(
                _("The last day %(until)s has passed.") % {"until": until.isoformat()}, "until", _("today or later")
            )
        _status(by, opened.version, "consultation", "plans.consult", consultation_until=until)


def reopen(by: Reader, *, plan: str, draft: str) -> None:
    """Takes a draft back from consultation so that it can be changed."""
    require(by, "planner", what="change a plan")
    with transaction.atomic():
        _status(by, locked(plan, draft, "consultation"), "draft", "plans.reopen")


def withdraw(by: Reader, *, plan: str, draft: str, reason: str) -> None:
    """Gives a draft up; it stays readable for planners."""
    require(by, "planner", what="give a draft up")
    if not plain(reason):
        raise Invalid(_("Say why the draft is given up."), "reason")
    with transaction.atomic():
        _status(by, locked(plan, draft, "draft", "consultation"), "withdrawn", "plans.withdraw", plain(reason))


def adopt(by: Reader, *, plan: str, version: str, body: str, on: date, gazette: str = "") -> int:
    """Brings a draft that was out for comments into force, as a body adopted it on a day; returns its number.

    The version before becomes `amended` and stays readable. Refused when another version has meanwhile changed the
    same nodes, so that no adoption silently takes back another.
    """
    require(by, "planner", what="enter the adoption of a plan")
    body, gazette = plain(body), plain(gazette)
    if not body or len(body) > 200:
        raise Invalid(
            _("Say which body adopted the plan."),
            "body",
            _("1 to %(count)s characters") % {"count": 200},
            _("For example “Mestni svet”."),
        )
    if len(gazette) > 200:
        raise Invalid(
            _("The reference to the gazette is too long."),
            "gazette",
            _("at most %(count)s characters") % {"count": 200},
        )
    if on > today():
        raise Invalid(_("The day %(on)s has not come yet.") % {"on": on.isoformat()}, "on", _("today or earlier"))
    with transaction.atomic():
        row = locked(plan, version, "consultation")
        opened = Draft(row)
        _not_empty(opened)
        if overtaken := opened.overtaken():
            raise Conflict(
                _("Another version has meanwhile changed nodes that “%(label)s” changes, too: %(count)s.")
                % {"count": len(overtaken), "label": row.label},
                "version",
                problems=tuple(Problem(_("It was changed by another version."), key) for key in overtaken),
                todo=_("Take the draft back, look at these nodes and save them again."),
            )
        _checked(opened)
        before = models.Version.objects.filter(plan=row.plan, status="adopted").first()
        if before is not None and before.adopted_on is not None and on < before.adopted_on:
            raise Invalid(
                _("The version in force was adopted later, on %(adopted_on)s.")
                % {"adopted_on": before.adopted_on.isoformat()},
                "on",
            )
        number = row.plan.latest + 1
        _journal_adoption(by, opened)
        for model in (models.Node, models.Link, models.NodeIndicator):
            _turn(model, row, number)
        if before is not None:
            before.status = "amended"
            before.save(update_fields=["status"])
        models.Plan.objects.filter(pk=row.plan_id).update(latest=number)
        row.number = number
        row.adopted_on, row.adopting_body, row.gazette = on, body, gazette
        _status(by, row, "adopted", "plans.adopt")
    return number


def _turn(
    model: type[models.Node] | type[models.Link] | type[models.NodeIndicator], draft: models.Version, number: int
) -> None:
    """Makes a draft's rows those in force from `number` on: the rows they replace end there."""
    manager = model._default_manager
    replaced = [pk for pk in manager.filter(draft=draft).values_list("replaces", flat=True) if pk is not None]
    for start in range(0, len(replaced), 500):
        manager.filter(pk__in=replaced[start : start + 500]).update(until=number)
    manager.filter(draft=draft, gone=True).delete()
    manager.filter(draft=draft).update(since=number, draft=None)


def _journal_adoption(by: Reader, opened: Draft) -> None:
    changes = []
    for key, row in opened.own.items():
        base = opened.base.get(key)
        before, after = content(base) if base else None, None if row.gone else content(row)
        changes.append(
            (
                Ref("node", key),
                _changed(before, after or {}) if before else None,
                _changed(after, before or {}) if after else None,
            )
        )
    if changes:
        record_all(by, "plans.adopt", changes, reason=opened.version.label)


def repeal(by: Reader, *, plan: str, version: str, body: str, on: date) -> None:
    """Ends the version in force without another in its place; it stays readable."""
    require(by, "planner", what="enter the repeal of a plan")
    if not plain(body):
        raise Invalid(_("Say which body repealed the plan."), "body")
    if on > today():
        raise Invalid(_("The day %(on)s has not come yet.") % {"on": on.isoformat()}, "on", _("today or earlier"))
    with transaction.atomic():
        _status(by, locked(plan, version, "adopted"), "repealed", "plans.repeal", f"{plain(body)}, {on.isoformat()}")


def review(
    by: Reader,
    *,
    plan: str,
    node: str,
    judgement: str,
    decision: str,
    note: str = "",
    on: date | None = None,
) -> str:
    """Records a review of a node in force, with what its indicators say at this moment; returns the review's key."""
    require(by, "planner", what="review a plan")
    on, note = on or today(), plain(note)
    wrong = [
        problem
        for bad, problem in (
            (
                judgement not in JUDGEMENTS,
                Problem(
                    _("“%(judgement)s” is no judgement.") % {"judgement": judgement}, "judgement", ", ".join(JUDGEMENTS)
                ),
            ),
            (
                decision not in DECISIONS,
                Problem(_("“%(decision)s” is no decision.") % {"decision": decision}, "decision", ", ".join(DECISIONS)),
            ),
            (on > today(), Problem(_("The day has not come yet."), "on", _("today or earlier"))),
            (
                len(note) > 5000,
                Problem(_("The note is too long."), "note", _("at most %(count)s characters") % {"count": 5000}),
            ),
            (decision != "keep" and not note, Problem(_("Say what should change, and why."), "note")),
        )
        if bad
    ]
    if wrong:
        raise invalid(wrong, _("The review cannot be saved like this."))
    found = (
        models.Node.objects.filter(plan__key=plan, plan__retired=False, key=node, draft=None, until=None)
        .select_related("plan")
        .first()
    )
    if found is None:
        raise NotFound(_("The plan “%(plan)s” has no node “%(node)s” in force.") % {"plan": plan, "node": node}, "node")
    facts = [asdict(fact) for fact in measured.facts_of_node(by, node)]
    with transaction.atomic():
        row = models.Review.objects.create(
            plan=found.plan,
            key=f"{node[:80]}.{times.now():x}",
            node=node,
            version=found.plan.latest,
            on=on,
            judgement=judgement,
            decision=decision,
            note=note,
            facts=facts,
            office=found.office,
            reviewer=by.name,
            created=times.now(),
        )
        record(
            by,
            "plans.review",
            Ref("node", node),
            after={"review": row.key, "on": on.isoformat(), "judgement": judgement, "decision": decision, "note": note},
        )
    return row.key


def review_many(
    by: Reader,
    *,
    plan: str,
    nodes: Sequence[str],
    judgement: str,
    decision: str,
    note: str = "",
    on: date | None = None,
) -> list[str]:
    """Records the same review of up to 200 nodes in force, each with what its own indicators say; all or none."""
    require(by, "planner", what="review a plan")
    if not 0 < len(nodes) <= 200:
        raise Invalid(_("Choose the nodes that the review is of."), "nodes", _("1 to %(count)s nodes") % {"count": 200})
    with transaction.atomic():
        return [
            review(by, plan=plan, node=node, judgement=judgement, decision=decision, note=note, on=on)
            for node in dict.fromkeys(nodes)
        ]


def _cleaned(opened: Draft, node: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    offices = [office.key for office in people.offices(door.open(SYSTEM, "desk", kind="people"))]
    return cleaned(
        fields,
        node=node,
        levels=[level["key"] for level in opened.plan.levels],
        offices=offices,
        facts={each["key"]: each.get("type", "text") for each in opened.plan.facts},
    )


def _seen(
    by: Reader,
    opened: Draft,
    node: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Keeps what was done in the draft, for the others who work on it."""
    old, new = (flat(side) if side is not None else None for side in (before, after))
    if old is not None and new is not None:
        names = [name for name in {**old, **new} if old.get(name, "") != new.get(name, "")]
        old, new = ({name: side.get(name, "") for name in names} for side in (old, new))
    record(by, "plans.draft-rows", draft_ref(opened.version), before={node: old}, after={node: new})


def _changed(these: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in these.items() if others.get(name) != value}


def _checked(opened: Draft) -> None:
    if found := opened.problems():
        raise Conflict(
            _("The plan would not hang together like this; nothing was changed."), problems=tuple(found[:50])
        )


def _not_empty(opened: Draft) -> None:
    changes = opened.own or any(
        model._default_manager.filter(draft=opened.version).exists() for model in (models.Link, models.NodeIndicator)
    )
    if not changes:
        raise Conflict(
            _("The draft “%(label)s” changes nothing.") % {"label": opened.version.label},
            "version",
            todo=_("Change a node first."),
        )


def _ground(opened: Draft, node: str, because: Ref | None, note: str) -> None:
    """Keeps why the draft changes the node; the same reference is kept once."""
    words = plain(note)[:5000]
    if because is None and not words:
        return
    values = {"note": words, "time": times.now()}
    if because is None:
        models.Ground.objects.create(version=opened.version, node=node, **values)
    else:
        models.Ground.objects.update_or_create(
            version=opened.version, node=node, noun=because.noun, key=because.key, defaults=values
        )


def _reason(draft: str, because: Ref | None, note: str) -> str:
    return ": ".join(part for part in (draft, str(because or ""), plain(note)) if part)[:2000]


def _status(by: Reader, row: models.Version, status: str, verb: str, reason: str = "", **values: Any) -> None:
    before = row.status
    row.status = status
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    record(
        by,
        verb,
        Ref("plan", row.plan.key),
        before={"version": row.key, "status": before},
        after={
            "version": row.key,
            "status": status,
            "adopted_on": row.adopted_on,
            "body": row.adopting_body,
            "gazette": row.gazette,
        }
        if status == "adopted"
        else {"version": row.key, "status": status},
        reason=reason,
    )
