"""Frozen values of cases."""

from __future__ import annotations

from dataclasses import dataclass

from krog.base.ids import Ref
from krog.base.text import Text

#: Every state of a case; the last two are ends.
STATUSES = ("new", "taken", "waiting", "done", "declined")
OPEN = ("new", "taken", "waiting")
SEVERITIES = ("normal", "important", "urgent")
CHANNELS = ("web", "mail", "phone", "desk", "paper", "api", "rule")
#: Channels on which somebody who works for the city enters for another person.
FOR_ANOTHER = ("phone", "desk", "paper")
#: The tabs of a person's and a centre's work.
TABS = ("mine", "unassigned", "waiting", "today")


@dataclass(frozen=True)
class Protocol:
    """A named way to handle something."""

    key: str
    title: Text
    steps: tuple[Text, ...]


@dataclass(frozen=True)
class CaseType:
    """A kind of case."""

    key: str
    title: Text
    description: Text
    dataset: str
    office: str
    deadline_hours: int
    public: bool
    citizen: bool
    icon: str
    organisation: str = ""
    holder: str = ""
    escalate_hours: int = 48


@dataclass(frozen=True)
class NewReporter:
    """What a person says about himself; each may be empty."""

    name: str = ""
    email: str = ""
    phone: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.email or self.phone)


@dataclass(frozen=True)
class Message:
    """Something said about a case."""

    id: int
    direction: str
    channel: str
    time: int
    author: str
    text: str
    public: bool
    trusted: bool
    attachments: int


@dataclass(frozen=True)
class Photo:
    """A photo of a case."""

    id: int
    width: int
    height: int
    public: bool


@dataclass(frozen=True)
class Step:
    """A step of the protocol; `who` and `time` where it was done."""

    number: int
    text: Text
    who: str = ""
    time: int | None = None


@dataclass(frozen=True)
class Summary:
    """A case in a list of the desk."""

    key: str
    reference: str
    type: str
    type_title: Text
    title: Text
    place: str
    lon: float | None
    lat: float | None
    office: str
    assignee: str
    assignee_name: str
    status: str
    severity: str
    protocol_title: Text
    opened: int
    deadline: int
    closed: int | None
    waiting_for: str
    snoozed_until: int | None
    public: bool
    overdue: bool

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


@dataclass(frozen=True)
class Case(Summary):
    """A case in full, as those see it who work for the city; `reporter` is None where the reader may not know."""

    description: str
    dataset: str
    code: str
    updated: int
    taken: int | None
    closed_by: str
    outcome: str
    opened_by: str
    opener: str
    cause: Ref | None
    channel: str
    language: str
    words_public: bool
    public_note: str
    steps: tuple[Step, ...]
    messages: tuple[Message, ...]
    photos: tuple[Photo, ...]
    reporter: NewReporter | None
    has_reporter: bool


@dataclass(frozen=True)
class Event:
    """Something that happened, as the public reads it: opened, taken, waiting, message, reopened, done, declined."""

    what: str
    time: int
    text: str = ""


@dataclass(frozen=True)
class Status:
    """A case as its reporter and the public see it: no names, no contact, no internal words.

    `own` says that it was opened by the secret address; then the reporter's own words are in it.
    """

    reference: str
    own: bool
    type: str
    type_title: Text
    title: Text
    description: str
    place: str
    lon: float | None
    lat: float | None
    office: str
    status: str
    severity: str
    opened: int
    deadline: int
    closed: int | None
    overdue: bool
    outcome: str
    public_note: str
    events: tuple[Event, ...]
    photos: tuple[Photo, ...]
    cause: Ref | None


@dataclass(frozen=True)
class Entered:
    """A case as the clerk who entered it finds it again: no words and no names."""

    key: str
    reference: str
    type_title: Text
    place: str
    channel: str
    opened: int
    status: str


@dataclass(frozen=True)
class Page:
    """Some cases of `total`."""

    items: tuple[Summary, ...]
    total: int


@dataclass(frozen=True)
class StatusPage:
    """Some public cases of `total`."""

    items: tuple[Status, ...]
    total: int


@dataclass(frozen=True)
class Opened:
    """What `open` gives back: `reference` for people, `address` is the end of the reporter's status address;
    `again` says that this case had been opened before with the same `once`."""

    key: str
    reference: str
    code: str
    again: bool = False

    @property
    def address(self) -> str:
        return f"{self.key}-{self.code}"
