"""Many nodes of a draft changed at once, as a table says, and taken back as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base.errors import Conflict, Invalid, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import KEY_ALLOWED, Ref, is_key
from krog.journal.verbs import record_all
from krog.people.permissions import require
from krog.plans import models, tables
from krog.plans.drafting import Draft, content, locked, set_span
from krog.plans.fields import EMPTY, RESERVED_KEYS
from krog.plans.verbs import _checked, _cleaned
from krog.tables.comparing import Change, alike

Links = Sequence[tuple[str, str]]


def require_draft(by: Reader, *, plan: str, draft: str) -> None:
    """Forbidden for all but planners; Conflict where the version is no draft (any more)."""
    require(by, "planner", what="change a plan")
    with transaction.atomic():
        locked(plan, draft, "draft")


def accept_nodes(
    by: Reader, *, plan: str, draft: str, branch: str, changes: Sequence[Change], reason: str
) -> list[dict[str, Any]]:
    """Makes the chosen changes in a draft: nodes added, changed, left out, with their links. New nodes that name no
    node above them come below `branch`. Refused as a whole where the plan would not hang together."""
    require(by, "planner", what="change a plan")
    if not reason.strip():
        raise Invalid(_("Say what these changes are based on."), "reason")
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        before = {c.key: _state(opened, c.key) for c in changes}
        found: list[Problem] = []
        for change in changes:
            found += _put(opened, change, branch, before[change.key])
        if found:
            raise invalid(found[:50], _("Some nodes are not right; nothing was changed."))
        for change in changes:
            if change.kind != "removed" and any(cell.name == "links" for cell in change.cells):
                wanted = next(cell.new for cell in change.cells if cell.name == "links")
                _relink(opened, change.key, tables.links_of(str(wanted or "")))
        _checked(opened)
        done = [{"key": key, "before": old, "after": _state(opened, key)} for key, old in before.items()]
        _journal(by, "plans.upload", done, f"{draft}: {reason.strip()}")
    return done


def undo_nodes(by: Reader, *, plan: str, draft: str, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    """Takes back what `accept_nodes` did; Conflict with the keys of nodes that somebody has changed since."""
    require(by, "planner", what="change a plan")
    with transaction.atomic():
        opened = Draft(locked(plan, draft, "draft"))
        moved = [
            Problem(_("Somebody has changed it since."), str(each["key"]))
            for each in done
            if _plain(_state(opened, str(each["key"]))) != _plain(each["after"])
        ]
        if moved:
            raise Conflict(
                _("Not undone: these nodes have been changed since; nothing was changed."),
                "upload", problems=tuple(moved[:50]), todo=_("Change these nodes by hand."),
            )  # fmt: skip
        for each in done:
            key, old = str(each["key"]), each["before"]
            if old is None:
                _relink(opened, key, [])
                opened.put(key, content(opened.node(key)), gone=True)
            else:
                opened.put(key, old["fields"])
        for each in done:
            if each["before"] is not None:
                _relink(opened, str(each["key"]), [(kind, target) for kind, target in each["before"]["links"]])
        _checked(opened)
        back = [{"key": each["key"], "before": each["after"], "after": each["before"]} for each in done]
        _journal(by, "plans.undo-upload", back, f"{draft}: {reason}")
    return len(done)


def _plain(state: Mapping[str, Any] | None) -> Any:
    return None if state is None else {**state, "links": [list(link) for link in state["links"]]}


def _state(opened: Draft, key: str) -> dict[str, Any] | None:
    row = opened.nodes.get(key)
    if row is None:
        return None
    links = sorted((link.type, link.target) for link in opened.links() if link.source == key)
    return {"fields": content(row), "links": [list(link) for link in links]}


def _put(opened: Draft, change: Change, branch: str, before: Mapping[str, Any] | None) -> list[Problem]:
    where = _("row %(line)s") % {"line": change.line} if change.line else change.key
    if change.kind == "removed":
        if before is None:
            return [Problem(_("It is no longer there."), change.key)]
        _relink(opened, change.key, [])
        opened.put(change.key, before["fields"], gone=True)
        return []
    if (before is None) != (change.kind == "added") or not all(
        before is None or alike(_now(before, cell.name), cell.old) for cell in change.cells
    ):
        return [Problem(_("Somebody has changed it since."), change.key or where)]
    if before is None:
        elsewhere = models.Node.objects.filter(key=change.key).exclude(plan=opened.plan).exists()
        if not is_key(change.key) or change.key in RESERVED_KEYS or elsewhere:
            return [
                Problem(
                    _("“%(key)s” cannot be the key of a new node.") % {"key": change.key}, f"{where} key", KEY_ALLOWED
                )
            ]
    fields: dict[str, Any] = {} if before is not None else {"title": {}, "parent": branch}
    try:
        for cell in change.cells:
            _set(fields, cell.name, cell.new, before)
        new = _cleaned(opened, change.key, fields)
    except ValueError as error:
        return [Problem(_("“%(link)s” is not a link.") % {"link": str(error)[:80]}, f"{where} links")]
    except Invalid as error:
        return [Problem(p.what, f"{where} {p.where}", p.allowed, p.todo) for p in error.problems] or [
            Problem(error.what, where)
        ]
    opened.put(change.key, {**(before["fields"] if before is not None else EMPTY), **new})
    return []


def _now(before: Mapping[str, Any], name: str) -> Any:
    """What a cell of the node says now."""
    if name == "links":
        return tables.links_text(before["links"]) or None
    field, _dot, language = name.partition(".")
    found = before["fields"].get(field)
    return found.get(language) if language else found if found != "" else None


def _set(fields: dict[str, Any], name: str, value: Any, before: Mapping[str, Any] | None) -> None:
    if name == "links":
        tables.links_of(str(value or ""))
    elif "." in name:
        field, language = name.split(".", 1)
        start = dict(before["fields"][field]) if before is not None else {}
        texts = fields.setdefault(field, start)
        texts[language] = value or ""
    elif name == "strategic":
        fields[name] = bool(value)
    elif name == "order":
        fields[name] = value or 0
    elif name != "key":
        fields[name] = value or ""


def _relink(opened: Draft, key: str, wanted: Links) -> None:
    now = {(link.type, link.target) for link in opened.links() if link.source == key}
    for kind, target in now - set(wanted):
        set_span(models.Link, opened.version, {"source": key, "target": target, "type": kind}, {}, gone=True)
    for kind, target in set(wanted) - now:
        set_span(models.Link, opened.version, {"source": key, "target": target, "type": kind}, {}, gone=False)


def _journal(by: Reader, verb: str, done: Sequence[Mapping[str, Any]], reason: str) -> None:
    record_all(by, verb, [(Ref("node", str(e["key"])), e["before"], e["after"]) for e in done], reason=reason[:2000])
