"""One command on its way: made for the boot and moment that the gate's last state tells, sent once, and its answer waited for.

What of the gate's clock is known is a lower bound: its state was made before it came. So a command may be late at the gate,
but is never good there after the office has given it up.
"""

import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.broker_options import Broker
from central.orders.book import settle
from central.orders.models import Order, Outcome
from central.registry.models import Gate
from central.registry.states import boot_name
from central.text import harmless
from sync.contract.alarms import Answer, StateMessage
from sync.contract.commands import LIFE_MS, Command, action_of, seal_command
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink

CONNECT_S: Final = 5.0
STATE_S: Final = 2.0  # a retained state comes upon subscribing
STATES_EVERY: Final = timedelta(seconds=10)  # that a connected gate sends: its retained one is no older


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted. `make` makes the command of it, given what all commands say; `target` and `note` as they are written
    down."""

    make: Callable[[Mapping[str, Any]], Command]
    target: str = ""
    note: str = ""

    def command(self, gate: Gate, user: User, name: str, boot: str = "0" * 32, not_after_mono: int = 0) -> Command:
        """The command with this id."""
        who = {"gate": gate.pk, "by": user.get_username()}
        return self.make({**who, "id": name, "boot": boot, "not_after_mono": not_after_mono})


@dataclass(frozen=True, slots=True)
class _Heard:
    state: StateMessage
    at_s: float  # on this machine's monotonic clock


class _Ear:
    """What the gate says of itself, from the link's thread to the one that waits."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[_Heard] = queue.SimpleQueue()

    def hear(self, _topic: str, payload: bytes) -> None:
        """Take a state; what is none is passed over, as ingest counts it."""
        try:
            state = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        self._heard.put(_Heard(state, time.monotonic()))

    def within(self, seconds: float) -> Iterator[_Heard]:
        """What is heard in this time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                yield self._heard.get(timeout=left)
            except queue.Empty:
                return


_decode = msgspec.json.Decoder(StateMessage).decode


def send(broker: Broker, gate: Gate, user: User, wish: Wish, key: Ed25519PrivateKey, name: str | None = None) -> Order:
    """Send it, and wait up to 5 s for the answer; blocks. Returns what became of it, as it is written down. `name`: the
    command's id, where one was given out before; 32 random hexadecimal digits.

    Raises NoCommand for what no gate would take, TlsFileError for certificates that cannot be used, IntegrityError for
    a `name` that was sent already: then nothing was ordered."""
    name = name or secrets.token_hex(16)
    wanted = wish.command(gate, user, name)
    seal_command(wanted, key)
    ear, up = _Ear(), threading.Event()
    link = MqttLink(
        broker.host,
        broker.port,
        client_id=f"menshen-command-{secrets.token_hex(4)}",
        username=broker.username,
        password=broker.password,
        tls=broker.tls,
        connected=up.set,
    )
    link.subscribe(topic(gate.pk, Channel.STATE), ear.hear)
    order = Order.objects.create(
        pk=name,
        gate=gate,
        by=user,
        action=action_of(wanted),
        target=harmless(wish.target, 64),
        note=harmless(wish.note, 500),
        ordered_at=office_now(),
    )
    link.start()
    try:
        outcome, reason = _deliver(link, up, ear, order, wish, key)
    finally:
        link.stop()
    settle(order, outcome, reason, office_now())
    return order


def _deliver(
    link: MqttLink, up: threading.Event, ear: _Ear, order: Order, wish: Wish, key: Ed25519PrivateKey
) -> tuple[Outcome, str]:
    if not up.wait(CONNECT_S):
        return Outcome.NOT_DELIVERED, "broker-not-reached"
    heard = next(ear.within(STATE_S), None)
    if heard is None or not heard.state.online:
        return Outcome.NOT_DELIVERED, "gate-offline"
    gate = order.gate
    gate.refresh_from_db()
    order.boot = heard.state.boot
    order.not_after_mono = LIFE_MS + gate_clock_ms(heard.state, time.monotonic() - heard.at_s, gate, office_now())
    order.save(update_fields=["boot", "not_after_mono"])
    sealed = seal_command(wish.command(gate, order.by, order.pk, order.boot, order.not_after_mono), key)
    if not link.publish(topic(gate.pk, Channel.CMD), sealed):
        return Outcome.NOT_DELIVERED, "broker-not-reached"
    for later in ear.within(LIFE_MS / 1000):
        answer = _answer(later.state, order.pk)
        if answer is not None:
            return Outcome(answer.outcome.value), answer.reason
    return Outcome.NOT_DELIVERED, "no-answer-from-gate"


def _answer(state: StateMessage, name: str) -> Answer | None:
    return next((answer for answer in state.commands if answer.id == name), None)


def gate_clock_ms(state: StateMessage, age_s: float, gate: Gate, now: datetime) -> int:
    """The least that the gate's clock shows now, in ms since its boot: by the state heard `age_s` ago, which the broker may
    have kept for a while, or by the one that ingest took when it came."""
    by_this = state.mono_ms + _ms(timedelta(seconds=age_s))
    if gate.state_at is None or gate.boot != boot_name(state.boot):
        return by_this
    by_ingest = gate.mono_ms + _ms(now - gate.state_at)
    # no more than a kept state can be old, whatever has become of the office's clock in between
    return max(by_this, min(by_ingest, by_this + _ms(STATES_EVERY)))


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
