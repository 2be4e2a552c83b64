"""Tables of the catalogue: datasets and the epoch of their policy."""

from __future__ import annotations

from django.db import models

from krog.journal.fields import OrderedJSONField


class Dataset(models.Model):
    """What data there is: meaning, owner, openness, dictionary. Every record of every noun belongs to one."""

    key = models.CharField(max_length=100, unique=True)
    noun = models.CharField(max_length=30, db_index=True)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict)
    organisation = models.CharField(max_length=100, blank=True)
    office = models.CharField(max_length=100, blank=True)
    steward = models.CharField(max_length=100, blank=True)
    licence = models.CharField(max_length=100, blank=True)
    access = models.CharField(max_length=20, default="official")
    roles = models.JSONField(default=list)
    personal = models.BooleanField(default=False)
    frequency = models.CharField(max_length=50, blank=True)
    source = models.CharField(max_length=500, blank=True)
    doubts = models.JSONField(default=list)
    fields = OrderedJSONField(default=dict)
    public_rows = models.JSONField(default=dict)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class PolicyEpoch(models.Model):
    """One row: moves with every change of a dataset, so that cached grants end."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


class ServiceUse(models.Model):
    """How often a service was started and finished on a local day, by channel and language: numbers and nothing else.
    What was finished is counted on the day on which it was started."""

    day = models.DateField()
    service = models.CharField(max_length=120)
    channel = models.CharField(max_length=10)
    language = models.CharField(max_length=5)
    started = models.BigIntegerField(default=0)
    finished = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "service", "channel", "language"], name="catalogue_service_use")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.channel}"


class SpentToken(models.Model):
    """A mark of a form that was finished, so that it counts once; forgotten when the mark has run out."""

    digest = models.CharField(max_length=64, primary_key=True)
    issued = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.digest[:12]
