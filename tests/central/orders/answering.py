"""Somebody at the broker who answers commands as a gate would."""

import threading

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.broker_options import Broker
from sync.contract.alarms import Answer, CommandOutcome, StateMessage
from sync.contract.commands import Command, unseal_command
from sync.contract.topics import Channel, topic
from sync.mqtt import MqttLink
from tests.central.ingest.sending import NORTH

WAIT_S = 15.0
BOOT = "1a" * 16
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
EXECUTED = Answer(id="", outcome=CommandOutcome.EXECUTED)
LOCKED = Answer(id="", outcome=CommandOutcome.REFUSED, reason="lockdown")


class AtGate:
    """Answers each command, as the gate's state would. `answer` None: it does not."""

    def __init__(self, port: int, answer: Answer | None, *, online: bool = True) -> None:
        self.commands: list[Command] = []
        self._answer = answer
        self._online = online
        self._up = threading.Event()
        self.link = MqttLink("127.0.0.1", port, client_id=NORTH, connected=self._up.set)
        self.link.subscribe(topic(NORTH, Channel.CMD), self._hear)
        self.link.start()
        assert self._up.wait(WAIT_S)
        self._say(())

    def _hear(self, _topic: str, payload: bytes) -> None:
        command = unseal_command(payload, [KEY.public_key()])
        self.commands.append(command)
        self.link.publish(topic(NORTH, Channel.STATE), b"\xff no state at all")
        others = Answer(id="f" * 32, outcome=CommandOutcome.EXECUTED)
        mine = () if self._answer is None else (msgspec.structs.replace(self._answer, id=command.id),)
        self._say((others, *mine))

    def _say(self, answers: tuple[Answer, ...]) -> None:
        state = StateMessage(online=self._online, boot=BOOT, connection=1, mono_ms=90_000, commands=answers)
        self.link.publish(topic(NORTH, Channel.STATE), msgspec.json.encode(state), retain=True)


def at(port: int) -> Broker:
    """A broker on this machine."""
    return Broker(host="127.0.0.1", port=port, tls=None, username=None, password=None)
