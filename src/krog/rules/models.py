"""Tables of rules: the rule, where its evaluation stands, what each evaluation found, and its alerts."""

from __future__ import annotations

from django.db import models


class Rule(models.Model):
    """A condition over streams; see `rules.signals`, `rules.windows` and `rules.hysteresis` for its parts.

    `mode`: act (alert and case), watch (alert only) or off.
    """

    key = models.CharField(max_length=80, unique=True)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict)
    dataset = models.CharField(max_length=100, db_index=True)
    organisation = models.CharField(max_length=100, blank=True)
    office = models.CharField(max_length=100, blank=True)
    holder = models.CharField(max_length=100, blank=True)
    protocol = models.CharField(max_length=100, blank=True)
    case_type = models.CharField(max_length=100, blank=True)
    severity = models.CharField(max_length=20, default="important")
    unit = models.CharField(max_length=50, blank=True)
    signal = models.JSONField(default=dict)
    window = models.JSONField(default=dict)
    raise_above = models.FloatField(null=True)
    raise_below = models.FloatField(null=True)
    clear_below = models.FloatField(null=True)
    clear_above = models.FloatField(null=True)
    hold = models.IntegerField(default=1)
    hold_clear = models.IntegerField(default=0)
    min_coverage = models.FloatField(default=0.8)
    mode = models.CharField(max_length=10, default="act")
    samples = models.JSONField(default=list)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class State(models.Model):
    """Where the evaluation of a rule stands. `known_to` is the end of the last window that had a value, `seen_to` of
    the last one looked at; `data` is a mark of the streams' readings, so that nothing is read twice for nothing."""

    rule = models.OneToOneField(Rule, on_delete=models.CASCADE, primary_key=True, related_name="state")
    raised = models.BooleanField(default=False)
    run = models.IntegerField(default=0)
    peak = models.FloatField(null=True)
    unknown = models.BooleanField(default=True)
    value = models.FloatField(null=True)
    coverage = models.FloatField(default=0)
    known_to = models.BigIntegerField(null=True)
    seen_to = models.BigIntegerField(null=True)
    data = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.rule_id}: {'raised' if self.raised else 'clear'}"


class Evaluation(models.Model):
    """What a rule found in one window; `value` is null where readings were missing."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="evaluations")
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    value = models.FloatField(null=True)
    coverage = models.FloatField()
    origin = models.SmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "end"], name="rules_evaluation_once")]

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.end}"


class Alert(models.Model):
    """A rule's limit was crossed: from `since` until `cleared`. `readings` are the streams' parts at raising."""

    key = models.CharField(max_length=100, unique=True)
    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="alerts")
    dataset = models.CharField(max_length=100, db_index=True)
    state = models.CharField(max_length=20, default="open", db_index=True)
    since = models.BigIntegerField()
    start = models.BigIntegerField()
    raised_at = models.BigIntegerField()
    cleared = models.BigIntegerField(null=True)
    value = models.FloatField()
    last_value = models.FloatField()
    last_time = models.BigIntegerField()
    peak = models.FloatField()
    threshold = models.FloatField()
    origin = models.SmallIntegerField()
    readings = models.JSONField(default=list)
    case = models.CharField(max_length=100, blank=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    told_cleared = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["-since"], name="rules_alert_since")]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"
