"""The indexes by three letters beside the tables, on both engines, and the questions that they answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from krog.registers.indexes import trigrams
from krog.search import models

_SQLITE = (
    "CREATE VIRTUAL TABLE search_doc_three USING fts5(head, body, content='search_doc', content_rowid='id', "
    "tokenize='trigram')",
    "CREATE TRIGGER search_doc_new AFTER INSERT ON search_doc BEGIN "
    "INSERT INTO search_doc_three (rowid, head, body) VALUES (NEW.id, NEW.head, NEW.body); END",
    "CREATE TRIGGER search_doc_gone AFTER DELETE ON search_doc BEGIN "
    "INSERT INTO search_doc_three (search_doc_three, rowid, head, body) VALUES ('delete', OLD.id, OLD.head, OLD.body); "
    "END",
    "CREATE TRIGGER search_doc_moved AFTER UPDATE OF head, body ON search_doc BEGIN "
    "INSERT INTO search_doc_three (search_doc_three, rowid, head, body) VALUES ('delete', OLD.id, OLD.head, OLD.body); "
    "INSERT INTO search_doc_three (rowid, head, body) VALUES (NEW.id, NEW.head, NEW.body); END",
    "CREATE VIRTUAL TABLE search_word_three USING fts5(word, tokenize='trigram')",
    "CREATE TRIGGER search_word_new AFTER INSERT ON search_word BEGIN "
    "INSERT INTO search_word_three (word) VALUES (NEW.word); END",
)
_POSTGRES = (
    "CREATE INDEX search_doc_three ON search_doc USING gin (body gin_trgm_ops)",
    "CREATE INDEX search_word_three ON search_word USING gin (word gin_trgm_ops)",
)


def build(cursor: Any) -> None:
    """Makes the indexes; pg_trgm where it is PostgreSQL."""
    if connection.vendor != "sqlite":
        trigrams(cursor)
    for statement in _SQLITE if connection.vendor == "sqlite" else _POSTGRES:
        cursor.execute(statement)


@dataclass(frozen=True)
class Candidate:
    """A doc that answers a question, as far as it is needed to weigh it."""

    pk: int
    noun: str
    weight: int
    head: str
    body: str


def candidates(
    tests: Sequence[Collection[str]],
    scopes: Sequence[str],
    *,
    every: bool,
    limit: int,
    noun: str = "",
    without: Sequence[str] = (),
    body: bool = False,
) -> list[Candidate]:
    """At most `limit` docs of the scopes in which each test (or any, where not `every`) has a word that begins like one
    of its starts; of one noun, or of all `without` some. The index of letters is asked once and read no further."""
    groups = [[f" {one}" if len(one) > 1 else f" {one} " for one in sorted(starts)] for starts in tests]
    joined = " AND " if every else " OR "
    marks: list[str] = []
    columns = "d.id, d.noun, d.weight, d.head, " + ("d.body" if body else "''")
    if connection.vendor == "sqlite":
        words = [" OR ".join('"' + one.replace('"', '""') + '"' for one in group) for group in groups]
        match = f"body : ({joined.join(f'({each})' for each in words)})"
        # CROSS JOIN: the letters are looked up first, whatever the planner thinks of the other conditions.
        sql = f"SELECT {columns} FROM search_doc_three f CROSS JOIN search_doc d ON d.id = f.rowid"
        where, marks = ["f.search_doc_three MATCH %s"], [match]
    else:
        sql = f"SELECT {columns} FROM search_doc d"
        where = [joined.join("(" + " OR ".join("d.body LIKE %s" for _one in group) + ")" for group in groups)]
        where = [f"({where[0]})"]
        marks = [f"%{_unlike(one)}%" for group in groups for one in group]
    where.append(f"d.scope IN ({', '.join(['%s'] * len(scopes))})")
    marks += scopes
    if noun:
        where.append("d.noun = %s")
        marks.append(noun)
    if without:
        where.append(f"d.noun NOT IN ({', '.join(['%s'] * len(without))})")
        marks += without
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} WHERE {' AND '.join(where)} LIMIT {int(limit)}", marks)
        return [Candidate(*row) for row in cursor.fetchall()]


def _unlike(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def known(start: str) -> bool:
    """Whether any word begins like this."""
    return models.Word.objects.filter(word__gte=start, word__lt=start + "\uffff").exists()


def alike(word: str, limit: int = 60) -> list[str]:
    """Words that share letters with a mistyped one, the most alike first."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            threes = dict.fromkeys(word[i : i + 3] for i in range(len(word) - 2))
            match = " OR ".join('"' + one.replace('"', '""') + '"' for one in threes)
            sql = "SELECT word FROM search_word_three WHERE search_word_three MATCH %s ORDER BY rank LIMIT %s"
            cursor.execute(sql, [match, limit])
        else:
            cursor.execute("SET pg_trgm.similarity_threshold = 0.2")
            sql = "SELECT word FROM search_word WHERE word %% %s ORDER BY similarity(word, %s) DESC LIMIT %s"
            cursor.execute(sql, [word, word, limit])
        return [row[0] for row in cursor.fetchall()]
