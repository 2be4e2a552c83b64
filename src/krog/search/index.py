"""The indexes by three letters beside the tables, on both engines, and the questions that they answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL

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


def beginning(starts: Iterable[str]) -> Q:
    """Docs in which some word begins like one of these."""
    wanted = [f" {start}" for start in starts]
    if connection.vendor == "sqlite":
        match = " OR ".join('"' + one.replace('"', '""') + '"' for one in wanted if len(one) > 2)
        found = RawSQL("SELECT rowid FROM search_doc_three WHERE search_doc_three MATCH %s", [f"body : ({match})"])
        return Q(pk__in=found) if match else Q(pk__in=[])
    test = Q(pk__in=[])
    for one in wanted:
        test |= Q(body__contains=one)
    return test


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
