"""Bytes to packets and back, for MQTT 3.1.1 and 5: pure, bounded, and a ProtocolError for whatever is no MQTT."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from krog.sources.mqtt.packets import (
    LARGEST_PACKET,
    Connect,
    Disconnect,
    Filter,
    Packet,
    ProtocolError,
    Puback,
    Publish,
    Reason,
    Subscribe,
    Unsubscribe,
)
from krog.sources.mqtt.packets import Ping as PingPacket

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15

#: Properties of MQTT 5 by identifier: name and type (section 2.2.2.2).
PROPERTIES = {
    0x01: ("payload_format", "byte"), 0x02: ("message_expiry", "four"), 0x03: ("content_type", "text"),
    0x08: ("response_topic", "text"), 0x09: ("correlation", "bytes"), 0x0B: ("subscription_identifier", "varint"),
    0x11: ("session_expiry", "four"), 0x12: ("assigned_client", "text"), 0x13: ("server_keep_alive", "two"),
    0x15: ("authentication_method", "text"), 0x16: ("authentication_data", "bytes"),
    0x17: ("problem_information", "byte"), 0x18: ("will_delay", "four"), 0x19: ("response_information", "byte"),
    0x1A: ("response_info", "text"), 0x1C: ("server_reference", "text"), 0x1F: ("reason_string", "text"),
    0x21: ("receive_maximum", "two"), 0x22: ("topic_alias_maximum", "two"), 0x23: ("topic_alias", "two"),
    0x24: ("maximum_qos", "byte"), 0x25: ("retain_available", "byte"), 0x26: ("user_property", "pair"),
    0x27: ("maximum_packet", "four"), 0x28: ("wildcards", "byte"), 0x29: ("subscription_identifiers", "byte"),
    0x2A: ("shared_subscriptions", "byte"),
}  # fmt: skip
_NUMBERS = {name: number for number, (name, _) in PROPERTIES.items()}
#: Properties that may stand more than once.
_MANY = {"user_property", "subscription_identifier"}


def _malformed(what: str) -> ProtocolError:
    return ProtocolError(Reason.MALFORMED, what)


class _Body:
    """Reads the fields of one packet, one after the other; whatever is missing is a ProtocolError."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes):
        self.data, self.at, self.end = data, 0, len(data)

    @property
    def left(self) -> int:
        return self.end - self.at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise _malformed("The packet ends in the middle of a field.")
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def two(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def four(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def bytes(self) -> bytes:
        return self.take(self.two())

    def text(self) -> str:
        try:
            found = self.bytes().decode()
        except UnicodeDecodeError:
            raise _malformed("A text is not UTF-8.") from None
        if "\0" in found:
            raise _malformed("A text holds the character U+0000.")
        return found

    def pair(self) -> tuple[str, str]:
        return self.text(), self.text()

    def varint(self) -> int:
        found = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte()
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
        raise _malformed("A length has more than four bytes.")

    def packet_id(self) -> int:
        found = self.two()
        if found == 0:
            raise ProtocolError(Reason.PROTOCOL_ERROR, "A packet identifier is 0.")
        return found

    def properties(self) -> dict[str, Any]:
        size = self.varint()
        if size > self.left:
            raise _malformed("The properties are longer than the packet.")
        end = self.at + size
        found: dict[str, Any] = {}
        while self.at < end:
            number = self.varint()
            if number not in PROPERTIES:
                raise _malformed(f"There is no property {number}.")
            name, kind = PROPERTIES[number]
            if name in found and name not in _MANY:
                raise ProtocolError(Reason.PROTOCOL_ERROR, f"The property {name} stands twice.")
            found[name] = getattr(self, kind)()
        if self.at != end:
            raise _malformed("A property is longer than the properties.")
        return found


class Decoder:
    """Takes bytes as they arrive and gives whole packets; keeps at most one incomplete packet.

    `version` is 0 until a CONNECT was read. After a ProtocolError the decoder is of no further use.
    """

    def __init__(self, largest: int = LARGEST_PACKET):
        self.largest, self.version = largest, 0
        self._buffer = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    @property
    def waiting(self) -> int:
        """Bytes of a packet that is not complete yet."""
        return len(self._buffer) - self._at

    def next(self) -> Packet | None:
        """The next whole packet, or None until more bytes have come."""
        header = self._header()
        if header is None:
            return None
        first, begin, end = header
        if self.version == 0 and first >> 4 != CONNECT:
            raise ProtocolError(Reason.PROTOCOL_ERROR, "The first packet is no CONNECT.")
        if end - self._at > self.largest:
            raise ProtocolError(
                Reason.PACKET_TOO_LARGE,
                f"A packet has {end - self._at} bytes; at most {self.largest} are taken.",
                bytes(self._buffer[self._at : end]) if first >> 4 == PUBLISH else b"",
            )
        if end > len(self._buffer):
            return None
        whole = bytes(self._buffer[self._at : end])
        body = _Body(whole[begin - self._at :])
        self._at = end
        try:
            return self._packet(first >> 4, first & 0x0F, body)
        except ProtocolError as error:
            if first >> 4 == PUBLISH:
                error.packet = whole
            raise

    def _header(self) -> tuple[int, int, int] | None:
        """First byte, and where body and packet begin and end."""
        buffer, at = self._buffer, self._at
        if len(buffer) - at < 2:
            return None
        size = 0
        for index in range(4):
            if at + 1 + index >= len(buffer):
                return None
            byte = buffer[at + 1 + index]
            size |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                begin = at + 2 + index
                return buffer[at], begin, begin + size
        raise _malformed("The length of a packet has more than four bytes.")

    def _packet(self, kind: int, flags: int, body: _Body) -> Packet:
        if self.version and kind == CONNECT:
            raise ProtocolError(Reason.PROTOCOL_ERROR, "A second CONNECT came.")
        read = _READERS.get(kind)
        if read is None:
            if kind in (PUBREC, PUBREL, PUBCOMP):
                raise ProtocolError(Reason.QOS_NOT_SUPPORTED, "QoS 2 is not offered; at most QoS 1.")
            raise ProtocolError(Reason.PROTOCOL_ERROR, f"A client may not send packets of type {kind}.")
        if kind != PUBLISH and flags != (2 if kind in (SUBSCRIBE, UNSUBSCRIBE) else 0):
            raise _malformed(f"The flags of a packet of type {kind} are wrong.")
        packet = read(body, flags, self.version)
        if body.left:
            raise _malformed(f"A packet of type {kind} is longer than its fields.")
        if isinstance(packet, Connect):
            self.version = packet.version
        return packet


def _connect(body: _Body, flags: int, version: int) -> Connect:
    name, level = body.bytes(), body.byte()
    if name != b"MQTT" or level not in (4, 5):
        raise ProtocolError(Reason.UNSUPPORTED_VERSION, "Krog speaks MQTT 3.1.1 and 5.")
    bits, keep_alive = body.byte(), body.two()
    will, will_qos, will_retain = bool(bits & 4), bits >> 3 & 3, bool(bits & 32)
    if bits & 1 or will_qos == 3 or (not will and (will_qos or will_retain)):
        raise _malformed("The flags of CONNECT are wrong.")
    if level == 4 and bits & 64 and not bits & 128:
        raise _malformed("A password comes without a user name.")
    given = body.properties() if level == 5 else {}
    client_id = body.text()
    if will:
        if level == 5:
            body.properties()
        body.text()
        body.bytes()
    username = body.text() if bits & 128 else None
    password = body.bytes() if bits & 64 else None
    for limit in ("receive_maximum", "maximum_packet"):
        if given.get(limit) == 0:
            raise ProtocolError(Reason.PROTOCOL_ERROR, f"The property {limit} is 0.")
    return Connect(
        level, client_id, bool(bits & 2), keep_alive, username, password, will_qos, will_retain,
        given.get("receive_maximum", 65_535), given.get("maximum_packet", 0),
        given.get("problem_information", 1) != 0, given.get("authentication_method", ""),
    )  # fmt: skip


def _publish(body: _Body, flags: int, version: int) -> Publish:
    qos, retain, dup = flags >> 1 & 3, bool(flags & 1), bool(flags & 8)
    if qos == 3 or (dup and qos == 0):
        raise _malformed("The flags of PUBLISH are wrong.")
    topic = body.text()
    if qos == 2:
        raise ProtocolError(Reason.QOS_NOT_SUPPORTED, "QoS 2 is not offered; at most QoS 1.")
    if "+" in topic or "#" in topic:
        raise ProtocolError(Reason.TOPIC_NAME_INVALID, "A topic that is published to holds no + and no #.")
    id = body.packet_id() if qos else 0
    if version == 5:
        given = body.properties()
        if "topic_alias" in given:
            raise ProtocolError(Reason.TOPIC_ALIAS_INVALID, "Topic aliases are not offered.")
        if "subscription_identifier" in given:
            raise ProtocolError(Reason.PROTOCOL_ERROR, "A client's PUBLISH has no subscription identifier.")
        if retain:
            raise ProtocolError(Reason.RETAIN_NOT_SUPPORTED, "Retained messages are not offered.")
    if not topic:
        raise ProtocolError(Reason.TOPIC_NAME_INVALID, "The topic is empty.")
    return Publish(topic, body.take(body.left), qos, id, retain, dup)


def _puback(body: _Body, flags: int, version: int) -> Puback:
    id = body.packet_id()
    reason = body.byte() if version == 5 and body.left else 0
    if version == 5 and body.left:
        body.properties()
    return Puback(id, reason)


def _subscribe(body: _Body, flags: int, version: int) -> Subscribe:
    id = body.packet_id()
    if version == 5 and "subscription_identifier" in body.properties():
        raise ProtocolError(Reason.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, "Subscription identifiers are not offered.")
    filters = []
    while body.left:
        topic, options = body.text(), body.byte()
        if options & 3 == 3 or options & (0xC0 if version == 5 else 0xFC) or options >> 4 & 3 == 3:
            raise _malformed("The options of a subscription are wrong.")
        filters.append(Filter(topic, options & 3, bool(options & 4)))
    if not filters:
        raise ProtocolError(Reason.PROTOCOL_ERROR, "A SUBSCRIBE names no topic.")
    return Subscribe(id, tuple(filters))


def _unsubscribe(body: _Body, flags: int, version: int) -> Unsubscribe:
    id = body.packet_id()
    if version == 5:
        body.properties()
    topics = []
    while body.left:
        topics.append(body.text())
    if not topics:
        raise ProtocolError(Reason.PROTOCOL_ERROR, "An UNSUBSCRIBE names no topic.")
    return Unsubscribe(id, tuple(topics))


def _ping(body: _Body, flags: int, version: int) -> PingPacket:
    return PingPacket()


def _disconnect(body: _Body, flags: int, version: int) -> Disconnect:
    reason = body.byte() if version == 5 and body.left else 0
    if version == 5 and body.left:
        body.properties()
    return Disconnect(reason)


_READERS: dict[int, Callable[[_Body, int, int], Packet]] = {
    CONNECT: _connect, PUBLISH: _publish, PUBACK: _puback, SUBSCRIBE: _subscribe, UNSUBSCRIBE: _unsubscribe,
    PINGREQ: _ping, DISCONNECT: _disconnect,
}  # fmt: skip


# What Krog writes. Each function gives a whole packet.


def varint(number: int) -> bytes:
    """A length of 0 to 268,435,455 in MQTT's form."""
    found = bytearray()
    while True:
        number, byte = divmod(number, 128)
        found.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(found)


def text(value: str) -> bytes:
    """A text with its length before it."""
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def properties(**given: Any) -> bytes:
    """Properties of MQTT 5 with their length before them; a value of None is left out."""
    parts = []
    for name, value in given.items():
        if value is None:
            continue
        number = _NUMBERS[name]
        kind = PROPERTIES[number][1]
        if kind == "text":
            data = text(value)
        else:
            data = int(value).to_bytes({"byte": 1, "two": 2, "four": 4}[kind], "big")
        parts.append(bytes([number]) + data)
    whole = b"".join(parts)
    return varint(len(whole)) + whole


def packet(kind: int, body: bytes, flags: int = 0) -> bytes:
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def connack(version: int, reason: int, **given: Any) -> bytes:
    """CONNACK without a session; for 3.1.1 `reason` is translated to its return code."""
    if version == 5:
        return packet(CONNACK, bytes([0, reason]) + properties(**given))
    code = {
        Reason.SUCCESS: 0, Reason.UNSUPPORTED_VERSION: 1, Reason.CLIENT_ID_INVALID: 2, Reason.SERVER_BUSY: 3,
        Reason.BAD_CREDENTIALS: 4, Reason.NOT_AUTHORISED: 5,
    }.get(Reason(reason), 3)  # fmt: skip
    return packet(CONNACK, bytes([0, code]))


def publish(version: int, topic: str, payload: bytes, qos: int = 0, id: int = 0, *, dup: bool = False) -> bytes:
    body = text(topic) + (id.to_bytes(2, "big") if qos else b"") + (b"\0" if version == 5 else b"") + payload
    return packet(PUBLISH, body, qos << 1 | (8 if dup else 0))


def puback(version: int, id: int, reason: int = 0, why: str | None = None) -> bytes:
    """PUBACK; in MQTT 5 with a reason code and a sentence where the message was not accepted."""
    if version == 5 and reason:
        return packet(PUBACK, struct.pack("!HB", id, reason) + properties(reason_string=why))
    return struct.pack("!BBH", PUBACK << 4, 2, id)


def suback(version: int, id: int, codes: list[int]) -> bytes:
    none = b"\0" if version == 5 else b""
    codes = codes if version == 5 else [min(code, 0x80) for code in codes]
    return packet(SUBACK, id.to_bytes(2, "big") + none + bytes(codes))


def unsuback(version: int, id: int, codes: list[int]) -> bytes:
    return packet(UNSUBACK, id.to_bytes(2, "big") + (b"\0" + bytes(codes) if version == 5 else b""))


def disconnect(reason: int, why: str | None = None) -> bytes:
    """DISCONNECT of the server; only MQTT 5 has it."""
    return packet(DISCONNECT, bytes([reason]) + properties(reason_string=why))


PONG = packet(PINGRESP, b"")
