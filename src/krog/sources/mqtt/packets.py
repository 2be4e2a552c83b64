"""What travels over MQTT: the packets that Krog reads, the reason codes it answers with, and its refusals."""

from __future__ import annotations

from enum import IntEnum

import msgspec

#: Largest packet that Krog takes, in bytes; MQTT 5 clients are told so in CONNACK.
LARGEST_PACKET = 64 * 1024


class Reason(IntEnum):
    """Reason codes of MQTT 5 (section 2.4) that Krog uses."""

    SUCCESS = 0x00
    NO_SUBSCRIPTION = 0x11
    UNSPECIFIED = 0x80
    MALFORMED = 0x81
    PROTOCOL_ERROR = 0x82
    IMPLEMENTATION_SPECIFIC = 0x83
    UNSUPPORTED_VERSION = 0x84
    CLIENT_ID_INVALID = 0x85
    BAD_CREDENTIALS = 0x86
    NOT_AUTHORISED = 0x87
    SERVER_BUSY = 0x89
    SERVER_SHUTTING_DOWN = 0x8B
    BAD_AUTHENTICATION_METHOD = 0x8C
    KEEP_ALIVE_TIMEOUT = 0x8D
    SESSION_TAKEN_OVER = 0x8E
    TOPIC_FILTER_INVALID = 0x8F
    TOPIC_NAME_INVALID = 0x90
    RECEIVE_MAXIMUM_EXCEEDED = 0x93
    TOPIC_ALIAS_INVALID = 0x94
    PACKET_TOO_LARGE = 0x95
    QUOTA_EXCEEDED = 0x97
    PAYLOAD_FORMAT_INVALID = 0x99
    RETAIN_NOT_SUPPORTED = 0x9A
    QOS_NOT_SUPPORTED = 0x9B
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1


class ProtocolError(Exception):
    """The client broke the protocol, or asked for what Krog does not offer; the connection ends.

    `packet` is what was read of a PUBLISH that could not be taken, so that it can be kept and seen.
    """

    def __init__(self, reason: Reason, what: str, packet: bytes = b""):
        super().__init__(what)
        self.reason, self.what, self.packet = reason, what, packet


class Connect(msgspec.Struct, frozen=True, gc=False):
    """CONNECT. `version` is 4 (3.1.1) or 5; a will is read and not kept."""

    version: int
    client_id: str
    clean: bool
    keep_alive: int
    username: str | None = None
    password: bytes | None = None
    will_qos: int = 0
    will_retain: bool = False
    receive_maximum: int = 65_535
    maximum_packet: int = 0
    problem_information: bool = True
    authentication_method: str = ""


class Publish(msgspec.Struct, frozen=True, gc=False):
    """PUBLISH; `id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    id: int = 0
    retain: bool = False
    dup: bool = False


class Puback(msgspec.Struct, frozen=True, gc=False):
    id: int
    reason: int = 0


class Filter(msgspec.Struct, frozen=True, gc=False):
    """One wish of a SUBSCRIBE."""

    topic: str
    qos: int
    no_local: bool = False


class Subscribe(msgspec.Struct, frozen=True, gc=False):
    id: int
    filters: tuple[Filter, ...]


class Unsubscribe(msgspec.Struct, frozen=True, gc=False):
    id: int
    topics: tuple[str, ...]


class Ping(msgspec.Struct, frozen=True, gc=False):
    pass


class Disconnect(msgspec.Struct, frozen=True, gc=False):
    reason: int = 0


Packet = Connect | Publish | Puback | Subscribe | Unsubscribe | Ping | Disconnect
