"""Tables of what people want: calls with a deadline, and the proposals that answer them."""

from __future__ import annotations

from django.db import models


class Call(models.Model):
    """The city asks for proposals (to a plan) until a day."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField()
    text = models.JSONField(default=dict)
    plan = models.CharField(max_length=100, blank=True)
    opens = models.DateField(null=True)
    closes = models.DateField(null=True)
    dataset = models.CharField(max_length=100, db_index=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Proposal(models.Model):
    """What somebody proposes. `state`: unconfirmed (an e-mail was given and not confirmed yet), received, accepted
    (for consideration), declined. `email` never leaves but as the address of a mail to its owner."""

    key = models.CharField(max_length=100, unique=True)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="proposals")
    title = models.CharField(max_length=150)
    text = models.TextField()
    place = models.CharField(max_length=200, blank=True)
    node = models.CharField(max_length=100, blank=True, db_index=True)
    author = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=20)
    created = models.BigIntegerField()
    confirmed = models.BigIntegerField(null=True)
    answer = models.TextField(blank=True)
    answered = models.BigIntegerField(null=True)
    answered_by = models.CharField(max_length=200, blank=True)
    withheld = models.BooleanField(default=False)
    told = models.JSONField(default=list)
    channel = models.CharField(max_length=10, default="web")
    entered_by = models.CharField(max_length=200, blank=True)
    form = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - many rows without one, all unique

    class Meta:
        indexes = [models.Index(fields=["call", "state", "-created"], name="voice_of_call")]

    def __str__(self) -> str:
        return self.key
