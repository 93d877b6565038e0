"""The post's links: one to each broker, listening to alarm and state of the gates that are heard there. It hands on and decides
nothing; what cannot be read is dropped, counted and logged."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from gateway.post.config import PostConfig, SiteBrokerConfig
from gateway.post.core import AlarmHeard, Event, StateHeard
from gateway.post.heard import HeardMessage, HeardState
from sync.contract.topics import Channel, parse_topic, topic
from sync.mqtt import MqttLink

logger = logging.getLogger("menshen.post")
REFUSED_S: Final = 60.0  # what was refused is logged this often
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_state: Final = msgspec.json.Decoder(HeardState).decode
_alarm: Final = msgspec.json.Decoder(HeardMessage).decode


class Ears:
    """`post` must only hand on. Raises TlsFileError for certificates that cannot be used."""

    def __init__(self, config: PostConfig, post: Callable[[Event], None]) -> None:
        self._post = post
        self._refused, self._refused_told = 0, -REFUSED_S
        links = {name: _link(broker, config.post.id) for name, broker in config.brokers.items()}
        self._links: Mapping[str, MqttLink] = {gate: links[each.broker] for gate, each in config.gates.items()}
        self._all = tuple(links.values())
        for gate, link in self._links.items():
            link.subscribe(topic(gate, Channel.ALARM), self._on_alarm, kept=self._on_kept_alarm)
            link.subscribe(topic(gate, Channel.STATE), self._on_state, kept=self._on_kept_state)

    def start(self) -> None:
        """Begin. The brokers may come later."""
        for link in self._all:
            link.start()

    def stop(self) -> None:
        """End."""
        for link in self._all:
            link.stop()

    def publish(self, gate: str, where: str, payload: bytes) -> None:
        """Send to a gate, where it is heard. What is not taken, its gate will not answer, and the core sees that."""
        self._links[gate].publish(where, payload)

    def _on_state(self, where: str, payload: bytes) -> None:
        self._hand_on(where, payload, _state, StateHeard)

    def _on_kept_state(self, where: str, payload: bytes) -> None:
        self._hand_on(where, payload, _state, lambda gate, state: StateHeard(gate, state, kept=True))

    def _on_alarm(self, where: str, payload: bytes) -> None:
        self._hand_on(where, payload, _alarm, AlarmHeard)

    def _on_kept_alarm(self, where: str, _payload: bytes) -> None:
        self._refuse(where, "an alarm that the broker had kept: none is meant for later")

    def _hand_on(
        self, where: str, payload: bytes, decode: Callable[[bytes], Any], event: Callable[[str, Any], Event]
    ) -> None:
        address = parse_topic(where)
        if address is None:
            return
        try:
            message = decode(payload)
        except _UNREADABLE as error:
            self._refuse(where, str(error))
        else:
            self._post(event(address.gate, message))

    def _refuse(self, where: str, why: str) -> None:
        """From several links' threads: a count that is wrong by one does no harm."""
        self._refused += 1
        if (now := time.monotonic()) >= self._refused_told + REFUSED_S:
            logger.warning("%d message(s) of gates refused; the last, on %s: %s", self._refused, where, why)
            self._refused, self._refused_told = 0, now


def _link(broker: SiteBrokerConfig, name: str) -> MqttLink:
    return MqttLink(
        broker.host,
        broker.tcp_port,
        client_id=name,
        protocol=broker.protocol,
        username=broker.username,
        password=broker.password,
        tls=broker.tls,
    )
