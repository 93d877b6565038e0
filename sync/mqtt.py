"""One MQTT link for either end of the road, over paho: it may lose, double and delay; whoever uses it expects that.

One thread makes the connection, runs it, and makes the next one. Every connection is a client of its own, with a clean
session and a will made anew, so that nothing waits in memory for a broker that is away, and nothing old is sent twice.
"""

import logging
import secrets
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sync.contract.topics import MAX_PACKET

logger = logging.getLogger("menshen.mqtt")
KEEPALIVE_S: Final = 15  # a silent link is given up after at most twice this
READY_S: Final = 10.0  # from the connection to the last subscription
PAUSE_S: Final = (0.25, 30.0)  # first and longest pause between connections; half of it by chance
STEADY_S: Final = 10.0  # a connection that stood so long was a good one: the next pause is the first again
STOP_S: Final = 3.0  # for what is on its way, when the link is stopped
MAX_MESSAGES: Final = 1000  # on their way to the broker, unconfirmed
IN_FLIGHT: Final = 20  # of them at the broker at once (what mosquitto grants with MQTT 5); paho keeps the others back
MAX_BYTES: Final = 4 * 1024 * 1024
SEND_BUFFER: Final = 16 * 1024  # bytes in the kernel; an alarm waits behind them
_CALLBACKS: Final = ("on_connect", "on_subscribe", "on_disconnect", "on_message", "on_socket_open")
_PROTOCOLS: Final = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}

Handler = Callable[[str, bytes], None]
Will = Callable[[], tuple[str, bytes, bool]]


class MqttLink:
    """A link that keeps itself up. Callbacks and handlers are called by its thread and must only hand on.

    `client_id` must be nobody else's at this broker. `protocol`: `3.1.1` or `5`. With `ca_file` the link is TLS and never
    anything else. `will()` gives topic, payload and whether it is retained, before every attempt. `connected` is called
    once the broker has taken all subscriptions. Raises ValueError for another protocol, OSError for a bad `ca_file`.
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
        ca_file: Path | None = None,
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
        self._tls = None if ca_file is None else _tls_context(ca_file)
        self._will = will
        self._tell_connected, self._tell_disconnected = connected, disconnected
        self._keepalive_s = keepalive_s
        self._handlers: dict[str, Handler] = {}
        self._connection: _Connection | None = None
        self._stopping = threading.Event()
        self._trouble = ""  # what the log was last told
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def subscribe(self, topic_filter: str, handler: Handler) -> None:
        """Hand what comes on `topic_filter` to `handler(topic, payload)`. Before `start`."""
        self._handlers[topic_filter] = handler

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

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Send. From any thread; never blocks. False when not connected, or when too much is on its way already.

        True says nothing about arrival: not even the broker's own confirmation does."""
        connection = self._connection
        return connection is not None and connection.publish(topic, payload, qos=qos, retain=retain)

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
        connection = _Connection(self._client(), self._handlers, self._keepalive_s)
        connection.open(self._host, self._port)
        deadline = time.monotonic() + READY_S
        try:
            while connection.turn():
                if connection.ready and self._connection is None:
                    self._up(connection)
                elif not connection.ready and (self._stopping.is_set() or time.monotonic() >= deadline):
                    return f"no answer within {READY_S:.0f} s"
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
            client.tls_set_context(self._tls)
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
        if self._stopping.is_set():  # `stop` came before it could see this connection
            connection.finish(0)
        elif self._tell_connected is not None:
            self._tell_connected()

    def _lost(self, trouble: str) -> None:
        was_up, self._connection = self._connection is not None, None
        if not self._stopping.is_set() and (was_up or trouble != self._trouble):
            logger.warning("%s: %s: %s", self._name, "lost" if was_up else "not reached", trouble)
            self._trouble = trouble
        if was_up and self._tell_disconnected is not None:
            try:
                self._tell_disconnected()
            except Exception:
                logger.exception("%s: a callback failed", self._name)


class _Connection:
    """One connection, and what is on its way over it. All but `publish` and `finish` belong to the link's thread."""

    def __init__(self, client: paho.Client, handlers: dict[str, Handler], keepalive_s: int) -> None:
        self._client = client
        self._handlers = handlers
        self._keepalive_s = keepalive_s
        self._lock = threading.Lock()
        self._unconfirmed: deque[tuple[paho.MQTTMessageInfo, int]] = deque()
        self._bytes = 0
        self._subscribing: dict[int, str] = {}
        self._max_messages = MAX_MESSAGES
        self._ending = False
        self.ready = False  # from the last subscription on
        self.ended_because = "closed"
        # No queue behind the window: what is not taken, its owner sends again.
        client.max_queued_messages_set(MAX_MESSAGES)
        client.max_inflight_messages_set(IN_FLIGHT)
        client.connect_timeout = 5.0
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = _set_up_socket
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
        return self._client.loop(timeout=1.0) is MQTTErrorCode.MQTT_ERR_SUCCESS

    def close(self) -> None:
        """Close the socket without a goodbye, if it is still open: the broker sends the will."""
        self._ending = True
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        for callback in _CALLBACKS:  # else client and connection hold each other, and two more sockets, for a while
            setattr(self._client, callback, None)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> bool:
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
        for topic_filter in self._handlers:
            _, number = self._client.subscribe(topic_filter, qos=1)
            if number is not None:
                self._subscribing[number] = topic_filter
        self.ready = not self._handlers

    def _on_subscribe(self, _client: Any, _data: Any, number: int, codes: list[ReasonCode], _properties: Any) -> None:
        topic_filter = self._subscribing.pop(number, "?")
        if any(code.is_failure for code in codes):
            logger.error("the broker refuses the subscription to %s: check its access list", topic_filter)
        self.ready = not self._subscribing

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if self.ended_because == "closed":
            self.ended_because = str(code)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if len(payload) > MAX_PACKET:
            # MQTT 3.1.1 has no word for "too large": paho has taken it whole. What bounds it is the broker's own limit
            # (max_packet_size in config/mosquitto.example.conf), and 256 MB by the protocol.
            logger.warning("a message of %d bytes was dropped; at most %d are taken", len(payload), MAX_PACKET)
            return
        try:
            topic = message.topic
            for topic_filter, handler in self._handlers.items():
                if paho.topic_matches_sub(topic_filter, topic):  # some brokers send what nobody here subscribed to
                    handler(topic, payload)
        except Exception:
            logger.exception("a message could not be handled; going on")


def _set_up_socket(_client: paho.Client, _data: Any, opened: Any) -> None:
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)


def _tls_context(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:
        raise OSError(f"{ca_file}: no certificates can be read from it: {error}; it must be a PEM file") from error
