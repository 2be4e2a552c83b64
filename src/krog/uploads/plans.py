"""The nodes of a draft, or of one branch of it, as a table that comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from krog.base.errors import NotFound
from krog.base.grant import Reader
from krog.catalogue import door
from krog.plans import reads as plans
from krog.plans import tables, tabular
from krog.plans.shapes import Tree
from krog.tables.columns import Column
from krog.tables.comparing import Change
from krog.uploads.shapes import Kind

#: The languages that a plan's texts have a column for, whether it speaks them or not.
LANGUAGES = ("sl", "it", "en")


def parts(target: str) -> tuple[str, str, str]:
    """Plan, draft and branch ("" for the whole plan) of a target."""
    plan, _slash, rest = target.partition("/")
    draft, _slash, branch = rest.partition("/")
    return plan, draft, branch


def _tree(by: Reader, target: str) -> Tree:
    plan, draft, _branch = parts(target)
    return plans.tree(door.open(by, "desk"), plan, draft)


def columns(by: Reader, target: str, language: str) -> Sequence[Column]:
    """The columns of the plan's nodes with all languages of content, and the mark."""
    tree = _tree(by, target)
    return tables.columns(tree.plan, tables.languages_of(tree, LANGUAGES), language, marked=True)


def current(by: Reader, target: str) -> Mapping[str, Mapping[str, Any]]:
    """The nodes of the draft, or of a branch with its top, by key."""
    tree, branch = _tree(by, target), parts(target)[2]
    if branch and branch not in tree.nodes:
        raise NotFound(branch, "node")
    wanted = {branch, *tree.below(branch)} if branch else set(tree.nodes)
    return {key: tables.values_of(node) for key, node in tree.nodes.items() if key in wanted}


def _mark(by: Reader, target: str) -> str:
    rows = json.dumps(current(by, target), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


def _accept(by: Reader, target: str, changes: Sequence[Change], reason: str) -> list[dict[str, Any]]:
    plan, draft, branch = parts(target)
    return tabular.accept_nodes(by, plan=plan, draft=draft, branch=branch, changes=changes, reason=reason)


def _undo(by: Reader, target: str, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    plan, draft, _branch = parts(target)
    return tabular.undo_nodes(by, plan=plan, draft=draft, done=done, reason=reason)


def _require(by: Reader, target: str) -> None:
    plan, draft, _branch = parts(target)
    tabular.require_draft(by, plan=plan, draft=draft)


KIND = Kind("plan", _require, columns, current, _mark, _accept, _undo)
