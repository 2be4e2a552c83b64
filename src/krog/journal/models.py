"""Tables of the journal: entries with their erasable payloads, seals, outbox, schedules, applied declarations."""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """One change by a person, key, link or Krog itself. Append-only; `before_hash` and `after_hash` are salted,
    so that erasing the payload keeps the chain of seals valid."""

    time = models.BigIntegerField()
    actor_kind = models.CharField(max_length=20)
    actor_id = models.BigIntegerField(default=0)
    actor_name = models.CharField(max_length=200, blank=True)
    verb = models.CharField(max_length=100)
    noun = models.CharField(max_length=50)
    key = models.CharField(max_length=100)
    reason = models.TextField(blank=True)
    before_hash = models.CharField(max_length=64, blank=True)
    after_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["noun", "key", "-id"], name="journal_entry_of")]

    def __str__(self) -> str:
        return f"{self.verb} {self.noun}/{self.key}"


class Payload(models.Model):
    """What stood before and after; erasable on its own (personal data), the entry and its seal remain."""

    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, primary_key=True, related_name="payload")
    salt = models.CharField(max_length=32)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"payload of {self.entry_id}"


class Seal(models.Model):
    """The Merkle root over the entries not sealed before, chained to the previous root."""

    time = models.BigIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    count = models.IntegerField()
    previous = models.CharField(max_length=64)
    root = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.first}-{self.last} {self.root[:12]}"


class SealedEntry(models.Model):
    """Which seal holds an entry (entries commit out of order, so a range of ids is not enough)."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, primary_key=True, related_name="sealed")
    seal = models.ForeignKey(Seal, on_delete=models.PROTECT, related_name="entries")

    def __str__(self) -> str:
        return f"{self.entry_id} in {self.seal_id}"


class Mail(models.Model):
    """One mail to send: queued in the transaction of the verb that wants it, sent by the work process."""

    created = models.BigIntegerField()
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    reply_token = models.CharField(max_length=400, blank=True)
    language = models.CharField(max_length=10, blank=True)
    noun = models.CharField(max_length=50)
    key = models.CharField(max_length=100)
    state = models.CharField(max_length=10, default="queued", db_index=True)
    attempts = models.IntegerField(default=0)
    next_attempt = models.BigIntegerField(default=0)
    sent = models.BigIntegerField(null=True)
    message_id = models.CharField(max_length=250, blank=True)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.subject} ({self.state})"


class ScheduleState(models.Model):
    """When a schedule last ran, how long it took and how it ended."""

    key = models.CharField(max_length=100, primary_key=True)
    started = models.BigIntegerField()
    finished = models.BigIntegerField()
    every_s = models.FloatField(default=60)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.key


class Applied(models.Model):
    """The fields of one declared thing as `apply` last wrote them: the base of the three-way comparison."""

    kind = models.CharField(max_length=50)
    key = models.CharField(max_length=150)
    fields = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="journal_applied_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
