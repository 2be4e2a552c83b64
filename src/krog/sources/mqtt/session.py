"""One connection of an MQTT client: what it may do, what it is owed, and how much of it is kept in memory."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, cast

import msgspec

from krog.base import times
from krog.base.errors import Transient
from krog.base.grant import Reader
from krog.base.origin import Origin
from krog.engine.ingest import LiveValue, Receipt
from krog.sources.mqtt import codec
from krog.sources.mqtt.inlet import reason_code, take
from krog.sources.mqtt.packets import (
    LARGEST_PACKET,
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
from krog.sources.mqtt.topics import PREFIX, has_wildcard, is_filter, key_of, matches

if TYPE_CHECKING:
    from krog.sources.mqtt.listener import Listener

log = logging.getLogger("krog.mqtt")

#: Messages at QoS 1 that an MQTT 5 client may have under way; it is told so in CONNACK.
RECEIVE_MAXIMUM = 512
#: Messages of a client that wait for the store before nothing more is read from it: how many, and their bytes.
INBOX, INBOX_BYTES = 1024, 512 * 1024
#: Messages that go to the store at once.
BATCH = 1000
#: Messages at QoS 1 to a client: under way at most, and waiting at most; beyond that it is too slow and sent away.
IN_FLIGHT, OUTBOX = 64, 1000
#: Bytes that may wait for a slow client's socket before messages at QoS 0 to it are dropped.
WRITE_BYTES = 256 * 1024
#: Subscriptions of a client.
SUBSCRIPTIONS = 100
#: Seconds for a client to connect, and to take what is left for it when it is sent away.
CONNECT_S, CLOSE_S = 10.0, 5.0


class Session(asyncio.Protocol):
    """Protocol of one connection; `Listener` has them all."""

    def __init__(self, listener: Listener):
        self.listener = listener
        self.reader: Reader | None = None
        self.key = ("", "")
        self.credentials = ("", "")
        self.version = 0
        self.watched: frozenset[str] = frozenset()
        self.seen = self.began = listener.loop.time()
        self.work: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._lingering: asyncio.Transport | None = None
        self._over = False  # Nothing more of this client is read: it said goodbye, or was sent away.
        self._decoder = codec.Decoder()
        self._keep_alive = 0.0
        self._asking = False  # A CONNECT or SUBSCRIBE waits for the database; packets behind it wait for it.
        self._inbox: deque[Publish] = deque()
        self._inbox_bytes = self._unanswered = 0
        self._reading = True
        self._exact: dict[str, int] = {}
        self._wild: dict[str, int] = {}
        self._client_maximum = self._receive_maximum = 0
        self._reasons = True
        self._in_flight: set[int] = set()
        self._outbox: deque[tuple[int, bytes]] = deque()
        self._last_id = 0
        self._full = False
        self._tasks: set[asyncio.Task[None]] = set()

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=WRITE_BYTES)
        self.listener.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.listener.closed(self)

    def data_received(self, data: bytes) -> None:
        self.seen = self.listener.loop.time()
        if not self._over:
            self._decoder.feed(data)
            self._decode()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._send_waiting()

    @property
    def name(self) -> str:
        return f"{self.key[0] or '?'}/{self.key[1] or '?'}"

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def overdue(self, now: float) -> bool:
        """Whether the client has been silent for longer than it said, or never connected."""
        if not self._reading or self._asking:
            return False
        if self.reader is None:
            return now - self.began > CONNECT_S
        return bool(self._keep_alive) and now - self.seen > self._keep_alive * 1.5

    def hold(self) -> None:
        """Reads nothing more."""
        self._over = True
        if self._transport is not None and self._reading:
            self._transport.pause_reading()
            self._reading = False

    def end(self, reason: Reason, why: str, *, tell: bool = True) -> None:
        """Ends the connection; an MQTT 5 client is told why, and has a moment to read it: closing with bytes unread
        would have its system throw the answer away."""
        self._over = True
        transport, self._transport = self._transport, None
        self.listener.left(self)
        if transport is None:
            return
        if not tell:
            transport.close()
            return
        if self.version == 5 and self.reader is not None:
            transport.write(codec.disconnect(reason, why if self._reasons else None))
        if not self._reading:
            transport.resume_reading()
        transport.write_eof()
        self._lingering = transport
        self.listener.loop.call_later(CLOSE_S, self.abort)

    def abort(self) -> None:
        """Closes at once what `end` left a moment."""
        if self._lingering is not None:
            self._lingering.abort()
            self._lingering = None

    # Packets in

    def _decode(self) -> None:
        try:
            while not self._asking and not self._over and self._has_room:
                packet = self._decoder.next()
                if packet is None:
                    break
                self._take(packet)
        except ProtocolError as error:
            self._refuse(error)
        else:
            self._hold_back()

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Publish):
            if packet.qos:
                self._unanswered += 1
                if self.version == 5 and self._unanswered > RECEIVE_MAXIMUM:
                    raise ProtocolError(
                        Reason.RECEIVE_MAXIMUM_EXCEEDED, f"More than {RECEIVE_MAXIMUM} messages are under way."
                    )
            self._inbox.append(packet)
            self._inbox_bytes += len(packet.payload) + 100
            if self.work is None:
                self.work = self.listener.loop.create_task(self._work())
        elif isinstance(packet, Ping):
            self._write(codec.PONG)
        elif isinstance(packet, Puback):
            self._in_flight.discard(packet.id)
            self._send_waiting()
        elif isinstance(packet, Connect):
            self.version = packet.version
            self._ask(self._connect(packet))
        elif isinstance(packet, Subscribe):
            self._ask(self._subscribe(packet))
        elif isinstance(packet, Unsubscribe):
            codes = []
            for topic in packet.topics:
                known = self._exact.pop(topic, None) if topic in self._exact else self._wild.pop(topic, None)
                codes.append(int(Reason.SUCCESS if known is not None else Reason.NO_SUBSCRIPTION))
            self._write(codec.unsuback(self.version, packet.id, codes))
        elif isinstance(packet, Disconnect):
            self.end(Reason.SUCCESS, "", tell=False)

    def _ask(self, question: Coroutine[None, None, None]) -> None:
        """Runs what needs the database; the packets behind it wait."""
        self._asking = True

        async def run() -> None:
            try:
                await question
            except Exception:
                log.exception("The MQTT client %s could not be answered.", self.name)
                self.end(Reason.UNSPECIFIED, "This could not be answered; it has been written down.")
            finally:
                self._asking = False
                self._decode()

        task = self.listener.loop.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refuse(self, error: ProtocolError) -> None:
        self.listener.counts["protocol_errors"] += 1
        log.warning("The MQTT client %s is sent away: %s", self.name, error.what)
        if error.packet and self.reader is not None:
            self.listener.keep_broken(error.packet, error.what, self.reader)
        if self.reader is None and self.version in (0, 5) and self._transport is not None:
            version = 4 if error.reason == Reason.UNSUPPORTED_VERSION else self.version
            if version:
                self._write(codec.connack(version, error.reason))
        self.end(error.reason, error.what)

    @property
    def _has_room(self) -> bool:
        return len(self._inbox) < INBOX and self._inbox_bytes < INBOX_BYTES

    def _hold_back(self) -> None:
        """Reads on, or not, by how much waits."""
        wanted = self._has_room and not self._asking
        if self._transport is None or self._over or wanted == self._reading:
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
            self.seen = self.listener.loop.time()
        else:
            self._transport.pause_reading()

    async def _connect(self, packet: Connect) -> None:
        self._reasons = packet.problem_information
        refusal = await self._refusal(packet)
        if refusal is not None:
            reason, why = refusal
            self.listener.counts["refused_connections"] += 1
            log.warning("An MQTT client (%s) was refused: %s", packet.username or "no user name", why)
            self._write(codec.connack(self.version, reason, reason_string=why if self._reasons else None))
            self.end(reason, why)
            return
        client_id = packet.client_id or f"krog-{self.listener.next_number()}"
        self.key = (self.credentials[0], client_id)
        self._keep_alive = packet.keep_alive
        self._client_maximum = packet.maximum_packet
        self._receive_maximum = min(packet.receive_maximum, IN_FLIGHT)
        self.listener.joined(self)
        assigned = None if packet.client_id else client_id
        answer = codec.connack(
            self.version, Reason.SUCCESS, session_expiry=0, receive_maximum=RECEIVE_MAXIMUM, maximum_qos=1,
            retain_available=0, maximum_packet=LARGEST_PACKET, assigned_client=assigned, subscription_identifiers=0,
            shared_subscriptions=0,
        )  # fmt: skip
        self._write(answer)

    async def _refusal(self, packet: Connect) -> tuple[Reason, str] | None:
        if packet.authentication_method:
            return Reason.BAD_AUTHENTICATION_METHOD, "Only user name and password are taken."
        if packet.version == 5 and packet.will_qos == 2:
            return Reason.QOS_NOT_SUPPORTED, "QoS 2 is not offered; at most QoS 1."
        if packet.version == 5 and packet.will_retain:
            return Reason.RETAIN_NOT_SUPPORTED, "Retained messages are not offered."
        if not packet.client_id and packet.version == 4 and not packet.clean:
            return Reason.CLIENT_ID_INVALID, "A client without an id must begin a clean session."
        if len(packet.client_id) > 200:
            return Reason.CLIENT_ID_INVALID, "The client id has more than 200 characters."
        if not self.listener.has_room:
            return Reason.SERVER_BUSY, "There are too many clients already."
        secret = (packet.password or b"").decode(errors="replace")
        reader = await self.listener.rights.reader(packet.username or "", secret)
        if reader is None:
            return Reason.NOT_AUTHORISED, "User name and password are no key id and secret in use."
        self.credentials, self.reader = (packet.username or "", secret), reader
        return None

    async def _subscribe(self, packet: Subscribe) -> None:
        assert self.reader is not None
        self.watched = await self.listener.rights.watchable(self.reader)
        codes = []
        for wish in packet.filters:
            qos = min(wish.qos, 1)
            refusal = self._refused(wish.topic, wish.no_local)
            if refusal is None:
                (self._wild if has_wildcard(wish.topic) else self._exact)[wish.topic] = qos
            codes.append(qos if refusal is None else int(refusal))
        self._write(codec.suback(self.version, packet.id, codes))

    def _refused(self, topic: str, no_local: bool) -> Reason | None:
        if topic.startswith("$share/"):
            return Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        if not is_filter(topic):
            return Reason.TOPIC_FILTER_INVALID
        if no_local and self.version == 5:
            return Reason.IMPLEMENTATION_SPECIFIC
        if len(self._exact) + len(self._wild) >= SUBSCRIPTIONS:
            return Reason.QUOTA_EXCEEDED
        if not has_wildcard(topic) and key_of(topic) not in self.watched:
            return Reason.NOT_AUTHORISED
        return None

    # Messages to the store

    async def _work(self) -> None:
        """Takes what has come, batch by batch, and acknowledges each batch when it is on the disk. Goes on after the
        connection is lost: a client that sends and leaves has sent all the same."""
        assert self.reader is not None
        try:
            while self._inbox:
                batch = [self._inbox.popleft() for _ in range(min(BATCH, len(self._inbox)))]
                receipts = await take(self.listener.door, batch, self.reader)
                self._answer(batch, receipts)
                self._decode()
        except Transient as error:
            log.error("The MQTT client %s is sent away with its messages: %s", self.name, error)
            self._inbox.clear()
            self.end(Reason.SERVER_BUSY, "The store takes nothing right now; send again what was not acknowledged.")
        except Exception:
            log.exception("Messages of the MQTT client %s were not taken.", self.name)
            self._inbox.clear()
            self.end(Reason.UNSPECIFIED, "The messages could not be taken; send again what was not acknowledged.")
        finally:
            self.work = None

    def _answer(self, batch: Sequence[Publish], receipts: Sequence[Receipt]) -> None:
        self.listener.counts["received"] += len(batch)
        acks = []
        for packet, receipt in zip(batch, receipts, strict=True):
            self._inbox_bytes -= len(packet.payload) + 100
            if packet.qos:
                self._unanswered -= 1
                why = receipt.detail if self._reasons and not receipt.stored else None
                acks.append(codec.puback(self.version, packet.id, reason_code(receipt), why))
        if acks:
            self._write(b"".join(acks))

    # Live values to the client

    async def look_again(self) -> None:
        """Reads anew what the client may watch."""
        if self.reader is not None and (self._exact or self._wild):
            self.watched = await self.listener.rights.watchable(self.reader)

    def deliver(self, values: Sequence[LiveValue]) -> None:
        """Sends those values that the client asked for and may see."""
        if not (self._exact or self._wild) or self._transport is None:
            return
        for value in values:
            if value.key not in self.watched:
                continue
            topic = PREFIX + value.key
            found = [qos for filter, qos in self._wild.items() if matches(filter, topic)]
            exact = self._exact.get(topic)
            if exact is not None:
                found.append(exact)
            if found:
                self._send(topic, live_payload(value), max(found))

    def _send(self, topic: str, payload: bytes, qos: int) -> None:
        if self._client_maximum and len(topic) + len(payload) + 12 > self._client_maximum:
            return
        if qos == 0:
            if self._full:
                self.listener.counts["dropped"] += 1
            else:
                self._write(codec.publish(self.version, topic, payload))
            return
        if len(self._outbox) >= OUTBOX:
            log.warning("The MQTT client %s is too slow for what it asked for.", self.name)
            self._outbox.clear()
            self.end(Reason.QUOTA_EXCEEDED, "The client takes its messages too slowly.")
            return
        self._last_id = self._last_id % 65_535 + 1
        while self._last_id in self._in_flight:
            self._last_id = self._last_id % 65_535 + 1
        self._outbox.append((self._last_id, codec.publish(self.version, topic, payload, 1, self._last_id)))
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._outbox and not self._full and len(self._in_flight) < self._receive_maximum:
            number, data = self._outbox.popleft()
            self._in_flight.add(number)
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


_encode = msgspec.json.encode


def live_payload(value: LiveValue) -> bytes:
    """An observation as subscribers get it, in the form in which it could be sent."""
    result = value.value if value.text is None else msgspec.Raw(value.text.encode())
    return _encode({"value": result, "time": times.iso(value.time), "origin": Origin(value.origin).word})
