"""Tables of cases: types, protocols, the case with its reporter, messages, photos and ticked steps."""

from __future__ import annotations

from django.db import models


class Protocol(models.Model):
    """A named way to handle something, step by step; a case may be urgent only with one. `steps` are texts."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class CaseType(models.Model):
    """A kind of case: which office handles it in how many hours, and who of it answers where nobody has taken a case;
    `citizen`: may be reported on the portal, `public`: that such a case exists, where and how it stands is shown to
    everybody. So many hours after the deadline (`escalate_hours`, 0: never) the head of the office is told."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict)
    dataset = models.CharField(max_length=100)
    organisation = models.CharField(max_length=100, blank=True)
    office = models.CharField(max_length=100, blank=True)
    holder = models.CharField(max_length=100, blank=True)
    deadline_hours = models.IntegerField(default=72)
    escalate_hours = models.IntegerField(default=48)
    public = models.BooleanField(default=False)
    citizen = models.BooleanField(default=False)
    icon = models.CharField(max_length=50, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Number(models.Model):
    """The last number given to a case of a year."""

    year = models.IntegerField(primary_key=True)
    last = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Case(models.Model):
    """Something that somebody must handle. `code` is the secret end of the reporter's status address;
    `once` makes opening it again with the same word give this case. `reminded` and `escalated`: when its holder was
    reminded of the deadline, and the head of the office told, if they were."""

    key = models.CharField(max_length=40, unique=True)
    code = models.CharField(max_length=20)
    once = models.CharField(max_length=150, null=True, unique=True)  # noqa: DJ001 - NULL is what is not unique
    type = models.ForeignKey(CaseType, on_delete=models.PROTECT, related_name="+")
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+", null=True)
    dataset = models.CharField(max_length=100, db_index=True)
    title = models.JSONField(default=dict)
    description = models.TextField(blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    place = models.CharField(max_length=300, blank=True)
    office = models.CharField(max_length=100, blank=True)
    assignee = models.CharField(max_length=100, blank=True)
    assignee_name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=20, default="new")
    severity = models.CharField(max_length=20, default="normal")
    opened = models.BigIntegerField()
    updated = models.BigIntegerField()
    deadline = models.BigIntegerField()
    taken = models.BigIntegerField(null=True)
    reminded = models.BigIntegerField(null=True)
    escalated = models.BigIntegerField(null=True)
    closed = models.BigIntegerField(null=True)
    closed_by = models.CharField(max_length=200, blank=True)
    outcome = models.TextField(blank=True)
    waiting_for = models.CharField(max_length=300, blank=True)
    snoozed_until = models.BigIntegerField(null=True)
    opened_by = models.CharField(max_length=20)
    opener = models.CharField(max_length=200, blank=True)
    cause_noun = models.CharField(max_length=50, blank=True)
    cause_key = models.CharField(max_length=100, blank=True)
    channel = models.CharField(max_length=20)
    language = models.CharField(max_length=10, default="sl")
    public = models.BooleanField(default=False)
    words_public = models.BooleanField(default=False)
    public_note = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["office", "status", "deadline"], name="cases_case_work"),
            models.Index(fields=["assignee", "status"], name="cases_case_mine"),
            models.Index(fields=["public", "-opened"], name="cases_case_public"),
            models.Index(fields=["cause_noun", "cause_key"], name="cases_case_cause"),
        ]

    def __str__(self) -> str:
        return self.key


class Reporter(models.Model):
    """Who reported a case: personal, kept apart so that it can be erased, never public."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, primary_key=True, related_name="reporter")
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=50, blank=True)

    def __str__(self) -> str:
        return f"reporter of {self.case_id}"


class Message(models.Model):
    """Something said about a case. `direction`: in, out or internal; `public` ones are shown to everybody who may see
    the case. One that is not `trusted` came from an address that the case does not know."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="messages")
    direction = models.CharField(max_length=10)
    channel = models.CharField(max_length=20)
    time = models.BigIntegerField()
    author = models.CharField(max_length=254, blank=True)
    text = models.TextField()
    public = models.BooleanField(default=False)
    trusted = models.BooleanField(default=True)
    message_id = models.CharField(max_length=250, null=True, unique=True)  # noqa: DJ001 - NULL is what is not unique
    attachments = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.direction} message of {self.case_id}"


class Photo(models.Model):
    """A photo of a case, re-encoded without anything that the camera wrote into it; `file` is below KROG_FILES."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="photos")
    file = models.CharField(max_length=200)
    width = models.IntegerField()
    height = models.IntegerField()
    time = models.BigIntegerField()
    public = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.file


class Tick(models.Model):
    """A step of the case's protocol that was done."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="ticks")
    step = models.IntegerField()
    who = models.CharField(max_length=200)
    time = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "step"], name="cases_tick_once")]

    def __str__(self) -> str:
        return f"step {self.step} of {self.case_id}"
