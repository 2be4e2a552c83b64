"""What registers provide to others: the kinds `register` and `record` of a city's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.registers import geometry, models, roles, schema, validity, verbs


class RegisterFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    dataset: str = ""
    geometry: str = "none"
    fields: dict[str, dict[str, Any]] = {}
    title_field: str = ""
    role: str = ""


class RecordFile(msgspec.Struct, forbid_unknown_fields=True):
    """One feature of `registers/<register>.geojson`: its id is the key, its properties the values; or one row of the
    table `registers/<register>.csv`."""

    key: str
    register: str = ""
    values: dict[str, Any] = {}
    geometry: dict[str, Any] | None = None
    valid_from: str = ""
    valid_to: str = ""

    def __post_init__(self) -> None:
        # What is stored has no empty values, spaces around texts or heights; so neither has what is compared with it.
        trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in self.values.items()}
        self.values = {name: value for name, value in trimmed.items() if not schema.is_empty(value)}
        self.geometry = geometry.flat(self.geometry)


def _registers() -> Mapping[str, Fields]:
    names = [name for name in RegisterFile.__struct_fields__ if name != "key"]
    return {row.pop("key"): row for row in models.Register.objects.filter(retired=False).values("key", *names)}


def _records() -> Mapping[str, Fields]:
    rows = models.Record.objects.filter(retired=False, register__retired=False).select_related("register")
    return {row.key: verbs.state(row) for row in rows.order_by("key").iterator(chunk_size=2000)}


class Searchable(NamedTuple):
    """A record in use as search takes it."""

    key: str
    register: str
    role: str
    dataset: str
    title_field: str
    title: str
    values: Mapping[str, Any]


def searchable(keys: Sequence[str] | None = None) -> Iterator[Searchable]:
    """Records in use, all or those of some keys, for search."""
    rows = models.Record.objects.filter(retired=False, register__retired=False)
    if keys is not None:
        rows = rows.filter(key__in=list(keys))
    home = [f"register__{name}" for name in ("key", "role", "dataset", "title_field")]
    found = rows.values_list("key", *home, "title", "values").order_by("pk")
    return (Searchable(*row) for row in found.iterator(chunk_size=2000))


def _write_registers(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_registers(by, changes=changes)


def _write_records(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_records(by, changes=changes)


def _check_register(fields: Fields) -> Sequence[str]:
    return [str(problem) for problem in verbs.check_register(fields)]


def _check_record(fields: Fields) -> Sequence[str]:
    return [
        f"{name} {fields[name]!r} is not {validity.ALLOWED}"
        for name in ("valid_from", "valid_to")
        if not validity.is_canonical(fields.get(name) or "")
    ]


def _check_role_among(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    """Code finds a register by its role, so a role is given once; and it asks for the fields of the role, so the
    dataset, where it names the fields that it shows, names those too."""
    role = fields.get("role")
    shown = things.get("dataset", {}).get(fields.get("dataset", ""), {}).get("fields")
    hidden = [name for name in roles.ROLES.get(role or "", ()) if shown and name not in shown]
    holders = sorted(key for key, other in things["register"].items() if role and other.get("role") == role)
    return [
        *([f"role {role!r} is given to {', '.join(holders)}; one register has it"] if len(holders) > 1 else []),
        *(f"role {role} needs the field {name} among the fields of dataset {fields['dataset']}" for name in hidden),
    ]


#: The types of cells, by the type of the register's field.
_CELLS: Mapping[str, type] = {"number": float, "integer": int, "boolean": bool}


def _columns(inside: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Mapping[str, Any] | None:
    """The columns of a register's table."""
    home = things["register"].get(inside["register"])
    if home is None or verbs.check_register(home):
        return None
    return {field.name: _CELLS.get(field.type, str) for field in schema.read_fields(home["fields"])}


@lru_cache(maxsize=32)
def _fields_of(register: bytes) -> tuple[schema.Field, ...] | None:
    """The fields of a register in JSON, once for all its records; None where it is wrong itself."""
    home = msgspec.json.decode(register)
    return None if verbs.check_register(home) else schema.read_fields(home["fields"])


def _check_record_among(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    """What the record's register says about its values and its place."""
    home = things["register"].get(fields["register"])
    declared = _fields_of(msgspec.json.encode(home)) if home else None
    if home is None or declared is None:
        return []
    found = schema.check_values(declared, fields["values"])[1]
    found += geometry.read(home["geometry"], fields["geometry"])[1]
    return [*(str(problem) for problem in found), *_names(declared, fields, things)]


def _names(
    declared: Sequence[schema.Field], fields: Fields, things: Mapping[str, Mapping[str, Fields]]
) -> Sequence[str]:
    """What is wrong with the records that a record names."""
    found = []
    for field in declared:
        key = fields["values"].get(field.name)
        if field.type == "record" and key and things["record"].get(key, {}).get("register") != field.register:
            found.append(f"{field.name} {key!r} is no record of the register {field.register!r}")
    return found


def _check_register_among(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    """The registers that fields name are among those declared."""
    named = {about.get("register") for about in fields["fields"].values() if isinstance(about, Mapping)}
    return [f"There is no register {key!r}." for key in sorted(filter(None, named)) if key not in things["register"]]


def _check_among(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    return [*_check_role_among(fields, things), *_check_register_among(fields, things)]


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "register",
        "registers.toml",
        RegisterFile,
        _registers,
        _write_registers,
        refs={"dataset": "dataset"},
        check=_check_register,
        check_among=_check_among,
    ),
    Declaration(
        "record",
        "registers/<register>.geojson",
        RecordFile,
        _records,
        _write_records,
        refs={"register": "register"},
        check=_check_record,
        check_among=_check_record_among,
        own_units=True,
        quoted=True,
        table="registers/<register>.csv",
        columns=_columns,
    ),
)
