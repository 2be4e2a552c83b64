"""Tables of plans: versions, nodes with their links and indicators over spans of versions, grounds, reviews."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Plan(models.Model):
    """A strategy, programme or contract of an organisation. `latest` is the number of its newest numbered version."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField()
    description = models.JSONField(default=dict)
    organisation = models.CharField(max_length=100, blank=True)
    horizon = models.CharField(max_length=100, blank=True)
    source = models.TextField(blank=True)
    levels = models.JSONField(default=list)
    trees = models.JSONField(default=list)
    statuses = models.JSONField(default=list)
    facts = models.JSONField(default=list)
    dataset = models.CharField(max_length=100, db_index=True)
    latest = models.IntegerField(default=0)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Version(models.Model):
    """A version of a plan. It has a `number` from the moment it comes into force; a draft has none.
    `parent` is the version that was in force when the draft was begun."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="versions")
    key = models.CharField(max_length=100)
    number = models.IntegerField(null=True)
    label = models.CharField(max_length=200)
    status = models.CharField(max_length=20, default="draft")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    imported = models.BooleanField(default=False)
    adopted_on = models.DateField(null=True)
    adopting_body = models.CharField(max_length=200, blank=True)
    gazette = models.CharField(max_length=200, blank=True)
    consultation_until = models.DateField(null=True)
    note = models.TextField(blank=True)
    source = models.TextField(blank=True)
    created = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "key"], name="plans_version_key"),
            models.UniqueConstraint(fields=["plan", "number"], name="plans_version_number"),
            models.UniqueConstraint(fields=["plan"], condition=Q(status="adopted"), name="plans_one_in_force"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}/{self.key}"


class Span(models.Model):
    """A row that holds from version number `since` up to, not including, `until` (None: still); or what a draft
    says instead: then `draft` is set, `replaces` names the row it was changed from, and `gone` leaves the thing out."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    since = models.IntegerField(null=True)
    until = models.IntegerField(null=True)
    draft = models.ForeignKey(Version, null=True, on_delete=models.CASCADE, related_name="+")
    replaces = models.BigIntegerField(null=True)
    gone = models.BooleanField(default=False)

    class Meta:
        abstract = True


class Node(Span):
    """A goal, measure, project … of a plan as some versions have it; `key` is the same in all versions."""

    key = models.CharField(max_length=100)
    level = models.CharField(max_length=50, blank=True)
    number = models.CharField(max_length=50, blank=True)
    title = models.JSONField()
    text = models.JSONField(default=dict)
    parent = models.CharField(max_length=100, blank=True)
    order = models.IntegerField(default=0)
    organisation = models.CharField(max_length=100, blank=True)
    office = models.CharField(max_length=100, blank=True)
    holder = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=50, blank=True)
    strategic = models.BooleanField(default=False)
    horizon = models.CharField(max_length=50, blank=True)
    note = models.TextField(blank=True)
    source = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(until=None, draft=None),
                name="plans_node_in_force",
            ),
            models.UniqueConstraint(fields=["draft", "key"], condition=Q(draft__isnull=False), name="plans_node_draft"),
        ]
        indexes = [models.Index(fields=["plan", "since", "until"], name="plans_node_span")]

    def __str__(self) -> str:
        return self.key


class Link(Span):
    """A typed link from one node to another of the same plan; `key` is its name in the city's files."""

    key = models.CharField(max_length=320)
    source = models.CharField(max_length=100)
    target = models.CharField(max_length=100)
    type = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "source", "target", "type"],
                condition=Q(until=None, draft=None),
                name="plans_link_in_force",
            ),
            models.UniqueConstraint(
                fields=["draft", "source", "target", "type"],
                condition=Q(draft__isnull=False),
                name="plans_link_draft",
            ),
        ]
        indexes = [models.Index(fields=["plan", "since", "until"], name="plans_link_span")]

    def __str__(self) -> str:
        return f"{self.source}--{self.type}--{self.target}"


class NodeIndicator(Span):
    """An indicator that `measures` a node or stands beside it as `context`; `key` is its name in the city's files."""

    key = models.CharField(max_length=210)
    node = models.CharField(max_length=100)
    indicator = models.CharField(max_length=100, db_index=True)
    role = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "node", "indicator"],
                condition=Q(until=None, draft=None),
                name="plans_indicator_in_force",
            ),
            models.UniqueConstraint(
                fields=["draft", "node", "indicator"],
                condition=Q(draft__isnull=False),
                name="plans_indicator_draft",
            ),
        ]
        indexes = [models.Index(fields=["plan", "since", "until"], name="plans_indicator_span")]

    def __str__(self) -> str:
        return f"{self.node}--{self.indicator}"


class Ground(models.Model):
    """Why a version changes a node: a review, a proposal … by its reference, or words."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="grounds")
    node = models.CharField(max_length=100)
    noun = models.CharField(max_length=50, blank=True)
    key = models.CharField(max_length=100, blank=True)
    note = models.TextField(blank=True)
    time = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["noun", "key"], name="plans_ground_ref")]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "node", "noun", "key"],
                condition=~Q(noun=""),
                name="plans_ground_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node} because {self.noun}/{self.key}"


class Milestone(models.Model):
    """A step of a node by a day; it is management, so no version carries it. `done_on` None: not yet."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="milestones")
    key = models.CharField(max_length=100, unique=True)
    node = models.CharField(max_length=100, db_index=True)
    title = models.JSONField()
    due = models.DateField(null=True)
    done_on = models.DateField(null=True)
    office = models.CharField(max_length=100, blank=True)
    note = models.TextField(blank=True)
    source = models.TextField(blank=True)
    retired = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["plan", "due"], name="plans_milestone_due")]

    def __str__(self) -> str:
        return self.key


class Review(models.Model):
    """A planner's look at a node: what its indicators said then (`facts`), the judgement and the decision."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="reviews")
    key = models.CharField(max_length=100, unique=True)
    node = models.CharField(max_length=100, db_index=True)
    version = models.IntegerField()
    on = models.DateField()
    judgement = models.CharField(max_length=20)
    decision = models.CharField(max_length=20)
    note = models.TextField(blank=True)
    facts = models.JSONField(default=list)
    office = models.CharField(max_length=100, blank=True)
    reviewer = models.CharField(max_length=200, blank=True)
    created = models.BigIntegerField()

    def __str__(self) -> str:
        return self.key
