"""One MQTT link for either end of the road, over paho: it may lose, double and delay; whoever uses it expects that.

One thread makes the connection, runs it, and makes the next one. Every connection is a client of its own, with a clean
session and a will made anew, so that nothing waits in memory for a broker that is away, and nothing old is sent twice.
"""

import logging
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sync.contract.topics import MAX_PACKET
from sync.tls import TlsFiles, client_context

logger = logging.getLogger("menshen.mqtt")
KEEPALIVE_S: Final = 15  # a link on which nothing comes is given up after at most twice this
UNANSWERED_S: Final = 20  # for bytes that the other end's TCP does not confirm, whatever the keepalive
PAUSE_S: Final = (0.25, 30.0)  # first and longest pause between connections; half of it by chance
STEADY_S: Final = 10.0  # a connection that stood so long was a good one: the next pause is the first again
STOP_S: Final = 3.0  # for what is on its way, when the link is stopped
MAX_MESSAGES: Final = 1000  # on their way to the broker, unconfirmed
IN_FLIGHT: Final = 20  # of them at the broker at once (what mosquitto grants with MQTT 5); paho keeps the others back
MAX_BYTES: Final = 4 * 1024 * 1024
AT_ONCE: Final = 100  # topics in one subscription
UNSENT: Final = 16 * 1024  # bytes that the kernel may hold and not have sent; an alarm waits behind them
_CALLBACKS: Final = ("on_connect", "on_subscribe", "on_disconnect", "on_message", "on_socket_open")
_PROTOCOLS: Final = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one attempt may take. `connect_s`: for a connection, and again for its handshake; `ready_s`: from there to the last
    subscription; `keepalives`: the keepalive is so many times what it is else, for paho counts it from the attempt's first byte."""

    connect_s: float
    ready_s: float
    keepalives: int


# The second at an attempt after one that came to nothing, then the first again: on the slowest links (2 s each way and 10 kbit/s: 17 s
# from the first packet to the broker's first word) only that will do; everywhere else what is healed shall not be found out late.
PATIENCE: Final = (Patience(5.0, 10.0, 1), Patience(10.0, 30.0, 2))
Handler = Callable[[str, bytes], None]
_Handlers = tuple[Handler, Handler]  # of what comes, and of what the broker had kept
Will = Callable[[], tuple[str, bytes, bool]]


class MqttLink:
    """A link that keeps itself up. Callbacks and handlers are called by its thread and must only hand on.

    `client_id` must be nobody else's at this broker. `protocol`: `3.1.1` or `5`. With `tls` the link is TLS and never
    anything else: a handshake that fails is a connection that fails. The files are read anew for each connection, so a
    certificate can be renewed under a running link; while `clock_trusted()` is false, the dates of the broker's certificate
    are not looked at. `will()` gives topic, payload and whether it is retained, before every attempt. `connected` is called
    once the broker has taken all subscriptions. Raises ValueError for another protocol, TlsFileError for files that are
    bad already.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        client_id: str,
        protocol: str = "3.1.1",
        username: str | None = None,
        password: str | None = None,
        tls: TlsFiles | None = None,
        clock_trusted: Callable[[], bool] = lambda: True,
        will: Will | None = None,
        connected: Callable[[], None] | None = None,
        disconnected: Callable[[], None] | None = None,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        if protocol not in _PROTOCOLS:
            raise ValueError(f"MQTT {protocol!r}: 3.1.1 and 5 are spoken")
        self._host, self._port = host, port
        self._client_id = client_id
        self._protocol = _PROTOCOLS[protocol]
        self._username, self._password = username, password
        self._tls, self._clock_trusted = tls, clock_trusted
        if tls is not None:
            client_context(tls)
        self._will = will
        self._tell_connected, self._tell_disconnected = connected, disconnected
        self._keepalive_s = keepalive_s
        self._handlers: dict[str, _Handlers] = {}
        self._connection: _Connection | None = None
        self._stopping = threading.Event()
        self._trouble = ""  # what the log was last told
        self._patience = 0  # which of PATIENCE; the one that led to a connection stays
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def subscribe(self, topic_filter: str, handler: Handler, *, kept: Handler | None = None) -> None:
        """Hand what comes on `topic_filter` to `handler(topic, payload)`; what the broker had kept (retained messages, upon
        subscribing) to `kept`, where there is one. See `subscribe_all`."""
        self.subscribe_all([topic_filter], handler, kept=kept)

    def subscribe_all(self, topic_filters: Sequence[str], handler: Handler, *, kept: Handler | None = None) -> None:
        """The same for many: from now on, and after each connection. From any thread; the link counts as connected once
        the broker has answered those of before.

        A topic that is subscribed to by its own name goes to that handler alone, else to all whose filters match it."""
        self._handlers.update(dict.fromkeys(topic_filters, (handler, kept or handler)))
        connection = self._connection
        if connection is not None:
            connection.subscribe(topic_filters)

    def unsubscribe_all(self, topic_filters: Sequence[str]) -> None:
        """Hand what comes on them to nobody any more. From any thread; what is being handed on goes on."""
        for topic_filter in topic_filters:
            self._handlers.pop(topic_filter, None)
        connection = self._connection
        if connection is not None:
            connection.unsubscribe(topic_filters)

    def start(self) -> None:
        """Begin. The broker may come later."""
        self._thread.start()

    def stop(self) -> None:
        """Let the broker have what is on its way, say goodbye, and end: within some seconds."""
        self._stopping.set()
        connection = self._connection
        if connection is not None:
            connection.finish(STOP_S)
        self._thread.join(STOP_S)
        if self._thread.is_alive():
            logger.warning("%s: the link does not end; leaving it", self._name)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        confirmed: Callable[[], None] | None = None,
    ) -> bool:
        """Send. From any thread; never blocks. False when not connected, or when too much is on its way already.

        True says nothing about arrival: not even the broker's own confirmation does. `confirmed` is called by the link's thread upon
        that; never, where the connection ends before."""
        connection = self._connection
        return connection is not None and connection.publish(
            topic, payload, qos=qos, retain=retain, confirmed=confirmed
        )

    # the thread

    @property
    def _name(self) -> str:
        return f"broker {self._host}:{self._port}"

    def _run(self) -> None:
        pause_s = PAUSE_S[0]
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                trouble = self._connect_once()
            except OSError as error:
                trouble = str(error)
            except Exception as error:  # a fault of ours or paho's: the link must not end by it
                logger.exception("%s: the link failed", self._name)
                trouble = str(error)
            self._lost(trouble)
            pause_s = PAUSE_S[0] if time.monotonic() - begun >= STEADY_S else min(2 * pause_s, PAUSE_S[1])
            self._stopping.wait(secrets.SystemRandom().uniform(pause_s / 2, pause_s))

    def _connect_once(self) -> str:
        """One connection, from its attempt to its end. Returns why it ended."""
        patience = PATIENCE[self._patience]
        connection = _Connection(
            self._client(),
            self._handlers,
            self._keepalive_s * patience.keepalives,
            client_id=self._client_id,
            connect_s=patience.connect_s,
        )
        begun = time.monotonic()
        connection.open(self._host, self._port)
        deadline = time.monotonic() + patience.ready_s
        try:
            while connection.turn():
                if connection.ready and self._connection is None:
                    if time.monotonic() - begun < PATIENCE[0].connect_s:
                        self._patience = 0  # this link needs no more
                    self._up(connection)
                elif not connection.ready and (self._stopping.is_set() or time.monotonic() >= deadline):
                    return f"no answer within {patience.ready_s:.0f} s"
        finally:
            connection.close()
        return connection.ended_because

    def _client(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=self._protocol,
            clean_session=None if self._protocol is MQTTProtocolVersion.MQTTv5 else True,
            reconnect_on_failure=False,
        )
        if self._tls is not None:
            client.tls_set_context(client_context(self._tls, check_dates=self._clock_trusted()))
        if self._username is not None:
            client.username_pw_set(self._username, self._password)
        if self._will is not None:
            topic, payload, retain = self._will()
            client.will_set(topic, payload, qos=1, retain=retain)
        return client

    def _up(self, connection: "_Connection") -> None:
        logger.info("%s: connected", self._name)
        self._trouble = ""
        self._connection = connection
        connection.subscribe(list(self._handlers))  # what came while it was being made
        if self._stopping.is_set():  # `stop` came before it could see this connection
            connection.finish(0)
        elif self._tell_connected is not None:
            self._tell_connected()

    def _lost(self, trouble: str) -> None:
        was_up, self._connection = self._connection is not None, None
        if not was_up:
            self._patience = (self._patience + 1) % len(PATIENCE)
        if not self._stopping.is_set() and (was_up or trouble != self._trouble):
            logger.warning("%s: %s: %s", self._name, "lost" if was_up else "not reached", trouble)
            self._trouble = trouble
        if was_up and self._tell_disconnected is not None:
            try:
                self._tell_disconnected()
            except Exception:
                logger.exception("%s: a callback failed", self._name)


class _Connection:
    """One connection, and what is on its way over it. All but `publish`, `subscribe`, `unsubscribe` and
    `finish` belong to the link's thread."""

    def __init__(
        self,
        client: paho.Client,
        handlers: dict[str, _Handlers],
        keepalive_s: int,
        *,
        client_id: str,
        connect_s: float,
    ) -> None:
        self._client = client
        self._id = client_id
        self._handlers = handlers
        self._keepalive_s = keepalive_s
        self._lock = threading.Lock()
        self._unconfirmed: deque[tuple[paho.MQTTMessageInfo, int]] = deque()
        self._bytes = 0
        self._awaited: list[tuple[paho.MQTTMessageInfo, Callable[[], None]]] = []
        self._subscribing: dict[int, Sequence[str]] = {}
        self._asked_for: set[str] = set()
        self._max_messages = MAX_MESSAGES
        self._ending = False
        self.ready = False  # from the last subscription on
        self.ended_because = "closed"
        self._errors = _LastError()
        # No queue behind the window: what is not taken, its owner sends again.
        client.max_queued_messages_set(MAX_MESSAGES)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.connect_timeout = connect_s
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _set_up_socket
        client.enable_logger(self._errors.logger())
        # With this set, paho leaves all writing to `loop`; else `publish` would write from whatever thread calls it.
        client.on_socket_register_write = lambda *_: None

    def open(self, host: str, port: int) -> None:
        """Connect. Raises OSError."""
        if self._client.protocol is MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it bare
            properties.MaximumPacketSize = MAX_PACKET
            self._client.connect(host, port, self._keepalive_s, clean_start=True, properties=properties)
        else:
            self._client.connect(host, port, self._keepalive_s)

    def turn(self) -> bool:
        """Read and write what there is, waiting up to a second. False when the connection has ended."""
        stands = self._client.loop(timeout=1.0) is MQTTErrorCode.MQTT_ERR_SUCCESS
        for tell in self._confirmed():
            tell()
        return stands

    def _confirmed(self) -> list[Callable[[], None]]:
        """Who is to be told; not from paho's callback, which holds a lock that `publish` takes the other way round."""
        with self._lock:  # the broker's words come by this thread: none is published between the two lines
            confirmed = [tell for sent, tell in self._awaited if sent.is_published()]
            self._awaited = [(sent, tell) for sent, tell in self._awaited if not sent.is_published()]
        return confirmed

    def subscribe(self, topic_filters: Sequence[str]) -> None:
        """Ask the broker for those of them that it was not asked for yet."""
        with self._lock:  # the answer may come before the number of the question is kept
            new = [each for each in topic_filters if each not in self._asked_for]
            self._asked_for.update(new)
            for some in _parts(new):
                _, number = self._client.subscribe([(each, 1) for each in some])
                if number is not None:
                    self._subscribing[number] = some

    def unsubscribe(self, topic_filters: Sequence[str]) -> None:
        """Ask the broker for them no more."""
        with self._lock:
            self._asked_for.difference_update(topic_filters)
            for some in _parts(topic_filters):
                self._client.unsubscribe(some)

    def close(self) -> None:
        """Close the socket without a goodbye, if it is still open: the broker sends the will."""
        self._ending = True
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        for callback in _CALLBACKS:  # else client and connection hold each other, and two more sockets, for a while
            setattr(self._client, callback, None)

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, confirmed: Callable[[], None] | None
    ) -> bool:
        """Send, if it may be."""
        with self._lock:
            while self._unconfirmed and self._unconfirmed[0][0].is_published():
                self._bytes -= self._unconfirmed.popleft()[1]
            if self._ending or not self.ready:
                return False
            if len(self._unconfirmed) >= self._max_messages or self._bytes + len(payload) > MAX_BYTES:
                return False
            sent = self._client.publish(topic, payload, qos=qos, retain=retain)
            if sent.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return False
            self._unconfirmed.append((sent, len(payload)))
            self._bytes += len(payload)
            if confirmed is not None:
                self._awaited.append((sent, confirmed))
        return True

    def finish(self, within_s: float) -> None:
        """Take nothing more, wait for what is on its way, then say goodbye: the broker forgets the will."""
        with self._lock:
            self._ending = True
            unconfirmed = list(self._unconfirmed)
        deadline = time.monotonic() + within_s
        for sent, _ in unconfirmed:
            sent.wait_for_publish(max(0.0, deadline - time.monotonic()))
        self._client.disconnect()

    # paho's callbacks; what they raise would go through `loop` and end the connection

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, granted: Any) -> None:
        if code.is_failure:
            self.ended_because = f"refused: {code}"
            return
        maximum = getattr(granted, "ReceiveMaximum", IN_FLIGHT)  # MQTT 5; paho does not look at it
        self._max_messages = MAX_MESSAGES if maximum >= IN_FLIGHT else maximum
        self.subscribe(list(self._handlers))
        self.ready = not self._subscribing

    def _on_subscribe(self, _client: Any, _data: Any, number: int, codes: list[ReasonCode], _properties: Any) -> None:
        with self._lock:
            asked = self._subscribing.pop(number, ["?"])
            self.ready = self.ready or not self._subscribing
        refused = [each for each, code in zip(asked, codes, strict=False) if code.is_failure]
        if refused:
            more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
            logger.error("the broker refuses the subscription to %s%s: check its access list", refused[0], more)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if self.ended_because == "closed":
            self.ended_because = self._errors.said or self._why(code)

    def _why(self, code: ReasonCode) -> str:
        """Why the broker ended it. MQTT 3.1.1 has no word for that, and the likeliest reason is another one of this id."""
        if str(code) in ("Unspecified error", "Session taken over"):
            return (
                f"{code}: the broker closed the connection. If this happens again and again, another program runs with the "
                f"same client id, {self._id}: only one may"
            )
        return str(code)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if len(payload) > MAX_PACKET:
            # MQTT 3.1.1 has no word for "too large": paho has taken it whole. What bounds it is the broker's own limit
            # (max_packet_size in config/mosquitto/mosquitto.conf), and 256 MB by the protocol.
            logger.warning("a message of %d bytes was dropped; at most %d are taken", len(payload), MAX_PACKET)
            return
        try:
            topic = message.topic
            for handler, kept in self._handlers_of(topic):
                (kept if message.retain else handler)(topic, payload)
        except Exception:
            logger.exception("a message could not be handled; going on")

    def _handlers_of(self, topic: str) -> Sequence[_Handlers]:
        """Nobody's, for what nobody here subscribed to: some brokers send that, too."""
        exact = self._handlers.get(topic)
        if exact is not None:
            return [exact]
        wild = [(each, both) for each, both in list(self._handlers.items()) if "+" in each or "#" in each]
        return [both for each, both in wild if paho.topic_matches_sub(each, topic)]


def _parts(topic_filters: Sequence[str]) -> Iterator[list[str]]:
    for begin in range(0, len(topic_filters), AT_ONCE):
        yield list(topic_filters[begin : begin + AT_ONCE])


class _LastError(logging.Handler):
    """The last error that paho met, which it tells its log alone: why a broker refuses a certificate, with TLS 1.3."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.said = record.getMessage()

    def logger(self) -> logging.Logger:
        """For paho; nobody else hears it."""
        logger = logging.Logger("paho", logging.ERROR)
        logger.addHandler(self)
        return logger


def _set_up_socket(_client: paho.Client, _data: Any, opened: Any) -> None:
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * UNANSWERED_S)
        # Not SO_SNDBUF: that also bounds what has been sent and is not confirmed, which on a link with a long way is all that it carries.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
