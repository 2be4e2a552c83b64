"""Many rows of a draft changed at once: validated, merged with what others did meanwhile, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Invalid, NotFound, Problem
from krog.base.grant import Reader
from krog.base.ids import KEY_ALLOWED, Ref, is_key
from krog.catalogue import door
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.journal.verbs import record, record_all
from krog.people import reads as people
from krog.people.permissions import SYSTEM, require
from krog.plans import models
from krog.plans.drafting import Draft, clear_links, content, draft_ref, locked, set_span
from krog.plans.fields import EMPTY, RESERVED_KEYS, cleaned, plain
from krog.plans.merging import Clash, Flat, flat, merge, with_changes

#: Rows that one call may change.
MOST = 2000
#: For how long somebody who changed a draft counts as working on it.
PRESENT_S = 15 * 60


@dataclass(frozen=True)
class Row:
    """What one wants of a node: `fields` (flat: `number`, `title.sl`, `facts.digital`, …) get these values, the others
    stay; `base` holds the values one saw of them (a field without one is written whatever stands there).
    `act` is change, add or remove; a removed node's `base` may be its whole flat content."""

    node: str
    fields: Flat = field(default_factory=dict)
    base: Flat = field(default_factory=dict)
    act: str = "change"


@dataclass(frozen=True)
class Outcome:
    """What a change of many rows came to. `saved` says whether anything was written; `batch` is what `undo_rows` takes
    to bring it back. `changed` names the nodes (with `before` and `after` of their flat fields), `clashes` what others
    changed meanwhile, `problems` what is wrong, each `where` being "node field"."""

    saved: bool
    batch: int = 0
    before: Mapping[str, Flat | None] = field(default_factory=dict)
    after: Mapping[str, Flat | None] = field(default_factory=dict)
    clashes: tuple[Clash, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def changed(self) -> tuple[str, ...]:
        return tuple(self.after)


@dataclass(frozen=True)
class Present:
    """Somebody who changed a draft in the last minutes; `time` in UTC microseconds."""

    who: str
    time: int
    nodes: tuple[str, ...]


def change_rows(
    by: Reader,
    *,
    plan: str,
    draft: str,
    rows: Sequence[Row],
    partly: bool = False,
    dry: bool = False,
    because: Ref | None = None,
    note: str = "",
) -> Outcome:
    """Changes many rows of a draft at once.

    Every row is checked (fields, level, office, parents, links) and merged with what stands in the draft now. When
    something is wrong or clashes, nothing is written and the outcome says what, row by row; with `partly` what is
    right and does not clash is written all the same. `dry` writes nothing and only tells. What was written is one
    batch: `undo_rows` takes it back. Raises Forbidden, NotFound (no such draft), Conflict (not open for changes) and
    Invalid (more than MOST rows, a node twice).
    """
    require(by, "planner", what="change a plan")
    _sane(rows)
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        offices, accounts = _known()
        write: dict[str, Mapping[str, Any] | None] = {}
        clashes: list[Clash] = []
        problems: list[Problem] = []
        taken = _taken(opened, rows)
        for row in rows:
            new, clashing, wrong = _one(opened, row, offices, accounts, taken)
            clashes += clashing
            problems += wrong
            if new is not _NOTHING and (partly or not (clashing or wrong)):
                write[row.node] = new
        stop = bool(clashes or problems) and not partly
        if write and not stop:
            wrong = _hang_together(opened, write)
            problems += wrong
            stop = bool(wrong)
        told = _told(opened, clashes)
        if stop or dry or not write:
            return Outcome(False, 0, *_sides(opened, write), told, tuple(problems))
        before, after = _sides(opened, write)
        gone = {key: _ends(opened, key) for key, fields in write.items() if fields is None}
        _write(by, opened, write, because, plain(note)[:2000])
        kept = {key: {**fields, **gone.get(key, {})} if fields else fields for key, fields in before.items()}
        batch = record(by, "plans.draft-rows", draft_ref(opened.version), before=kept, after=after)
    return Outcome(True, batch, before, after, told, tuple(problems))


def undo_rows(by: Reader, *, plan: str, draft: str, batch: int) -> Outcome:
    """Takes a batch back, where nobody changed the same fields since; those clash and stay."""
    require(by, "planner", what="change a plan")
    version = locked_for_reading(plan, draft)
    kept = next((each for each in journal.history(draft_ref(version), 200) if each.id == batch), None)
    if kept is None or kept.before is None or kept.after is None:
        raise NotFound(_("This change cannot be taken back any more."), "batch", todo=_("Change the rows by hand."))
    rows, ends = [], {}
    for node in reversed(list(kept.after)):
        before, after = kept.before[node], kept.after[node]
        if before is None:
            rows.append(Row(node, base=after or {}, act="remove"))
        elif after is None:
            ends[node] = {name: before[name] for name in _ENDS if name in before}
            rows.append(Row(node, {n: v for n, v in before.items() if n not in _ENDS}, act="add"))
        else:
            names = {*before, *after}
            rows.append(
                Row(node, {n: before.get(n, "") for n in names}, {n: after.get(n, "") for n in names}, "change")
            )
    with transaction.atomic():
        outcome = change_rows(by, plan=plan, draft=draft, rows=rows, partly=True, note=_("taken back"))
        for node in ends:
            if node in outcome.after:
                _restore(version, ends[node], node)
    return outcome


def lately(by: Reader, *, plan: str, draft: str, limit: int = 10) -> Lately:
    """What was done in a draft lately: its mark, who else works on it, and its last `limit` changes of rows."""
    require(by, "planner", what="see the drafts of a plan")
    entries = journal.history(draft_ref(locked_for_reading(plan, draft)), 50)
    since = times.now() - PRESENT_S * times.SECOND
    others: dict[tuple[str, int], Present] = {}
    for entry in entries:
        if entry.time < since:
            break
        if not _own(by, entry):
            who = (entry.who_kind, entry.who_id)
            seen = others.get(who)
            nodes = (*(seen.nodes if seen else ()), *(entry.after or {}))
            others[who] = Present(entry.who, seen.time if seen else entry.time, tuple(dict.fromkeys(nodes)))
    done = [Batch(e.id, e.who, e.time, tuple(e.after or {}), e.before is not None) for e in entries[:limit]]
    return Lately(entries[0].id if entries else 0, tuple(others.values()), tuple(done))


def _own(by: Reader, entry: Entry) -> bool:
    """Whether the reader did it himself: by his number, for two people may bear one name."""
    return (entry.who_kind, entry.who_id) == (by.kind, by.id)


def changed_since(by: Reader, *, plan: str, draft: str, mark: int) -> dict[str, dict[str, Any]]:
    """What others changed since the mark: node → flat field → the value before; the `base` of rows that somebody chose
    before he could see that. Looks back over at most 500 changes."""
    require(by, "planner", what="see the drafts of a plan")
    found: dict[str, dict[str, Any]] = {}
    for entry in journal.history(draft_ref(locked_for_reading(plan, draft)), 500):
        if entry.id <= mark:
            break
        if _own(by, entry):
            continue
        for node, fields in (entry.before or {}).items():
            for name, value in (fields or {}).items():
                if name not in _ENDS:
                    found.setdefault(node, {})[name] = value
    return found


@dataclass(frozen=True)
class Batch:
    """A change of rows of a draft: who, when (UTC microseconds), which nodes, and whether it can be taken back."""

    batch: int
    who: str
    time: int
    nodes: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Lately:
    """What was done in a draft lately: `mark` of what stands in it now (`changed_since` takes it), who else is
    `present`, the latest first, and its last `batches`, newest first."""

    mark: int
    present: tuple[Present, ...]
    batches: tuple[Batch, ...]


def locked_for_reading(plan: str, draft: str) -> models.Version:
    """The version, or NotFound."""
    row = models.Version.objects.filter(plan__key=plan, plan__retired=False, key=draft).first()
    if row is None:
        raise NotFound(
            _("The plan “%(plan)s” has no version “%(version)s”.") % {"plan": plan, "version": draft}, "version"
        )
    return row


_NOTHING: Mapping[str, Any] = {}
#: What the batch keeps of a removed node beside its fields.
_ENDS = ("links", "indicators")


def _sane(rows: Sequence[Row]) -> None:
    if len(rows) > MOST:
        raise Invalid(
            _("These are %(count)s rows at once.") % {"count": len(rows)},
            "rows",
            _("at most %(count)s") % {"count": MOST},
            _("Choose fewer, for example one area at a time."),
        )
    nodes = [row.node for row in rows]
    if twice := sorted({node for node in nodes if nodes.count(node) > 1} if len(set(nodes)) < len(nodes) else ()):
        raise Invalid(_("The node “%(node)s” stands in two rows.") % {"node": twice[0]}, "rows")


def _known() -> tuple[list[str], set[str]]:
    grant = door.open(SYSTEM, "desk", kind="people")
    return [office.key for office in people.offices(grant)], {person.key for person in people.people(grant)}


def _taken(opened: Draft, rows: Sequence[Row]) -> set[str]:
    """Keys of new rows that nodes of other plans have."""
    new = [row.node for row in rows if row.act == "add"]
    return set(models.Node.objects.filter(key__in=new).exclude(plan=opened.plan).values_list("key", flat=True))


def _one(
    opened: Draft, row: Row, offices: Sequence[str], accounts: set[str], taken: set[str]
) -> tuple[Mapping[str, Any] | None, list[Clash], list[Problem]]:
    """The content that a row comes to (None: gone; _NOTHING: nothing to write), clashes, problems."""
    there = opened.nodes_now.get(row.node)
    if row.act == "add":
        return _added(opened, row, there, offices, accounts, taken)
    if there is None:
        gone = opened.own.get(row.node)
        if gone is None:
            return _NOTHING, [], [Problem(_("There is no such node in this draft."), row.node)]
        if row.act == "remove":
            return _NOTHING, [], []
        return _NOTHING, [Clash(row.node, "", row.base, row.fields, None)], []
    now = content(there)
    if row.act == "remove":
        standing = flat(now)
        moved = [
            Clash(row.node, name, seen, None, standing.get(name, ""))
            for name, seen in row.base.items()
            if standing.get(name, "") != seen
        ]
        return (_NOTHING if moved else None), moved, []
    write, clashes = merge(row.node, row.base, row.fields, flat(now))
    return _checked_content(opened, row.node, now, write, clashes, offices, accounts)


def _added(
    opened: Draft, row: Row, there: models.Node | None, offices: Sequence[str], accounts: set[str], taken: set[str]
) -> tuple[Mapping[str, Any] | None, list[Clash], list[Problem]]:
    if not is_key(row.node) or row.node in RESERVED_KEYS:
        return (
            _NOTHING,
            [],
            [
                Problem(
                    _("“%(node)s” cannot be the key of a node.") % {"node": row.node}, f"{row.node} key", KEY_ALLOWED
                )
            ],
        )
    if there is not None or row.node in taken:
        what = _("There is a node “%(node)s” already.") % {"node": row.node}
        return _NOTHING, [], [Problem(what, f"{row.node} key", todo=_("Choose another key."))]
    wanted = {"title.": "", **row.fields} if not any(n.startswith("title.") for n in row.fields) else row.fields
    return _checked_content(opened, row.node, dict(EMPTY), wanted, [], offices, accounts)


def _checked_content(
    opened: Draft,
    node: str,
    now: Mapping[str, Any],
    write: Flat,
    clashes: list[Clash],
    offices: Sequence[str],
    accounts: set[str],
) -> tuple[Mapping[str, Any] | None, list[Clash], list[Problem]]:
    if not write:
        return _NOTHING, clashes, []
    unknown = [name for name in write if name.partition(".")[0] not in EMPTY]
    if unknown:
        return _NOTHING, clashes, [Problem(_("A node has no such field."), f"{node} {name}") for name in unknown]
    wanted = with_changes(now, {name: value for name, value in write.items() if name != "title."})
    if (holder := write.get("holder")) and holder not in accounts:
        return _NOTHING, clashes, [Problem(_("There is no account “%(key)s”.") % {"key": holder}, f"{node} holder")]
    changed = {name.partition(".")[0] for name in write}
    try:
        clean = cleaned(
            {name: wanted[name] for name in changed},
            node=node,
            levels=[level["key"] for level in opened.plan.levels],
            offices=offices,
            facts={each["key"]: each.get("type", "text") for each in opened.plan.facts},
        )
    except Invalid as error:
        return _NOTHING, clashes, list(error.problems)
    return {**wanted, **clean}, clashes, []


def _hang_together(opened: Draft, write: Mapping[str, Mapping[str, Any] | None]) -> list[Problem]:
    """What would keep the draft from being a plan, for all rows together."""
    parents = {key: row.parent for key, row in opened.nodes_now.items()}
    for key, fields in write.items():
        if fields is None:
            parents.pop(key, None)
        else:
            parents[key] = fields["parent"]
    kept = [each for each in opened.links() if each.source not in write or write[each.source] is not None]
    kept = [each for each in kept if each.target not in write or write[each.target] is not None]
    found = opened.problems_with(parents, kept)
    return [replace(each, where=f"{each.where} parent") if each.where in parents else each for each in found[:50]]


def _sides(
    opened: Draft, write: Mapping[str, Mapping[str, Any] | None]
) -> tuple[dict[str, Flat | None], dict[str, Flat | None]]:
    """Before and after of the flat fields that differ, by node."""
    before: dict[str, Flat | None] = {}
    after: dict[str, Flat | None] = {}
    for key, fields in write.items():
        there = opened.nodes_now.get(key)
        old = flat(content(there)) if there else None
        new = flat(fields) if fields is not None else None
        if old is not None and new is not None:
            names = [name for name in {**old, **new} if old.get(name, "") != new.get(name, "")]
            old, new = {n: old.get(n, "") for n in names}, {n: new.get(n, "") for n in names}
        before[key], after[key] = old, new
    return before, after


def _write(
    by: Reader, opened: Draft, write: Mapping[str, Mapping[str, Any] | None], because: Ref | None, note: str
) -> None:
    entries = []
    for key, fields in write.items():
        there = opened.nodes_now.get(key)
        old = content(there) if there else None
        if fields is None:
            clear_links(opened, key)
        differ = [name for name in EMPTY if not old or not fields or old[name] != fields[name]]
        entries.append(
            (
                Ref("node", key),
                {name: old[name] for name in differ} if old else None,
                {name: fields[name] for name in differ} if fields else None,
            )
        )
    opened.put_many(write)
    reason = ": ".join(part for part in (opened.version.key, str(because or ""), note) if part)[:2000]
    verb = "plans.draft-bulk" if len(write) > 1 else "plans.draft-change"
    record_all(by, verb, entries, reason=reason)
    if because is not None or note:
        moment = times.now()
        for key in write:
            _ground(opened, key, because, note, moment)


def _ground(opened: Draft, node: str, because: Ref | None, note: str, moment: int) -> None:
    values = {"note": note, "time": moment}
    if because is None:
        models.Ground.objects.create(version=opened.version, node=node, **values)
    else:
        models.Ground.objects.update_or_create(
            version=opened.version, node=node, noun=because.noun, key=because.key, defaults=values
        )


def _ends(opened: Draft, node: str) -> dict[str, Any]:
    """The links and indicators of a node, for bringing them back."""
    return {
        "links": [
            [each.source, each.target, each.type] for each in opened.links() if node in (each.source, each.target)
        ],
        "indicators": [[each.indicator, each.role] for each in opened.indicators() if each.node == node],
    }


def _restore(version: models.Version, ends: Mapping[str, Any], node: str) -> None:
    """Brings the links and indicators of a node back, where what they lead to is still in the draft."""
    there = Draft(models.Version.objects.select_related("plan").get(pk=version.pk)).nodes_now
    for source, target, kind in ends.get("links", ()):
        if source in there and target in there:
            names = {"source": source, "target": target, "type": kind}
            set_span(models.Link, version, names, {}, gone=False)
    for indicator, role in ends.get("indicators", ()):
        set_span(models.NodeIndicator, version, {"node": node, "indicator": indicator}, {"role": role}, gone=False)


def _told(opened: Draft, clashes: Sequence[Clash]) -> tuple[Clash, ...]:
    """The clashes with who made them; looked up for the first 20 nodes."""
    nodes = list(dict.fromkeys(each.node for each in clashes))[:20]
    who: dict[str, tuple[str, int]] = {}
    for node in nodes:
        last = next(
            (each for each in journal.history(Ref("node", node), 10) if each.verb.startswith("plans.")),
            None,
        )
        if last is not None:
            who[node] = (last.who, last.time)
    return tuple(
        replace(each, who=who[each.node][0], time=who[each.node][1]) if each.node in who else each for each in clashes
    )


def refuse(outcome: Outcome) -> None:
    """Raises Conflict with every clash and problem of an outcome that was not saved."""
    if outcome.saved or not (outcome.clashes or outcome.problems):
        return
    raise Conflict(
        _("Somebody else changed the same rows meanwhile, or a row is wrong; nothing was changed."),
        problems=(
            *outcome.problems,
            *(
                Problem(_("It was changed by %(who)s.") % {"who": c.who or "?"}, f"{c.node} {c.field}")
                for c in outcome.clashes
            ),
        )[:100],
    )
