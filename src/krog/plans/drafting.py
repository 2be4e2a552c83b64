"""A draft as it is written: the rows in force, and over them only what the draft says differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from krog.base.errors import Conflict, NotFound, Problem
from krog.base.ids import Ref, slug
from krog.plans import models
from krog.plans.reads import overlaid, span
from krog.plans.shapes import FIELDS, Link, NodeIndicator
from krog.plans.tree import problems


def content(row: models.Node) -> dict[str, Any]:
    """The fields of a row that a version carries."""
    return {name: getattr(row, name) for name in FIELDS}


def free_key(plan: models.Plan, label: str) -> str:
    """A key for a version, made of its label, that no other version of the plan has."""
    base = slug(label)[:90] or "version"
    taken = set(models.Version.objects.filter(plan=plan, key__startswith=base).values_list("key", flat=True))
    return next(key for n in range(1, len(taken) + 2) if (key := base if n == 1 else f"{base}-{n}") not in taken)


def locked(plan: str, version: str, *statuses: str) -> models.Version:
    """The version, with its plan locked until the transaction ends; Conflict unless it has one of the statuses."""
    try:
        models.Plan.objects.select_for_update().get(key=plan, retired=False)
        row = models.Version.objects.select_related("plan").get(plan__key=plan, key=version)
    except (models.Plan.DoesNotExist, models.Version.DoesNotExist):
        raise NotFound(
            _("The plan “%(plan)s” has no version “%(version)s”.") % {"plan": plan, "version": version}, "version"
        ) from None
    if row.status not in statuses:
        raise Conflict(
            _("The version “%(label)s” has the status %(status)s; this can be done only in the status %(statuses)s.")
            % {"label": row.label, "status": row.status, "statuses": ", ".join(statuses)},
            "version",
            todo=_("Begin a new draft.") if row.number else "",
        )
    return row


def draft_ref(version: models.Version) -> Ref:
    """Under which name the journal keeps what was done in a draft as a whole."""
    return Ref("plan_draft", str(version.pk))


class Draft:
    """All rows of a plan as a draft sees them, for one transaction."""

    def __init__(self, version: models.Version):
        self.version = version
        self.plan = version.plan
        self.base: dict[str, models.Node] = {}
        self.own: dict[str, models.Node] = {}
        for row in models.Node.objects.filter(span(version), plan=self.plan):
            (self.base if row.draft_id is None else self.own)[row.key] = row
        self._nodes: dict[str, models.Node] | None = None

    @property
    def nodes_now(self) -> dict[str, models.Node]:
        """The same as `nodes`, made once: for reading before anything is put."""
        if self._nodes is None:
            self._nodes = self.nodes
        return self._nodes

    @property
    def nodes(self) -> dict[str, models.Node]:
        """The nodes of the draft by key."""
        return {key: row for key, row in {**self.base, **self.own}.items() if not row.gone}

    def node(self, key: str) -> models.Node:
        row = self.own.get(key) or self.base.get(key)
        if row is None or row.gone:
            raise NotFound(
                _("The version “%(label)s” has no node “%(key)s”.") % {"label": self.version.label, "key": key}, "node"
            )
        return row

    def put(self, key: str, fields: Mapping[str, Any], *, gone: bool = False) -> None:
        """Makes the draft say this of a node; what is the same as in force is not kept."""
        base = self.base.get(key)
        same = base is not None and not gone and content(base) == dict(fields)
        row = self.own.get(key)
        if same or (gone and base is None):
            if row is not None:
                row.delete()
                self.own.pop(key)
            return
        if row is None:
            row = models.Node(plan=self.plan, draft=self.version, key=key)
        for name, value in fields.items():
            setattr(row, name, value)
        row.gone = gone
        row.replaces = base.pk if base else None
        row.save()
        self.own[key] = row

    def put_many(self, wanted: Mapping[str, Mapping[str, Any] | None]) -> None:
        """The same as `put` for many nodes, in four statements; None leaves a node out."""
        new, changed, dropped = [], [], []
        for key, fields in wanted.items():
            base, row = self.base.get(key), self.own.get(key)
            if (fields is None and base is None) or (fields is not None and base and content(base) == dict(fields)):
                if row is not None:
                    dropped.append(row.pk)
                    self.own.pop(key)
                continue
            if row is None:
                row = models.Node(plan=self.plan, draft=self.version, key=key, replaces=base.pk if base else None)
                new.append(row)
                self.own[key] = row
            else:
                row.replaces = base.pk if base else None
                changed.append(row)
            said = content(base) if fields is None and base is not None else fields or {}
            for name, value in said.items():
                setattr(row, name, value)
            row.gone = fields is None
        models.Node.objects.filter(pk__in=dropped).delete()
        models.Node.objects.bulk_create(new, batch_size=40)
        models.Node.objects.bulk_update(changed, ["gone", "replaces", *FIELDS], batch_size=30)
        self._nodes = None

    def links(self) -> list[Link]:
        rows = models.Link.objects.filter(span(self.version), plan=self.plan)
        return [
            Link(r.source, r.target, r.type) for r in overlaid(rows, self.version, "source", "type", "target").values()
        ]

    def indicators(self) -> list[NodeIndicator]:
        rows = models.NodeIndicator.objects.filter(span(self.version), plan=self.plan)
        return [
            NodeIndicator(r.node, r.indicator, r.role)
            for r in overlaid(rows, self.version, "node", "indicator").values()
        ]

    def problems(self) -> list[Problem]:
        """What keeps the draft from being a plan."""
        parents = {key: row.parent for key, row in self.nodes.items()}
        return problems(parents, self.links(), self.indicators())

    def problems_with(self, parents: Mapping[str, str], links: Iterable[Link]) -> list[Problem]:
        """What would keep the draft from being a plan if its nodes (key → parent) and links were these."""
        return problems(parents, links, [each for each in self.indicators() if each.node in parents])

    def overtaken(self) -> list[str]:
        """The nodes that another version has changed since this draft did."""
        found = []
        for key, row in self.own.items():
            base = self.base.get(key)
            if row.replaces != (base.pk if base else None):
                found.append(key)
        return sorted(found)


def clear_links(opened: Draft, node: str) -> None:
    """Leaves the links and indicators of a node out of a draft."""
    for link in opened.links():
        if node in (link.source, link.target):
            names = {"source": link.source, "target": link.target, "type": link.type}
            set_span(models.Link, opened.version, names, {}, gone=True)
    for each in opened.indicators():
        if each.node == node:
            names = {"node": node, "indicator": each.indicator}
            set_span(models.NodeIndicator, opened.version, names, {"role": each.role}, gone=True)


def set_span(
    model: type[models.Link] | type[models.NodeIndicator],
    version: models.Version,
    names: Mapping[str, str],
    values: Mapping[str, str],
    *,
    gone: bool,
) -> bool:
    """Makes a draft have (or leave out) a link or an indicator of a node; False when it did already."""
    manager = model._default_manager
    base = manager.filter(plan=version.plan, draft=None, until=None, **names).first()
    own = manager.filter(draft=version, **names).first()
    same_as_base = (
        (base is None) if gone else (base is not None and all(getattr(base, k) == v for k, v in values.items()))
    )
    if same_as_base:
        if own is not None:
            own.delete()
            return True
        return False
    if own is None:
        key = (
            base.key
            if base is not None
            else "--".join(names[part] for part in ("source", "type", "target", "node", "indicator") if part in names)
        )
        own = model(plan=version.plan, draft=version, key=key, **names)
    elif own.gone == gone and all(getattr(own, k) == v for k, v in values.items()):
        return False
    own.gone = gone
    own.replaces = base.pk if base else None
    for name, value in values.items():
        setattr(own, name, value)
    own.save()
    return True
