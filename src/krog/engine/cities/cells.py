"""Cells of CSV tables: texts for values of declared types and back, without loss."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import inspect

TRUE = ("true", "yes", "da", "1")
FALSE = ("false", "no", "ne", "0")
EMPTY = "\\0"
_ONLY_EMPTY = re.compile(r"\\+0")
_ESCAPED = {"0": "", "s": " "}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PART = re.compile(r"((?:\\.|[^|\\])*)(\||\Z)", re.DOTALL)


def _only(kind: inspect.Type) -> inspect.Type:
    """The type behind `X | None`."""
    if isinstance(kind, inspect.UnionType):
        rest = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return rest[0] if len(rest) == 1 else inspect.AnyType()
    return kind


def _is_text(kind: inspect.Type) -> bool:
    return isinstance(_only(kind), inspect.StrType)


def decode(cell: str, kind: inspect.Type) -> Any:
    """The value that a cell holds for a field of this type; a cell that does not fit is given back as text."""
    kind = _only(kind)
    match kind:
        case inspect.StrType():
            return text(cell)
        case inspect.BoolType():
            word = cell.strip().lower()
            return True if word in TRUE else False if word in FALSE else cell
        case inspect.IntType() | inspect.FloatType():
            try:
                return int(cell) if isinstance(kind, inspect.IntType) else float(cell)
            except ValueError:
                return cell
        case inspect.ListType() | inspect.VarTupleType() if isinstance(_only(kind.item_type), inspect.DictType):
            return _json(cell)
        case inspect.ListType() | inspect.VarTupleType():
            return [part if _is_text(kind.item_type) else decode(part, kind.item_type) for part in split(cell)]
        case inspect.DictType() | inspect.StructType() | inspect.AnyType():
            return _json(cell)
        case _:
            return cell


def encode(value: Any, kind: inspect.Type) -> str:
    """The cell for a value that is not the field's default."""
    kind = _only(kind)
    match kind:
        case inspect.DictType() | inspect.StructType() | inspect.AnyType():
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case inspect.ListType() | inspect.VarTupleType() if isinstance(_only(kind.item_type), inspect.DictType):
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        case inspect.ListType() | inspect.VarTupleType():
            return join(item if _is_text(kind.item_type) else encode(item, kind.item_type) for item in value)
        case inspect.BoolType():
            return "true" if value else "false"
        case inspect.FloatType():
            return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
        case inspect.StrType():
            return text_cell(value)
        case _:
            return str(value)


def _json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def split(cell: str) -> list[str]:
    """The items of a cell `a | b`; spaces around an item do not count, a backslash takes away the meaning of a bar."""
    if not cell.strip(" "):
        return []
    items = []
    for part in _PART.finditer(cell):
        items.append(_ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), part[1].strip(" ")))
        if not part[2]:
            break
    return items


def join(items: Iterable[str]) -> str:
    """The cell for a list of texts; an empty item is written `\\0`, a space at an end of one `\\s`."""
    return "|".join(_escaped(item) for item in items)


def _escaped(item: str) -> str:
    text = item.replace("\\", "\\\\").replace("|", "\\|")
    body = text.strip(" ")
    if not body:
        return "\\s" * len(text) or EMPTY
    return "\\s" * (len(text) - len(text.lstrip(" "))) + body + "\\s" * (len(text) - len(text.rstrip(" ")))


def text(cell: str) -> str:
    """The text of a cell that is not empty: `\\0` is the empty text where an empty cell means the default."""
    return cell[1:] if _ONLY_EMPTY.fullmatch(cell) and cell != EMPTY else "" if cell == EMPTY else cell


def text_cell(value: str) -> str:
    """The cell for a text that is not the default."""
    return EMPTY if value == "" else "\\" + value if _ONLY_EMPTY.fullmatch(value) else value


def table(header: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A CSV text: commas, quotes where needed, lines end with a newline."""
    out = io.StringIO(newline="")
    lines = [list(header), *([row.get(name, "") for name in header] for row in rows)]
    writer = csv.writer(out, lineterminator="\n")
    for line in lines:
        # The csv module leaves a lone carriage return unquoted when lines end with a newline.
        if any("\r" in cell for cell in line):
            out.write(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n")
        else:
            writer.writerow(line)
    return out.getvalue()
