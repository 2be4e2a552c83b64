"""Reads of plans: what is in force for everybody, drafts for planners, differences and history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from django.db.models import F, Q
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Access, Grant
from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff, may
from krog.plans import measured, models, shapes, states
from krog.plans import tree as trees

_SpanT = TypeVar("_SpanT", bound=models.Span)
_PUBLIC = ("consultation", "adopted", "amended", "repealed")
_MASKABLE = ("text", "office", "status", "strategic", "horizon", "note", "source", "facts")


def _sees_drafts(grant: Grant) -> bool:
    return may(grant.reader, "planner")


def _version(row: models.Version, plan: str, parents: Mapping[int, str]) -> shapes.Version:
    return shapes.Version(
        plan=plan,
        key=row.key,
        number=row.number,
        label=row.label,
        status=row.status,
        imported=row.imported,
        adopted_on=row.adopted_on,
        adopting_body=row.adopting_body,
        gazette=row.gazette,
        consultation_until=row.consultation_until,
        note=row.note,
        source=row.source,
        created=row.created,
        parent=parents.get(row.parent_id or 0, ""),
    )


def _plan(row: models.Plan, in_force: shapes.Version | None) -> shapes.Plan:
    levels = tuple(shapes.Level(level["key"], level.get("title", {})) for level in row.levels)
    return shapes.Plan(
        row.key,
        row.title,
        row.description,
        row.organisation,
        row.horizon,
        row.source,
        levels,
        row.dataset,
        in_force,
        tuple(
            shapes.TreeOf(each["key"], each.get("title", {}), tuple(each["top"]), each.get("by", ""))
            for each in row.trees
        ),
        tuple(shapes.Level(each["key"], each.get("title", {})) for each in row.statuses),
        tuple(shapes.FactOf(each["key"], each.get("title", {}), each.get("type", "text")) for each in row.facts),
    )


def _plans(
    grant: Grant, key: str | None = None
) -> list[tuple[models.Plan, shapes.Plan, dict[str, models.Version], dict[str, shapes.Version]]]:
    """Plans that the reader may see, each with its versions that he may see, newest last; one query."""
    rows = models.Version.objects.filter(plan__retired=False, plan__dataset__in=grant.keys).select_related("plan")
    if key is not None:
        rows = rows.filter(plan__key=key)
    by_plan: dict[int, list[models.Version]] = defaultdict(list)
    for row in rows.order_by("plan__key", "created", "id"):
        by_plan[row.plan_id].append(row)
    found = []
    for mine in by_plan.values():
        plan = mine[0].plan
        parents = {row.pk: row.key for row in mine}
        seen = [row for row in mine if row.status in _PUBLIC or _sees_drafts(grant)]
        versions = {row.key: _version(row, plan.key, parents) for row in seen}
        in_force = next((v for v in versions.values() if v.in_force), None)
        found.append((plan, _plan(plan, in_force), {row.key: row for row in seen}, versions))
    return found


def _one(
    grant: Grant, key: str
) -> tuple[models.Plan, shapes.Plan, dict[str, models.Version], dict[str, shapes.Version]]:
    found = _plans(grant, key)
    if not found:
        raise NotFound(_("There is no plan “%(plan)s”.") % {"plan": key}, "plan")
    return found[0]


def _chosen(plan: models.Plan, rows: Mapping[str, models.Version], version: str | None) -> models.Version:
    """The version asked for; without one the version in force, else the last that was."""
    if version:
        if version not in rows:
            raise NotFound(
                _("The plan “%(plan)s” has no version “%(version)s”.") % {"plan": plan.key, "version": version},
                "version",
                ", ".join(rows),
            )
        return rows[version]
    numbered = [row for row in rows.values() if row.number == plan.latest]
    if not numbered:
        raise NotFound(_("No version of the plan “%(key)s” has been adopted yet.") % {"key": plan.key}, "version")
    return numbered[0]


def span(version: models.Version) -> Q:
    """The rows that a version is made of: those in force at its number, or in force now with the draft's over them."""
    if version.number is not None:
        return Q(draft=None, since__lte=version.number) & (Q(until=None) | Q(until__gt=version.number))
    return Q(draft=None, until=None) | Q(draft=version)


def overlaid(rows: Iterable[_SpanT], version: models.Version, *names: str) -> dict[tuple[str, ...], _SpanT]:
    """Of all rows the ones that hold in the version, by the values of `names`; a draft's row beats the one in force."""
    found: dict[tuple[str, ...], _SpanT] = {}
    for row in rows:
        if row.draft_id is not None:
            if row.draft_id != version.pk or version.number is not None:
                continue
        elif version.number is None:
            if row.until is not None:
                continue
        elif (row.since or 0) > version.number or (row.until is not None and row.until <= version.number):
            continue
        key = tuple(str(getattr(row, name)) for name in names)
        if key not in found or row.draft_id is not None:
            found[key] = row
    return {key: row for key, row in found.items() if not row.gone}


def node_of(row: models.Node, plan: str) -> shapes.Node:
    """The frozen value of a row, without its place in the tree."""
    return shapes.Node(
        key=row.key,
        plan=plan,
        level=row.level,
        number=row.number,
        title=row.title,
        text=row.text,
        parent=row.parent,
        order=row.order,
        organisation=row.organisation,
        office=row.office,
        holder=row.holder,
        status=row.status,
        strategic=row.strategic,
        horizon=row.horizon,
        note=row.note,
        source=row.source,
        facts=row.facts,
        since=row.since,
        row=row.pk,
    )


def _shown(node: shapes.Node, access: Access, staff: bool) -> shapes.Node | None:
    """The node as this access lets it be seen; None when a row rule leaves it out. Who answers is for staff."""
    for rule in access.rows:
        value = getattr(node, rule.field, None)
        holds = {"=": value == rule.value, "!=": value != rule.value}.get(rule.op)
        if not (holds if holds is not None else value in rule.value):
            return None
    hidden: dict[str, Any] = {
        name: {} if name in ("text", "facts") else False if name == "strategic" else ""
        for name in _MASKABLE
        if not access.shows(name)
    }
    if "office" in hidden:
        hidden["organisation"] = ""
    if not staff:
        hidden["holder"] = ""
    return replace(node, **hidden) if hidden else node


def _nodes(grant: Grant, plan: models.Plan, chosen: list[models.Version]) -> list[dict[str, shapes.Node]]:
    """The trees of some versions of one plan: three queries, however many."""
    wanted = span(chosen[0])
    for version in chosen[1:]:
        wanted |= span(version)
    access = grant.datasets[plan.dataset]
    nodes = list(models.Node.objects.filter(wanted, plan=plan))
    links = list(models.Link.objects.filter(wanted, plan=plan))
    indicators = list(models.NodeIndicator.objects.filter(wanted, plan=plan))
    found = []
    for version in chosen:
        shown = {
            row.key: node
            for row in overlaid(nodes, version, "key").values()
            if (node := _shown(node_of(row, plan.key), access, is_staff(grant.reader))) is not None
        }
        found.append(
            trees.ordered(
                shown,
                [
                    shapes.Link(r.source, r.target, r.type)
                    for r in overlaid(links, version, "source", "type", "target").values()
                ],
                [
                    shapes.NodeIndicator(r.node, r.indicator, r.role)
                    for r in overlaid(indicators, version, "node", "indicator").values()
                ],
            )
        )
    return found


def plans(grant: Grant) -> list[shapes.PlanCard]:
    """All plans with the version in force and the number of nodes by level."""
    found = _plans(grant)
    by_plan: dict[int, Counter[str]] = defaultdict(Counter)
    ids = [row.pk for row, *_ in found]
    for pk, level in models.Node.objects.filter(plan__in=ids, draft=None, until=None).values_list("plan_id", "level"):
        by_plan[pk][level] += 1
    cards = []
    for row, plan, _rows, versions in found:
        levels = by_plan[row.pk]
        cards.append(
            shapes.PlanCard(
                plan,
                levels.total(),
                {level.key: levels[level.key] for level in plan.levels if levels[level.key]},
                tuple(v for v in versions.values() if v.status == "consultation"),
            )
        )
    return cards


def plan(grant: Grant, key: str) -> shapes.Plan:
    """One plan, or NotFound."""
    return _one(grant, key)[1]


def versions(grant: Grant, plan: str) -> list[shapes.Version]:
    """The versions of a plan, newest first; drafts for planners only."""
    return list(reversed(_one(grant, plan)[3].values()))


def version(grant: Grant, plan: str, key: str) -> shapes.Version:
    """One version, or NotFound."""
    row, _, rows, seen = _one(grant, plan)
    return seen[_chosen(row, rows, key).key]


def tree(grant: Grant, plan: str, version: str | None = None) -> shapes.Tree:
    """The whole tree of a version (without one: of the version in force) with states."""
    row, shape, rows, seen = _one(grant, plan)
    chosen = _chosen(row, rows, version)
    nodes = _nodes(grant, row, [chosen])[0]
    standings = measured.standings(grant, {each.indicator for node in nodes.values() for each in node.indicators})
    return shapes.Tree(
        shape,
        seen[chosen.key],
        states.with_states(nodes, measured.facts(standings)),
        standings,
        tuple(reversed(seen.values())),
    )


def node(grant: Grant, plan: str, key: str, version: str | None = None) -> shapes.Node:
    """One node of a version with its place in the tree and its state, or NotFound."""
    found = tree(grant, plan, version)
    if key not in found.nodes:
        raise NotFound(
            _("The plan “%(plan)s” has no node “%(key)s” in this version.") % {"plan": plan, "key": key},
            "node",
            todo=_("It may stand in another version of the plan."),
        )
    return found.nodes[key]


def plan_of_node(grant: Grant, key: str) -> str:
    """The key of the plan that a node belongs to (in any version the reader may see), or NotFound."""
    for row in (
        models.Node.objects.filter(key=key, plan__retired=False, plan__dataset__in=grant.keys, draft=None)
        .select_related("plan")
        .order_by("-since")
    ):
        if _shown(node_of(row, row.plan.key), grant.datasets[row.plan.dataset], is_staff(grant.reader)) is not None:
            return row.plan.key
    raise NotFound(_("There is no plan node “%(key)s”.") % {"key": key}, "node")


def nodes_named(grant: Grant, keys: Iterable[str]) -> dict[str, shapes.Node]:
    """The nodes in force with these keys, without their place in the tree; what is not there is left out."""
    rows = models.Node.objects.filter(
        key__in=set(keys), draft=None, until=None, plan__retired=False, plan__dataset__in=grant.keys
    ).select_related("plan")
    staff = is_staff(grant.reader)
    shown = ((row.key, _shown(node_of(row, row.plan.key), grant.datasets[row.plan.dataset], staff)) for row in rows)
    return {key: node for key, node in shown if node is not None}


def nodes_of_indicator(grant: Grant, indicator: str) -> tuple[shapes.NodeOf, ...]:
    """The nodes in force that an indicator measures (first) or is context of."""
    roles = dict(
        models.NodeIndicator.objects.filter(
            indicator=indicator, draft=None, until=None, plan__retired=False, plan__dataset__in=grant.keys
        ).values_list("node", "role")
    )
    nodes = nodes_named(grant, roles)
    found = [shapes.NodeOf(n.plan, key, n.number, n.title, n.level, roles[key]) for key, n in nodes.items()]
    return tuple(sorted(found, key=lambda each: (each.role != "measures", each.key)))


def _grounds(version: models.Version) -> list[shapes.Ground]:
    return [
        shapes.Ground(version.key, row.node, Ref(row.noun, row.key) if row.noun else None, row.note, row.time)
        for row in models.Ground.objects.filter(version=version).order_by("id")
    ]


def diff(grant: Grant, plan: str, a: str | None, b: str) -> shapes.Diff:
    """What leads from version `a` (None: the one in force) to version `b`: nodes, links and indicators."""
    row, shape, rows, seen = _one(grant, plan)
    old, new = _chosen(row, rows, a), _chosen(row, rows, b)
    before, after = _nodes(grant, row, [old, new])
    links = [{link for n in side.values() for link in n.links} for side in (before, after)]
    indicators = [{each for n in side.values() for each in n.indicators} for side in (before, after)]

    changes = trees.compare(before, after, _grounds(new))
    parents = {side.parent for each in changes for side in (each.before, each.after) if side is not None}

    def by_key(found: set[shapes.Link]) -> tuple[shapes.Link, ...]:
        return tuple(sorted(found, key=lambda link: link.key))

    def by_node(found: set[shapes.NodeIndicator]) -> tuple[shapes.NodeIndicator, ...]:
        return tuple(sorted(found, key=lambda each: (each.node, each.indicator)))

    return shapes.Diff(
        shape,
        seen[old.key],
        seen[new.key],
        changes,
        by_key(links[1] - links[0]),
        by_key(links[0] - links[1]),
        by_node(indicators[1] - indicators[0]),
        by_node(indicators[0] - indicators[1]),
        {key: side[key].title for key in parents for side in (before, after) if key in side},
    )


def versions_of_node(grant: Grant, plan: str, key: str) -> list[tuple[shapes.Version, str]]:
    """The versions that changed a node, newest first, each with added, changed or removed."""
    return changes_of_node(grant, list(_one(grant, plan)[3].values()), key)


def changes_of_node(grant: Grant, versions: Sequence[shapes.Version], key: str) -> list[tuple[shapes.Version, str]]:
    """The same for versions that were read already (with their plan's tree)."""
    numbers = {version.number: version for version in versions if version.number is not None}
    plan = versions[0].plan if versions else ""
    spans = models.Node.objects.filter(plan__key=plan, plan__dataset__in=grant.keys, key=key, draft=None).exclude(
        until=F("since")
    )
    pairs = list(spans.values_list("since", "until"))
    starts = {since for since, _ in pairs if since is not None}
    ends = {until for _, until in pairs if until is not None}
    found: list[tuple[shapes.Version, str]] = []
    for number in sorted(starts | ends, reverse=True):
        kind = "removed" if number not in starts else "changed" if number in ends else "added"
        if number in numbers:
            found.append((numbers[number], kind))
    return found


def reviews(grant: Grant, plan: str, node: str | None = None, limit: int = 50, offset: int = 0) -> list[shapes.Review]:
    """Reviews of a node (or of the whole plan), newest first; who wrote them is for people of the city."""
    rows = models.Review.objects.filter(plan__key=plan, plan__dataset__in=grant.keys, plan__retired=False)
    if node is not None:
        rows = rows.filter(node=node)
    inside = is_staff(grant.reader)
    page = list(rows.order_by("-on", "-id")[offset : offset + limit])
    if any(grant.datasets[key].rows for key in grant.keys):
        seen = nodes_named(grant, {row.node for row in page})
        page = [row for row in page if row.node in seen]
    return [
        shapes.Review(
            key=row.key,
            plan=plan,
            node=row.node,
            version=row.version,
            on=row.on,
            judgement=row.judgement,
            decision=row.decision,
            note=row.note,
            facts=tuple(shapes.Fact(**fact) for fact in row.facts),
            office=row.office,
            reviewer=row.reviewer if inside else "",
        )
        for row in page
    ]


def taken_up(grant: Grant, refs: Iterable[Ref]) -> list[shapes.TakenUp]:
    """The versions (that the reader may see) which change a node because of one of these."""
    wanted = set(refs)
    if not wanted:
        return []
    rows = (
        models.Ground.objects.filter(
            noun__in={ref.noun for ref in wanted},
            key__in={ref.key for ref in wanted},
            version__plan__dataset__in=grant.keys,
            version__plan__retired=False,
        )
        .select_related("version__plan")
        .order_by("id")
    )
    return [
        shapes.TakenUp(
            Ref(row.noun, row.key), row.version.plan.key, _version(row.version, row.version.plan.key, {}), row.node
        )
        for row in rows
        if Ref(row.noun, row.key) in wanted and (row.version.status in _PUBLIC or _sees_drafts(grant))
    ]


def _without(content: Mapping[str, Any] | None, names: Collection[str]) -> Mapping[str, Any] | None:
    return None if content is None else {name: value for name, value in content.items() if name not in names}


def history(grant: Grant, plan: str, node: str | None = None, limit: int = 50) -> list[Entry]:
    """What was done to a plan or to one of its nodes, newest first. Who did it is for people of the city; what
    happens in drafts is for planners."""
    access = grant.datasets[_one(grant, plan)[0].dataset]
    if node is not None and access.rows:
        plan_of_node(grant, node)
    entries = journal.history(Ref("node", node) if node is not None else Ref("plan", plan), limit)
    hidden = {name for name in _MASKABLE if not access.shows(name)} if node is not None else set()
    hidden |= ({"organisation"} if "office" in hidden else set()) | (set() if is_staff(grant.reader) else {"holder"})
    if hidden:
        entries = [
            replace(entry, before=_without(entry.before, hidden), after=_without(entry.after, hidden))
            for entry in entries
        ]
    if not _sees_drafts(grant):
        entries = [entry for entry in entries if not entry.verb.startswith("plans.draft-")]
    if not is_staff(grant.reader):
        entries = [replace(entry, who="") for entry in entries]
    return entries


def refs_of_version(grant: Grant, plan: str, version: str, noun: str) -> tuple[str, ...]:
    """The keys of the things of a noun because of which a version changes nodes."""
    row, _, rows, _ = _one(grant, plan)
    chosen = _chosen(row, rows, version)
    return tuple(sorted({g.ref.key for g in _grounds(chosen) if g.ref is not None and g.ref.noun == noun}))
