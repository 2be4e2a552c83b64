"""What makes many records fast on both engines: declared fields, bounds and words, each by an index of the database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DatabaseError, connection, models
from django.db.models.expressions import RawSQL

from krog.base.errors import Misconfigured
from krog.registers.schema import NAME, Field

#: Names of expression indexes begin like this; one index serves every register that has a field of that name.
PREFIX = "registers_by_"

#: What a value in JSON becomes on SQLite.
_SQLITE: dict[str, type[models.Field[Any, Any]]] = {
    "number": models.FloatField,
    "integer": models.IntegerField,
    "boolean": models.IntegerField,
}


def _expression(name: str, table: str = "") -> str:
    """The value of a field in SQL. The name stands in it as it is: only an expression without parameters is found in
    an index, and what may name a field (`schema.NAME`) holds nothing that SQL could take for its own."""
    if not NAME.match(name):
        raise ValueError(name)
    column = f'{table}"values"'
    if connection.vendor == "sqlite":
        return f"""JSON_EXTRACT({column}, '$."{name}"')"""
    return f"({column} -> '{name}')"


class Value(models.Func):
    """The value of a declared field of a record, as filters and orders compare it."""

    function = None

    def __init__(self, field: Field):
        sqlite = connection.vendor == "sqlite"
        output = _SQLITE.get(field.type, models.TextField)() if sqlite else models.JSONField()
        super().__init__(output_field=output)
        self.name = field.name

    def as_sql(self, compiler: Any, connection: Any, *_more: Any, **_named: Any) -> Any:
        return _expression(self.name, f'"{compiler.query.get_initial_alias()}".'), []

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells parts of a query apart; Django's own asks for hashable arguments."""
        return (self.__class__, self.name)


def keep(wanted: Iterable[Field]) -> None:
    """Makes the indexes of these fields, drops those of fields that no register declares any more; in the caller's
    transaction."""
    names = {f"{PREFIX}{field.name}": field.name for field in wanted if field.indexed}
    with connection.cursor() as cursor:
        have = {name for name in _have(cursor) if name.startswith(PREFIX)}
        for index in sorted(have - set(names)):
            cursor.execute(f'DROP INDEX "{index}"')
        for index in sorted(set(names) - have):
            value = _expression(names[index])
            cursor.execute(
                f'CREATE INDEX "{index}" ON registers_record (register_id, {value}, "key") WHERE NOT "retired"'
            )


def _have(cursor: Any) -> list[str]:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'registers_record'")
    else:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'registers_record'")
    return [name for (name,) in cursor.fetchall()]


def learn() -> None:
    """Tells the database how many there are now of what, after many were written: it chooses indexes by that."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE registers_record")


def within(west: float, south: float, east: float, north: float) -> models.Q:
    """Records whose bounds meet a box."""
    box = models.Q(min_lon__lte=east, max_lon__gte=west, min_lat__lte=north, max_lat__gte=south)
    if connection.vendor == "sqlite":
        found = RawSQL(
            "SELECT id FROM registers_record_box WHERE min_lon <= %s AND max_lon >= %s AND min_lat <= %s "
            "AND max_lat >= %s",
            [east, west, north, south],
        )
        # The tree keeps its bounds a little wider than they are; the columns say it exactly.
        return models.Q(pk__in=found) & box
    bounds = "box(point(min_lon, min_lat), point(max_lon, max_lat))"
    met = f"min_lon IS NOT NULL AND {bounds} && box(point(%s, %s), point(%s, %s))"
    return models.Q(RawSQL(met, [west, south, east, north], models.BooleanField()))


def holding(field: Field, wanted: Sequence[str]) -> models.Q:
    """Records whose field of several choices holds all of these."""
    found = models.Q()
    for choice in wanted:
        if connection.vendor == "sqlite":
            test = f"EXISTS (SELECT 1 FROM JSON_EACH({_expression(field.name)}) AS one WHERE one.value = %s)"
            found &= models.Q(RawSQL(test, [choice], models.BooleanField()))
        else:
            found &= models.Q(**{f"values__{field.name}__contains": [choice]})
    return found


def worded(word: str) -> models.Q:
    """Records whose search text has this word somewhere (already in small letters)."""
    if connection.vendor == "sqlite" and len(word) >= 3:
        quoted = word.replace('"', '""')
        found = RawSQL(
            "SELECT rowid FROM registers_record_words WHERE registers_record_words MATCH %s", [f'"{quoted}"']
        )
        return models.Q(pk__in=found) & models.Q(search__contains=word)
    return models.Q(search__contains=word)


def trigrams(cursor: Any) -> None:
    """Makes the extension of PostgreSQL that finds parts of words; Misconfigured with what to do where it cannot."""
    try:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        raise Misconfigured(
            f"PostgreSQL has no pg_trgm, which search needs: {error}",
            "KROG_DATABASE",
            todo="Install the contrib modules (Debian: sudo apt-get install postgresql-contrib) and let the owner of "
            "the database run CREATE EXTENSION pg_trgm.",
        ) from None


def build(cursor: Any) -> None:
    """Makes what stands beside the table of records: the tree of bounds and the index of words, kept by triggers. May
    be called again; a migration that makes the table anew on SQLite must do so, because its triggers go with it."""
    statements = _BESIDE_SQLITE if connection.vendor == "sqlite" else _BESIDE_POSTGRES
    if connection.vendor != "sqlite":
        trigrams(cursor)
    for statement in statements:
        kind, name = (
            re.findall(r"^CREATE (?:VIRTUAL )?(TABLE|TRIGGER|INDEX) (\w+)", statement)[0]
            if (statement.startswith("CREATE"))
            else ("", "")
        )
        if kind:
            cursor.execute(f"DROP {kind} IF EXISTS {name}")
        cursor.execute(statement)


_BOX = "SELECT NEW.id, NEW.min_lon, NEW.max_lon, NEW.min_lat, NEW.max_lat WHERE NEW.min_lon IS NOT NULL"
_BESIDE_SQLITE = (
    "CREATE VIRTUAL TABLE registers_record_box USING rtree(id, min_lon, max_lon, min_lat, max_lat)",
    "INSERT INTO registers_record_box SELECT id, min_lon, max_lon, min_lat, max_lat FROM registers_record "
    "WHERE min_lon IS NOT NULL",
    f"CREATE TRIGGER registers_record_box_new AFTER INSERT ON registers_record BEGIN "
    f"INSERT INTO registers_record_box {_BOX}; END",
    f"CREATE TRIGGER registers_record_box_moved AFTER UPDATE OF min_lon, min_lat, max_lon, max_lat ON registers_record "
    f"WHEN (OLD.min_lon, OLD.min_lat, OLD.max_lon, OLD.max_lat) IS NOT "
    f"(NEW.min_lon, NEW.min_lat, NEW.max_lon, NEW.max_lat) "
    f"BEGIN DELETE FROM registers_record_box WHERE id = OLD.id; INSERT INTO registers_record_box {_BOX}; END",
    "CREATE TRIGGER registers_record_box_gone AFTER DELETE ON registers_record BEGIN "
    "DELETE FROM registers_record_box WHERE id = OLD.id; END",
    "CREATE VIRTUAL TABLE registers_record_words USING fts5(search, content='registers_record', content_rowid='id', "
    "tokenize='trigram')",
    "INSERT INTO registers_record_words (registers_record_words) VALUES ('rebuild')",
    "CREATE TRIGGER registers_record_words_new AFTER INSERT ON registers_record BEGIN "
    "INSERT INTO registers_record_words (rowid, search) VALUES (NEW.id, NEW.search); END",
    "CREATE TRIGGER registers_record_words_moved AFTER UPDATE OF search ON registers_record "
    "WHEN OLD.search IS NOT NEW.search BEGIN "
    "INSERT INTO registers_record_words (registers_record_words, rowid, search) VALUES ('delete', OLD.id, OLD.search); "
    "INSERT INTO registers_record_words (rowid, search) VALUES (NEW.id, NEW.search); END",
    "CREATE TRIGGER registers_record_words_gone AFTER DELETE ON registers_record BEGIN "
    "INSERT INTO registers_record_words (registers_record_words, rowid, search) VALUES ('delete', OLD.id, OLD.search); "
    "END",
)
_BESIDE_POSTGRES = (
    "CREATE INDEX registers_record_box ON registers_record USING gist "
    "(box(point(min_lon, min_lat), point(max_lon, max_lat))) WHERE min_lon IS NOT NULL",
    "CREATE INDEX registers_record_words ON registers_record USING gin (search gin_trgm_ops)",
)
