"""Tables of people: territories, organisations, offices, accounts, API keys."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

#: Salt of what a session must carry.
SESSIONS = "krog.people.sessions"


class Organisation(models.Model):
    """A municipality, company, institution or body of the state."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    kind = models.CharField(max_length=30, default="institution")
    url = models.CharField(max_length=300, blank=True)
    parent = models.CharField(max_length=100, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Office(models.Model):
    """A part of an organisation that handles things; `centre` is the centre it serves, `head` the account that leads
    it, `deputy` the one that stands in for the head."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    organisation = models.CharField(max_length=100)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=50, blank=True)
    centre = models.CharField(max_length=50, blank=True, db_index=True)
    head = models.CharField(max_length=100, blank=True)
    deputy = models.CharField(max_length=100, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Territory(models.Model):
    """A state, municipality, settlement, school district …, with a point and where known its GeoJSON outline.

    `parent` is what it belongs to administratively; further hierarchies are TerritoryPart. `valid_from` is the first
    day that it existed, `valid_to` the first day that it no longer did (ISO days; empty: always, until now)."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    level = models.CharField(max_length=30)
    parent = models.CharField(max_length=100, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    outline = models.JSONField(null=True)
    source = models.CharField(max_length=300, blank=True)
    valid_from = models.CharField(max_length=10, blank=True)
    valid_to = models.CharField(max_length=10, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class Hierarchy(models.Model):
    """A way of dividing the land besides the administrative one: school districts, areas of a programme."""

    key = models.CharField(max_length=100, unique=True)
    title = models.JSONField(default=dict)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class TerritoryPart(models.Model):
    """That a territory lies within another in a hierarchy, from a day until before a day (as of Territory)."""

    key = models.CharField(max_length=250, unique=True)
    territory = models.CharField(max_length=100, db_index=True)
    within = models.CharField(max_length=100, db_index=True)
    hierarchy = models.CharField(max_length=100)
    valid_from = models.CharField(max_length=10, blank=True)
    valid_to = models.CharField(max_length=10, blank=True)
    source = models.CharField(max_length=300, blank=True)
    retired = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class AccountManager(BaseUserManager["Account"]):
    """Finds an account by what a person types to sign in."""

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(key=(username or "").strip().lower())


class Account(AbstractBaseUser):
    """A person who may sign in. Without a usable password only signed links in mails work."""

    key = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254, blank=True, db_index=True)
    language = models.CharField(max_length=10, default="sl")
    organisation = models.CharField(max_length=100, blank=True)
    roles = models.JSONField(default=list)
    offices = models.JSONField(default=list)
    digest = models.BooleanField(default=True)
    demo = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    #: Moves when all sessions are to end; links that were signed before `closed` act no more.
    epoch = models.IntegerField(default=0)
    closed = models.BigIntegerField(null=True)

    objects = AccountManager()
    USERNAME_FIELD = "key"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must carry: it ends with the password and with the epoch, without another query."""
        return str(
            salted_hmac(SESSIONS, f"{self.password}:{self.epoch}", secret=secret, algorithm="sha256").hexdigest()
        )


class Identity(models.Model):
    """The person of an organisation's sign-in (issuer and subject) who is an account here."""

    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    linked = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="people_identity_subject"),
            models.UniqueConstraint(fields=["issuer", "account"], name="people_identity_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} at {self.issuer}"


class SecondFactor(models.Model):
    """What an account shows besides its password: a secret that makes time-based codes (kept encrypted), the step of
    the last code that was taken, and hashes of recovery codes that were not used yet."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    secret = models.CharField(max_length=300)
    since = models.BigIntegerField()
    last_step = models.BigIntegerField(default=0)
    recovery = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"second factor of {self.account_id}"


class Absence(models.Model):
    """That a person is away from the local day `since` to `until` (both ISO days, both included), with who stands in;
    `ended` tells that it was called off."""

    account = models.CharField(max_length=100)
    substitute = models.CharField(max_length=100, blank=True)
    since = models.CharField(max_length=10)
    until = models.CharField(max_length=10)
    entered = models.BigIntegerField()
    ended = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "until"], name="people_absence_of"),
            models.Index(fields=["substitute", "until"], name="people_absence_for"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.since} – {self.until}"


class Digest(models.Model):
    """That the digest of a week was made for a person; `mail` is its number in the outbox, None when it was empty."""

    account = models.CharField(max_length=100)
    monday = models.CharField(max_length=10)
    mail = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "monday"], name="people_digest_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.monday}"


class ApiKey(models.Model):
    """A key of a program: the id is the MQTT user name, of the 256-bit secret only the SHA-256 is kept."""

    key = models.CharField(max_length=40, unique=True)
    digest = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    organisation = models.CharField(max_length=100)
    roles = models.JSONField(default=list)
    created = models.BigIntegerField()
    created_by = models.CharField(max_length=200, blank=True)
    maker = models.CharField(max_length=100, blank=True, db_index=True)
    revoked = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.key
