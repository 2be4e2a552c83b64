"""Tables of uploads: who brought which file for what, and what became of it."""

from __future__ import annotations

from django.db import models


class Upload(models.Model):
    """A file that waits for its person, or was accepted, undone or dropped. The file and what it says lie below
    KROG_FILES under its key until it expires; `state` is waiting, accepted, undone or dropped."""

    key = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=20)
    target = models.CharField(max_length=250)
    by = models.BigIntegerField(db_index=True)
    by_name = models.CharField(max_length=200)
    language = models.CharField(max_length=10)
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    state = models.CharField(max_length=10, default="waiting")
    created = models.BigIntegerField()
    expires = models.BigIntegerField(db_index=True)
    done = models.BigIntegerField(null=True)
    reason = models.TextField(blank=True)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.target}: {self.file_name}"
