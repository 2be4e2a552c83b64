"""A draft as a table: rows edited in place, moved, added, removed, changed in bulk; clashes chosen field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from krog.base.errors import Invalid, NotFound, Problem
from krog.base.grant import Grant
from krog.base.ids import slug
from krog.base.text import say
from krog.catalogue import door
from krog.engine.cities import city
from krog.people import reads as people
from krog.people.permissions import require
from krog.plans import bulk, reads
from krog.plans.bulk import Outcome, Row
from krog.plans.shapes import Node, Tree
from krog.web.components.paging import here, offset_of, pager
from krog.web.desk import plans_cells as cells
from krog.web.desk.plans_cells import Column, Trouble
from krog.web.portal import plans_filters
from krog.web.portal.plans_filters import Filters
from krog.web.request import Request

#: Rows of one page.
LIMIT = 100
#: What a bulk form sends for a field that is to be emptied.
EMPTIED = "__empty__"


@dataclass
class Sheet:
    """A draft as the table shows it: its tree, columns, and what the reader asked for."""

    plan: str
    draft: str
    grant: Grant
    tree: Tree
    columns: list[Column]
    titles: dict[str, str]
    offices: dict[str, Any]
    filters: Filters
    offset: int = 0
    trouble: tuple[str, Trouble] | None = None
    clashes: tuple[Any, ...] = ()
    problems: tuple[Problem, ...] = ()
    status: int = 200

    @property
    def address(self) -> str:
        return reverse("desk-plans-sheet", args=[self.plan, self.draft])

    def column(self, name: str) -> Column:
        found = next((each for each in self.columns if each.name == name), None)
        if found is None:
            raise Invalid(_("A node has no such field."), name, ", ".join(each.name for each in self.columns))
        return found


def _sheet(request: Request, plan: str, key: str) -> Sheet:
    require(request.reader, "planner", what=_("change a plan"))
    grant = door.open(request.reader, "desk")
    tree = reads.tree(grant, plan, key)
    offices = {office.key: office.title for office in people.offices(grant)}
    holders = {each.key: each.name for each in people.people(grant)}
    used = sorted({node.status for node in tree.nodes.values()} - {""})
    asked = request.GET if request.method == "GET" else {**request.GET.dict(), **request.POST.dict()}
    return Sheet(
        plan,
        key,
        grant,
        tree,
        cells.columns(tree.plan, list(city.current().languages), offices, holders, used),
        cells.node_titles(tree),
        offices,
        Filters.of(asked),
        offset_of(request),
    )


def sheet(request: Request, plan: str, key: str) -> HttpResponse:
    """The table of a draft, and everything that can be done in it."""
    found = _sheet(request, plan, key)
    if request.method == "POST":
        answer = _ACTS.get(request.POST.get("act", ""), _unknown)(request, found)
        if answer is not None:
            return answer
    return _page(request, found)


def _unknown(request: Request, found: Sheet) -> HttpResponse | None:
    raise Invalid(_("The form does not say what to do."), "act", ", ".join(_ACTS))


def _page(request: Request, found: Sheet) -> HttpResponse:
    tree, filters = found.tree, found.filters
    keys = filters.keys(tree)
    offset = found.offset if found.offset < len(keys) else 0
    editing = request.GET.get("edit", "")
    if found.trouble and request.method == "POST":
        editing = found.trouble[0]
        if editing in keys:
            offset = keys.index(editing) // LIMIT * LIMIT
    shown = keys[offset : offset + LIMIT]
    open_for_changes = tree.version.status == "draft"
    lately = bulk.lately(request.reader, plan=found.plan, draft=found.draft)
    return render(
        request,
        "desk/plans/sheet.html",
        {
            "tree": tree,
            "plan": tree.plan,
            "draft": tree.version,
            "key": found.draft,
            "columns": found.columns,
            "rows": [_row(found, tree.nodes[key], key == editing) for key in shown],
            "pager": pager(request, shown=len(shown), total=len(keys), limit=LIMIT, offset=offset),
            "total": len(keys),
            "filters": filters,
            "choices": plans_filters.choices(tree, found.offices, filters),
            "here": here(request, edit=None),
            "edit": _with(here(request, edit=None), "edit="),
            "density": _with(here(request, edit=None, dense=None), "dense=1"),
            "roomy": here(request, edit=None, dense=None),
            "address": found.address,
            "titles": found.titles,
            "editors": [column for column in found.columns if column.kind == "choice"],
            "bulk": [column for column in found.columns if column.bulk],
            "emptied": EMPTIED,
            "mark": lately.mark,
            "present": lately.present,
            "batches": [
                (each, [found.titles.get(node, node) for node in each.nodes[:3]], max(0, len(each.nodes) - 3))
                for each in lately.batches
            ],
            "open": open_for_changes,
            "clashes": [_clash(found, each) for each in found.clashes],
            "problems": [_told(found, each) for each in found.problems],
            "chosen": request.POST.getlist("node") if found.clashes else [],
            "tried": {c.name: request.POST.get(f"set.{c.name}", "") for c in found.columns if c.bulk}
            if found.clashes
            else {},
            "dense": request.GET.get("dense") == "1",
            "crumbs": [
                {"title": _("Plan"), "href": reverse("desk-plans-list")},
                {"title": _said(tree.plan.title), "href": reverse("desk-plans-table", args=[found.plan])},
                {"title": tree.version.label, "href": reverse("desk-plans-draft", args=[found.plan, found.draft])},
                {"title": _("Table"), "href": ""},
            ],
        },
        status=found.status,
    )


def _with(address: str, more: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{more}"


def _said(text: Any) -> str:
    return str(say(text, get_language() or "sl"))


def _row(found: Sheet, node: Node, editing: bool = False) -> dict[str, Any]:
    trouble = found.trouble[1] if found.trouble and found.trouble[0] == node.key else None
    return {
        "node": node,
        "cells": cells.cells(node, found.columns, found.titles, trouble),
        "editing": editing,
        "own": node.since is None,
        "general": trouble.general if trouble else "",
    }


def _clash(found: Sheet, clash: Any) -> dict[str, Any]:
    """A clash of a bulk change in words."""
    column = next((each for each in found.columns if each.name == clash.field), None)

    def shown(value: Any) -> str:
        if value is None or column is None:
            return _("removed") if value is None else str(value)
        return found.titles.get(value, value) if column.kind == "node" else column.shown(value)

    return {
        "node": clash.node,
        "title": found.titles.get(clash.node, clash.node),
        "field": column.title if column else "",
        "base": shown(clash.base),
        "yours": shown(clash.yours),
        "theirs": shown(clash.theirs),
        "who": clash.who,
        "name": f"{clash.node} {clash.field}",
    }


def _told(found: Sheet, problem: Problem) -> dict[str, str]:
    node, _space, name = problem.where.partition(" ")
    column = next((each.title for each in found.columns if each.name.partition(".")[0] == name), name)
    return {
        "node": found.titles.get(node, node),
        "href": f"#{node}",
        "field": str(column),
        "words": " ".join(part for part in (problem.what, problem.allowed, problem.todo) if part),
    }


def _back(found: Sheet, request: Request, node: str = "") -> HttpResponse:
    """To the same page of the table, at the node."""
    return HttpResponseRedirect(here(request, edit=None) + (f"#{node}" if node else ""))


def _change(request: Request, found: Sheet, rows: Sequence[Row], **more: Any) -> Outcome:
    return bulk.change_rows(request.reader, plan=found.plan, draft=found.draft, rows=rows, **more)


def _save_row(request: Request, found: Sheet) -> HttpResponse | None:
    """Saves the fields of one row that were sent and differ from what was seen; the rest of the row stays."""
    node = request.POST.get("node", "")
    fields: dict[str, Any] = {}
    base: dict[str, Any] = {}
    for name, text in request.POST.items():
        kind, _dot, flat_name = name.partition(".")
        if kind == "set" and flat_name:
            column = found.column(flat_name)
            fields[flat_name] = cells.read(column, str(text))
            if (was := request.POST.get(f"was.{flat_name}")) is not None:
                base[flat_name] = cells.read(column, was)
    outcome = _change(request, found, [Row(node, fields, base)], partly=True)
    alone = request.headers.get("X-Krog-Row") == "1"
    wrong = {problem.where.partition(" ")[2] or "": problem for problem in outcome.problems}
    clashes = {each.field: each for each in outcome.clashes}
    if wrong or clashes:
        found.trouble = (node, _trouble(found, request, wrong, clashes))
        found.status = 409 if clashes else 422
    if outcome.saved and (alone or found.trouble):
        trouble, status = found.trouble, found.status
        found = replace(_sheet(request, found.plan, found.draft), trouble=trouble, status=status)
    if alone:
        return _one_row(request, found, node)
    return _page(request, found) if found.trouble else _back(found, request, node)


def _trouble(found: Sheet, request: Request, wrong: Mapping[str, Problem], clashes: Mapping[str, Any]) -> Trouble:
    told: dict[str, str] = {}
    general = ""
    for name, problem in wrong.items():
        sentence = " ".join(part for part in (problem.what, problem.allowed, problem.todo) if part)
        exact = [each.name for each in found.columns if each.name == name]
        near = [each.name for each in found.columns if name and each.name.partition(".")[0] == name]
        sent = [each for each in near if f"set.{each}" in request.POST]
        place = (exact or sent or near or [""])[0]
        if place:
            told[place] = sentence
        else:
            general = sentence
    if "" in clashes:
        who = clashes[""].who or _("Somebody")
        general = _("%(who)s removed this row meanwhile. Bring it back in the list of changes first.") % {"who": who}
    names = [name[4:] for name in request.POST if name.startswith("set.")]
    tried = {name: request.POST[f"set.{name}"] for name in names if name not in clashes}
    was = {name: request.POST.get(f"was.{name}", "") for name in names}
    return Trouble(told, tried if told or general else {}, was, clashes, general)


def _one_row(request: Request, found: Sheet, node: str) -> HttpResponse:
    if node not in found.tree.nodes:
        raise NotFound(_("There is no such node in this draft."), "node", todo=_("Load the table again."))
    return render(
        request,
        "desk/plans/_sheet_row.html",
        {
            "row": _row(found, found.tree.nodes[node]),
            "address": found.address,
            "plan": found.tree.plan,
            "key": found.draft,
            "open": True,
            "here": here(request, edit=None),
            "edit": _with(here(request, edit=None), "edit="),
        },
        status=found.status,
    )


def _bulk(request: Request, found: Sheet) -> HttpResponse | None:
    """The same values for many rows: the chosen ones, or all that the filter finds."""
    everything = request.POST.get("scope") == "all"
    nodes = found.filters.keys(found.tree) if everything else request.POST.getlist("node")
    fields: dict[str, Any] = {}
    for column in found.columns:
        text = request.POST.get(f"set.{column.name}", "") if column.bulk else ""
        if text:
            fields[column.name] = cells.read(column, "" if text == EMPTIED else text)
    remove = request.POST.get("remove") == "1"
    if not nodes or not (fields or remove):
        messages.warning(request, _("Choose rows, and at least one field to change."))
        return _back(found, request)
    mark = request.POST.get("mark", "")
    since = (
        bulk.changed_since(request.reader, plan=found.plan, draft=found.draft, mark=int(mark))
        if mark.isascii() and mark.isdigit() and len(mark) < 18
        else {}
    )
    over = set(request.POST.getlist("over"))
    rows = []
    for node in dict.fromkeys(nodes):
        seen = {name: value for name, value in since.get(node, {}).items() if f"{node} {name}" not in over}
        base = seen if remove else {name: seen[name] for name in fields if name in seen}
        rows.append(Row(node, {} if remove else fields, base, "remove" if remove else "change"))
    again = request.POST.get("partly") == "1"
    outcome = _change(
        request,
        found,
        rows,
        partly=again,
        note=request.POST.get("reason", ""),
    )
    if not outcome.saved and (outcome.problems or (outcome.clashes and not again)):
        found.clashes, found.problems, found.status = outcome.clashes, outcome.problems, 409 if outcome.clashes else 422
        return None
    _say_changed(request, len(outcome.changed))
    return _back(found, request)


def _say_changed(request: Request, count: int) -> None:
    if count:
        messages.success(request, ngettext("%(n)s row changed.", "%(n)s rows changed.", count) % {"n": count})
    else:
        messages.info(request, _("Everything was like this already."))


def _add(request: Request, found: Sheet) -> HttpResponse | None:
    """A new row below a node; its key is made of that node's, unless one is given."""
    parent = request.POST.get("parent", "")
    title = request.POST.get("title", "").strip()
    level = request.POST.get("level", "")
    lang = city.current().languages[0]
    siblings = [node for node in found.tree.nodes.values() if node.parent == parent]
    key = request.POST.get("key", "").strip() or _free_key(found, parent, title)
    fields = {
        f"title.{lang}": title,
        "level": level or (siblings[-1].level if siblings else ""),
        "parent": parent,
        "number": request.POST.get("number", "").strip(),
        "order": max((node.order for node in siblings), default=0) + 1,
    }
    outcome = _change(request, found, [Row(key, fields, act="add")])
    if not outcome.saved:
        found.problems, found.status = outcome.problems, 422
        return None
    messages.success(request, _("The row was added."))
    return HttpResponseRedirect(f"{found.address}?area={key}&edit={key}#{key}")


def _free_key(found: Sheet, parent: str, title: str) -> str:
    base = parent[:80] if parent else (slug(title)[:80] or "node")
    if not parent and base not in found.tree.nodes:
        return base
    return next(key for n in range(1, len(found.tree.nodes) + 2) if (key := f"{base}.{n}") not in found.tree.nodes)


def _move(request: Request, found: Sheet) -> HttpResponse | None:
    """One place up or down among the neighbours."""
    node, _colon, way = request.POST.get("move", "").partition(":")
    one = found.tree.nodes.get(node)
    if one is None or way not in ("up", "down"):
        raise NotFound(_("There is no such node in this draft."), "node", todo=_("Load the table again."))
    siblings = [each for each in found.tree.nodes.values() if each.parent == one.parent]
    here = [each.key for each in siblings].index(node)
    there = here + (1 if way == "down" else -1)
    if 0 <= there < len(siblings):
        siblings[here], siblings[there] = siblings[there], siblings[here]
        rows = [
            Row(each.key, {"order": place}, {"order": each.order})
            for place, each in enumerate(siblings, 1)
            if each.order != place
        ]
        outcome = _change(request, found, rows)
        if not outcome.saved:
            found.clashes, found.status = outcome.clashes, 409
            return None
    return _back(found, request, node)


def _remove(request: Request, found: Sheet) -> HttpResponse | None:
    """Takes one row out."""
    node = request.POST.get("remove", "")
    outcome = _change(request, found, [Row(node, act="remove")])
    if not outcome.saved:
        found.problems, found.status = outcome.problems, 422
        return None
    messages.success(request, _("The row was removed; the list of changes below brings it back."))
    return _back(found, request)


def _undo(request: Request, found: Sheet) -> HttpResponse | None:
    """Takes a change of rows back."""
    batch = request.POST.get("batch", "")
    if not (batch.isascii() and batch.isdigit() and len(batch) < 18):
        raise Invalid(_("The form does not say what to do."), "batch")
    outcome = bulk.undo_rows(request.reader, plan=found.plan, draft=found.draft, batch=int(batch))
    if outcome.clashes:
        names = ", ".join(dict.fromkeys(found.titles.get(each.node, each.node) for each in outcome.clashes[:5]))
        messages.warning(request, _("What somebody changed since was left as it is: %(names)s.") % {"names": names})
    _say_changed(request, len(outcome.changed))
    return _back(found, request)


_ACTS = {"row": _save_row, "bulk": _bulk, "add": _add, "move": _move, "remove": _remove, "undo": _undo}

urlpatterns = [path("plans/<str:plan>/drafts/<str:key>/table", sheet, name="desk-plans-sheet")]
