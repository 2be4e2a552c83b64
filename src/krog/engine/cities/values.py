"""Values of declarations in one canonical form, and their types in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from krog.base.declaration import Declaration, Fields
from krog.engine.cities.findings import shown

LARGEST_INT = 2**63 - 1
MAX_DEPTH = 32
_SCALARS = frozenset((str, int, float, bool, type(None)))


@cache
def fields_of(shape: type[msgspec.Struct]) -> dict[str, inspect.Field]:
    """The fields of a declaration's shape by name, without `key`."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    return {field.encode_name: field for field in info.fields if field.encode_name != "key"}


@cache
def _types(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(shape)}


@cache
def _defaults(shape: type[msgspec.Struct]) -> dict[str, Any]:
    found = {}
    for name, field in fields_of(shape).items():
        if field.default is not msgspec.NODEFAULT:
            found[name] = plain(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            found[name] = plain(field.default_factory())
    return found


def defaults(declaration: Declaration) -> dict[str, Any]:
    """What a field is when the files do not mention it."""
    return _defaults(declaration.shape)


def plain(value: Any) -> Any:
    """A value as JSON would carry it: lists for tuples, ISO text for dates, and no empty (None) members."""
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is dict or isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.to_builtins(value))
    return value


def whole(declaration: Declaration, fields: Fields) -> dict[str, Any]:
    """All fields of the shape, what is not given by its default, each in its declared type.

    What the shape does not know (any more) is left out; a ValueError says which field does not fit.
    """
    types = _types(declaration.shape)
    given = {name: plain(value) for name, value in fields.items() if name in types}
    try:
        found = msgspec.to_builtins(msgspec.convert({**given, "key": ""}, declaration.shape))
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    del found["key"]
    return {**defaults(declaration), **plain(found)}


def canonical(declaration: Declaration, fields: Fields) -> dict[str, Any]:
    """As `whole`; where a field does not fit it stays as it is, and the others are right."""
    try:
        return whole(declaration, fields)
    except ValueError:
        pass
    types = _types(declaration.shape)
    found = dict(defaults(declaration))
    for name, value in fields.items():
        if name in types and name != "key":
            try:
                found[name] = convert(value, types[name])
            except ValueError:
                found[name] = plain(value)
    return found


def convert(value: Any, kind: Any) -> Any:
    """A plain value in the declared type, as builtins; a ValueError says what is wrong."""
    value = plain(value)
    try:
        return plain(msgspec.to_builtins(msgspec.convert(value, kind)))
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def wrong_type(declaration: Declaration, name: str, value: Any) -> tuple[str, str] | None:
    """What is wrong with a value of a field, and what is allowed; None when it fits."""
    try:
        convert(value, _types(declaration.shape)[name])
        return None
    except ValueError as error:
        allowed = in_words(fields_of(declaration.shape)[name].type)
        inside = str(error).partition(" - at `$")[2].strip("`.")
        place = f" (at {inside})" if inside else ""
        return f"The value {shown(value)} is not allowed{place}.", allowed


def in_words(kind: inspect.Type) -> str:
    """A type as people say it."""
    match kind:
        case inspect.StrType():
            return "a text"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.NoneType():
            return "nothing"
        case inspect.LiteralType():
            return ", ".join(str(value) for value in kind.values)
        case inspect.EnumType():
            return ", ".join(str(member.value) for member in kind.cls)
        case inspect.DictType() if isinstance(kind.value_type, inspect.StrType):
            return 'a table of texts such as { sl = "…", en = "…" }'
        case inspect.DictType() | inspect.StructType():
            return "a table"
        case inspect.ListType() | inspect.SetType() | inspect.VarTupleType():
            return f"a list, each {in_words(kind.item_type)}"
        case inspect.UnionType():
            return " or ".join(in_words(one) for one in kind.types if not isinstance(one, inspect.NoneType))
        case _:
            return "any value"


def impossible(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Places of values that neither JSON nor a database can carry, with the reason."""
    if len(path) > MAX_DEPTH:
        yield path, f"The value is nested deeper than {MAX_DEPTH} levels."
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from impossible(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from impossible(inner, (*path, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield path, f"{value} is not a number that can be kept."
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_INT:
        yield path, "The number is too large."
    elif isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        yield path, "The text holds a character that cannot be kept."
