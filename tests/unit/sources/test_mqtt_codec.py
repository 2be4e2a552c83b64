"""Bytes to packets and back: whatever comes, the codec answers with packets, with patience or with a ProtocolError."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krog.sources.mqtt import codec
from krog.sources.mqtt.packets import (
    Connect,
    Disconnect,
    Packet,
    Ping,
    ProtocolError,
    Puback,
    Publish,
    Reason,
    Subscribe,
    Unsubscribe,
)

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=40)
TOPIC = TEXT.filter(lambda text: text and "+" not in text and "#" not in text)


def connect(version: int = 5, body: bytes | None = None) -> bytes:
    rest = codec.text("client") + codec.text("key") + codec.text("secret")
    head = codec.text("MQTT") + bytes([version, 0xC2, 0, 60]) + (b"\0" if version == 5 else b"")
    return codec.packet(codec.CONNECT, head + rest if body is None else body)


def decoder(version: int = 5) -> codec.Decoder:
    found = codec.Decoder()
    found.feed(connect(version))
    assert isinstance(found.next(), Connect)
    return found


def drain(found: codec.Decoder, limit: int = 10_000) -> list[Packet]:
    packets: list[Packet] = []
    while (packet := found.next()) is not None:
        packets.append(packet)
        assert len(packets) < limit, "the decoder does not end"
    return packets


def refusal(found: codec.Decoder) -> ProtocolError | None:
    """Reads all there is; the refusal where it came to one. Anything else that is raised is a defect."""
    try:
        drain(found)
    except ProtocolError as error:
        return error
    return None


@given(st.binary(max_size=600))
@settings(max_examples=1500)
def test_random_bytes_never_crash_and_never_hang(data: bytes) -> None:
    for version in (0, 4, 5):
        found = codec.Decoder() if not version else decoder(version)
        found.feed(data)
        error = refusal(found)
        assert error is None or (error.what and isinstance(error.reason, Reason))
        assert found.waiting <= max(len(data), 1) + 5


@given(st.sampled_from(range(16)), st.integers(0, 15), st.binary(max_size=200), st.sampled_from([4, 5]))
@settings(max_examples=1500)
def test_random_bodies_of_every_type_never_crash(kind: int, flags: int, body: bytes, version: int) -> None:
    found = decoder(version)
    found.feed(codec.packet(kind, body, flags))
    error = refusal(found)
    if error is not None:
        assert error.what
        assert (kind == codec.PUBLISH) == bool(error.packet), "a PUBLISH that cannot be taken is kept"
    else:
        assert found.waiting == 0, "a whole packet was read"


@given(st.binary(max_size=300), st.integers(0, 200), st.sampled_from([4, 5]))
@settings(max_examples=500)
def test_a_damaged_connect_never_crashes(noise: bytes, at: int, version: int) -> None:
    whole = bytearray(connect(version))
    whole[at % len(whole) : at % len(whole) + len(noise)] = noise
    found = codec.Decoder()
    found.feed(bytes(whole))
    error = refusal(found)
    assert error is None or error.what


@given(
    st.lists(st.tuples(TOPIC, st.binary(max_size=60), st.integers(0, 1), st.integers(1, 65535)), max_size=20),
    st.sampled_from([4, 5]),
    st.integers(1, 50),
)
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    messages: list[tuple[str, bytes, int, int]], version: int, size: int
) -> None:
    whole = b"".join(codec.publish(version, *message) for message in messages)
    found, packets = decoder(version), list[Packet]()
    for at in range(0, len(whole), size):
        found.feed(whole[at : at + size])
        packets += drain(found)
    assert packets == [Publish(topic, payload, qos, id if qos else 0) for topic, payload, qos, id in messages]
    assert found.waiting == 0


@given(st.integers(0, 268_435_455))
def test_lengths_take_at_most_four_bytes(number: int) -> None:
    data = codec.varint(number)
    assert len(data) <= 4 and codec._Body(data).varint() == number


def test_connect_is_read_with_its_properties() -> None:
    given = codec.properties(receive_maximum=10, maximum_packet=500, problem_information=0)
    body = codec.text("MQTT") + bytes([5, 0xC6, 0, 60]) + given + codec.text("c")
    body += b"\0" + codec.text("will") + b"\0\1x" + codec.text("key") + codec.text("secret")
    found = codec.Decoder()
    found.feed(connect(body=body))
    assert found.next() == Connect(5, "c", True, 60, "key", b"secret", 0, False, 10, 500, False, "")


def test_the_small_packets() -> None:
    found = decoder(5)
    found.feed(codec.packet(codec.PINGREQ, b"") + codec.packet(codec.PUBACK, b"\0\7") + codec.packet(14, b"\4\0"))
    assert drain(found) == [Ping(), Puback(7), Disconnect(4)]
    found.feed(codec.packet(codec.SUBSCRIBE, b"\0\1\0" + codec.text("krog/#") + b"\1", 2))
    found.feed(codec.packet(codec.UNSUBSCRIBE, b"\0\2\0" + codec.text("krog/#"), 2))
    subscribe, unsubscribe = drain(found)
    assert isinstance(subscribe, Subscribe) and isinstance(unsubscribe, Unsubscribe)
    assert (subscribe.filters[0].topic, subscribe.filters[0].qos, unsubscribe.topics) == ("krog/#", 1, ("krog/#",))


@pytest.mark.parametrize(
    "data, reason",
    [
        (codec.packet(codec.PUBLISH, codec.text("a") + b"\0\1\0x", 4), Reason.QOS_NOT_SUPPORTED),
        (codec.packet(codec.PUBLISH, codec.text("a") + b"\0x", 1), Reason.RETAIN_NOT_SUPPORTED),
        (codec.packet(codec.PUBLISH, codec.text("a") + b"\3\x23\0\1x"), Reason.TOPIC_ALIAS_INVALID),
        (codec.packet(codec.PUBLISH, codec.text("a/+") + b"\0x"), Reason.TOPIC_NAME_INVALID),
        (codec.packet(codec.PUBLISH, codec.text("a") + b"\0\0\0x", 2), Reason.PROTOCOL_ERROR),
        (codec.packet(codec.PUBREL, b"\0\1", 2), Reason.QOS_NOT_SUPPORTED),
        (codec.packet(codec.SUBSCRIBE, b"\0\1\2\x0b\1" + codec.text("a") + b"\0", 2), Reason(0xA1)),
        (codec.packet(codec.SUBSCRIBE, b"\0\1\0", 2), Reason.PROTOCOL_ERROR),
        (codec.packet(codec.SUBSCRIBE, b"\0\1\0" + codec.text("a") + b"\0"), Reason.MALFORMED),
        (codec.packet(codec.AUTH, b""), Reason.PROTOCOL_ERROR),
        (connect(), Reason.PROTOCOL_ERROR),
        (b"\x30\xff\xff\xff\xff\x01", Reason.MALFORMED),
        (b"\x30\xff\xff\xff\x7f", Reason.PACKET_TOO_LARGE),
    ],
)
def test_what_is_not_offered_is_refused_with_its_reason(data: bytes, reason: Reason) -> None:
    found = decoder(5)
    found.feed(data)
    with pytest.raises(ProtocolError) as caught:
        drain(found)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name, level", [("MQIsdp", 3), ("MQTT", 6), ("HTTP", 4)])
def test_other_protocols_are_refused(name: str, level: int) -> None:
    found = codec.Decoder()
    found.feed(connect(body=codec.text(name) + bytes([level, 2, 0, 60]) + codec.text("c")))
    with pytest.raises(ProtocolError) as caught:
        found.next()
    assert caught.value.reason == Reason.UNSUPPORTED_VERSION


def test_an_oversized_packet_is_refused_before_it_has_come() -> None:
    found = decoder(5)
    found.feed(b"\x32" + codec.varint(10_000_000) + codec.text("krog/inflow"))
    with pytest.raises(ProtocolError) as caught:
        found.next()
    assert caught.value.reason == Reason.PACKET_TOO_LARGE and b"krog/inflow" in caught.value.packet
