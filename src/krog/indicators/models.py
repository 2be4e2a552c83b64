"""Tables of indicators: definitions, targets, values (append-only), requests to people, runs, and recomputations."""

from __future__ import annotations

from django.db import models


class Indicator(models.Model):
    """What is measured, see `shapes.Indicator`. `formula` as written, `formula_id` the hash of its canonical form."""

    key = models.CharField(max_length=100, unique=True)
    code = models.CharField(max_length=50, blank=True)
    title = models.JSONField(default=dict)
    definition = models.JSONField(default=dict)
    unit = models.CharField(max_length=50, blank=True)
    decimals = models.IntegerField(default=0)
    direction = models.CharField(max_length=10, default="none")
    period = models.CharField(max_length=10, default="year")
    kind = models.CharField(max_length=10, default="entered")
    aggregation = models.CharField(max_length=20, blank=True)
    dataset = models.CharField(max_length=100, db_index=True)
    organisation = models.CharField(max_length=100, blank=True)
    office = models.CharField(max_length=100, blank=True)
    owner = models.CharField(max_length=100, blank=True)
    confirmer = models.CharField(max_length=100, blank=True)
    formula = models.JSONField(null=True)
    formula_id = models.CharField(max_length=64, blank=True)
    baseline = models.JSONField(default=dict)
    raw = models.TextField(blank=True)
    parse_status = models.CharField(max_length=20, default="ok")
    parse_note = models.TextField(blank=True)
    same_as = models.CharField(max_length=100, blank=True)
    due = models.CharField(max_length=5, blank=True)
    source = models.CharField(max_length=500, blank=True)
    unit_note = models.TextField(blank=True)
    aliases = models.JSONField(default=list)
    area = models.CharField(max_length=100, blank=True)
    series_of = models.CharField(max_length=100, blank=True, db_index=True)
    theme = models.CharField(max_length=100, blank=True)
    level = models.CharField(max_length=10, blank=True)
    frameworks = models.JSONField(default=list)
    order = models.IntegerField(default=0)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Target(models.Model):
    """What an indicator should reach by a year, as printed and as read."""

    key = models.CharField(max_length=100, unique=True)
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="targets")
    date = models.CharField(max_length=4, blank=True)
    type = models.CharField(max_length=30, default="absolute")
    op = models.CharField(max_length=2, blank=True)
    value = models.FloatField(null=True)
    value_to = models.FloatField(null=True)
    unit = models.CharField(max_length=50, blank=True)
    raw = models.TextField(blank=True)
    parse_status = models.CharField(max_length=20, default="ok")
    note = models.TextField(blank=True)
    plan = models.CharField(max_length=100, blank=True)
    baseline = models.JSONField(default=dict)
    tolerance = models.FloatField(null=True)
    comparator = models.CharField(max_length=100, blank=True)
    clarification = models.TextField(blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Formula(models.Model):
    """A formula that values were computed with, under the hash of its canonical form; kept for ever."""

    id = models.CharField(max_length=64, primary_key=True)
    document = models.JSONField()
    period = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.id[:12]


class Selection(models.Model):
    """Which datastreams a term read: `document` maps each key to [number, unit, interval]; its id is its hash."""

    id = models.CharField(max_length=64, primary_key=True)
    document = models.JSONField()

    def __str__(self) -> str:
        return self.id[:12]


class Run(models.Model):
    """One round of computing: which program and engine, which version of the lake, how many values were new."""

    started = models.BigIntegerField()
    finished = models.BigIntegerField()
    program = models.CharField(max_length=100)
    engine = models.CharField(max_length=100)
    lake_version = models.BigIntegerField()
    examined = models.IntegerField(default=0)
    written = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"run {self.pk}"


class Value(models.Model):
    """One value of one period. Rows are only ever added: a later row of the same period supersedes an earlier one."""

    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    period = models.CharField(max_length=10)
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    value = models.FloatField(null=True)
    status = models.CharField(max_length=20)
    origin = models.SmallIntegerField()
    source = models.TextField(blank=True)
    note = models.TextField(blank=True)
    on = models.CharField(max_length=10, blank=True)
    recorded = models.BigIntegerField()
    entered_by = models.CharField(max_length=100, blank=True)
    confirmed_by = models.CharField(max_length=100, blank=True)
    reasons = models.JSONField(default=list)
    formula = models.ForeignKey(Formula, on_delete=models.PROTECT, null=True, related_name="+")
    inputs = models.JSONField(default=list)
    rows = models.BigIntegerField(default=0)
    inputs_hash = models.CharField(max_length=64, blank=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["indicator", "period", "id"], name="indicators_value_of"),
            models.Index(fields=["indicator", "-id"], name="indicators_value_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(run__isnull=False) | ~models.Q(source="") | ~models.Q(entered_by=""),
                name="indicators_value_says_where_from",
            )
        ]

    def __str__(self) -> str:
        return f"{self.indicator_id} {self.period} {self.value}"


class Request(models.Model):
    """A value of a period asked from a person, and how far it is."""

    key = models.CharField(max_length=120, unique=True)
    indicator = models.ForeignKey(Indicator, on_delete=models.PROTECT, related_name="+")
    period = models.CharField(max_length=10)
    due = models.BigIntegerField()
    state = models.CharField(max_length=10, default="asked", db_index=True)
    asked = models.BigIntegerField()
    reminded = models.BigIntegerField(null=True)
    escalated = models.BigIntegerField(null=True)
    value = models.ForeignKey(Value, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    asked_of = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.key


class Progress(models.Model):
    """How far the computing of an indicator is: everything recorded up to `mark` is in its values."""

    indicator = models.OneToOneField(Indicator, on_delete=models.CASCADE, primary_key=True, related_name="+")
    formula_id = models.CharField(max_length=64)
    lake_version = models.BigIntegerField()
    mark = models.BigIntegerField()
    state = models.TextField(blank=True)
    computed = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.indicator_id} at version {self.lake_version}"


class Check(models.Model):
    """A recomputation of a value from its pinned inputs: asked by somebody, done by the work process."""

    value = models.ForeignKey(Value, on_delete=models.PROTECT, related_name="checks")
    asked = models.BigIntegerField()
    asked_by = models.CharField(max_length=200, blank=True)
    done = models.BigIntegerField(null=True, db_index=True)
    same = models.BooleanField(null=True)
    detail = models.CharField(max_length=500, blank=True)
    engine = models.CharField(max_length=100, blank=True)

    def __str__(self) -> str:
        return f"check of {self.value_id}"
