"""Tables of registers: the register with its declared fields, and its records."""

from __future__ import annotations

from django.db import models

from krog.journal.fields import OrderedJSONField


class Register(models.Model):
    """A typed collection: `fields` {name: {type, unit, title, required, choices}} in the order of display;
    `geometry` is point, line, polygon or none; `title_field` names the field that records are called by;
    `role` says what part the register plays in every city (see `roles`);
    `counter` moves with every change of the register or a record."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict)
    dataset = models.CharField(max_length=100, db_index=True)
    geometry = models.CharField(max_length=10, default="none")
    fields = OrderedJSONField(default=dict)
    title_field = models.CharField(max_length=50, blank=True)
    role = models.CharField(max_length=30, blank=True, db_index=True)
    counter = models.BigIntegerField(default=0)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Record(models.Model):
    """One entry of a register. `shape` is WKB in WGS84, beside it its bounds; `valid_from` and `valid_to` (UTC
    microseconds) say when it held in the world; `version` counts changes; `title`, `search` come from the values.
    Beside the table stand an index of its bounds and one of `search` by three letters (see `registers.indexes`)."""

    key = models.CharField(max_length=100, unique=True)
    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="+", db_index=False)
    values = models.JSONField(default=dict)
    title = models.CharField(max_length=200, blank=True)
    search = models.TextField(blank=True)
    shape = models.BinaryField(null=True)
    min_lon = models.FloatField(null=True)
    min_lat = models.FloatField(null=True)
    max_lon = models.FloatField(null=True)
    max_lat = models.FloatField(null=True)
    valid_from = models.BigIntegerField(null=True)
    valid_to = models.BigIntegerField(null=True)
    version = models.IntegerField(default=1)
    changed = models.BigIntegerField(default=0)
    retired = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["register", "title", "key"], name="registers_record_listed", condition=models.Q(retired=False)
            ),
            models.Index(fields=["register", "key"], name="registers_record_keys", condition=models.Q(retired=False)),
            models.Index(
                fields=["register", "changed", "key"],
                name="registers_record_changed",
                condition=models.Q(retired=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key
