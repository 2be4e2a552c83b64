"""Tables of search: what can be found, the words in it, and how far the journal was followed."""

from __future__ import annotations

from django.db import models


class Doc(models.Model):
    """One thing that can be found. `scope` says who may find it (see `scopes`); `home` is what it belongs to (register
    of a record, plan of a node); `head` and `body` are its title and everything, plain, with a space at both ends."""

    noun = models.CharField(max_length=30)
    key = models.CharField(max_length=150)
    scope = models.CharField(max_length=140)
    home = models.CharField(max_length=100, blank=True)
    title = models.JSONField(default=dict)
    about = models.JSONField(default=dict)
    head = models.TextField()
    body = models.TextField()
    weight = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["noun", "key", "scope"], name="search_doc_once")]

    def __str__(self) -> str:
        return f"{self.noun}/{self.key}"


class Word(models.Model):
    """A word that stands in some title or text, plain; the nearest ones are tried for a word that stands in none."""

    word = models.CharField(max_length=60, primary_key=True)

    def __str__(self) -> str:
        return self.word


class Mark(models.Model):
    """One row: the last seal of the journal whose entries are in the index."""

    seal = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.seal)
