"""Tables of streams: observed properties, things, sensors, datastreams. Observations lie in `krog.lake`."""

from __future__ import annotations

from django.db import models


class ObservedProperty(models.Model):
    """What is observed, by its definition (a vocabulary's address or a sentence) and its usual unit (UCUM)."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    definition = models.CharField(max_length=500, blank=True)
    unit = models.CharField(max_length=50, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Thing(models.Model):
    """What carries sensors, where it stands (WGS84 degrees), who operates it and who owns its data.

    `demo_place` says that the place is invented; `true_place` then names where replayed data was really measured.
    """

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    territory = models.CharField(max_length=100, blank=True)
    operator = models.CharField(max_length=100, blank=True)
    owner = models.CharField(max_length=100, blank=True)
    demo_place = models.BooleanField(default=False)
    true_place = models.JSONField(default=dict)
    source = models.CharField(max_length=500, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Sensor(models.Model):
    """The instrument or method: its model and how accurate it is, in words and where known as a number with unit."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    model = models.CharField(max_length=200, blank=True)
    accuracy = models.CharField(max_length=500, blank=True)
    accuracy_value = models.FloatField(null=True)
    accuracy_unit = models.CharField(max_length=50, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Datastream(models.Model):
    """One property of one thing observed by one sensor; its number (`id`) is what observations carry in the lake.

    Values outside `minimum` to `maximum` are set aside; `interval_s` is how often a value is due (0: irregular);
    `role` is the word that formulas find it by; one that is not `public` is for officials even in a public dataset;
    `search` is made of the key and the titles.
    """

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    thing = models.ForeignKey(Thing, on_delete=models.PROTECT, related_name="+")
    sensor = models.ForeignKey(Sensor, on_delete=models.PROTECT, related_name="+", null=True)
    observed_property = models.ForeignKey(ObservedProperty, on_delete=models.PROTECT, related_name="+")
    unit = models.CharField(max_length=50, blank=True)
    dataset = models.CharField(max_length=100, db_index=True)
    minimum = models.FloatField(null=True)
    maximum = models.FloatField(null=True)
    interval_s = models.IntegerField(default=0)
    numeric = models.BooleanField(default=True)
    role = models.CharField(max_length=50, blank=True, db_index=True)
    public = models.BooleanField(default=True)
    search = models.TextField(blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Epoch(models.Model):
    """One row: moves with every change of a thing or datastream, so that the ingest process reads its index again."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)
