"""From a payload to a message: everything that can be judged without the database."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from central.ingest.refusals import Refused
from central.registry.states import boot_name
from sync.contract.alarms import MOST_DEVICES, Alarm, AlarmMessage, StateMessage
from sync.contract.topics import MAX_PACKET, Channel
from sync.errors import MessageError
from sync.log.messages import Batch, Upward
from sync.log.receiver import decode_upward

INT64 = 2**63 - 1
BACKLOG: Final = 100  # records in one batch
_BOOT = re.compile(r"[0-9a-f]{32}")
_MAX_ALARMS = 256  # in one state message
_ALARM = msgspec.json.Decoder(AlarmMessage)
_STATE = msgspec.json.Decoder(StateMessage)

Message = Upward | AlarmMessage | StateMessage


@dataclass(frozen=True, slots=True)
class Arrived:
    """A payload as the broker delivered it; the gate is that of the topic."""

    gate: str
    channel: Channel
    payload: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of a gate, and the payload that it was read from. `size`: bytes of what it holds, about."""

    gate: str
    message: Message
    at: datetime
    payload: bytes = b""
    size: int = 0

    @property
    def bulk(self) -> bool:
        """Whether it is part of a backlog, from a gate that was away."""
        return isinstance(self.message, Batch) and len(self.message.records) >= BACKLOG


def read(arrived: Arrived) -> Incoming:
    """Decode and check. Raises Refused."""
    if len(arrived.payload) > MAX_PACKET:
        raise Refused(f"{len(arrived.payload)} bytes; at most {MAX_PACKET} are taken")
    message = _decode(arrived.channel, arrived.payload)
    size = len(arrived.payload)
    if isinstance(message, Batch):
        size += sum(len(record.body or b"") for record in message.records)
    return Incoming(arrived.gate, message, arrived.at, arrived.payload, size)


def _decode(channel: Channel, payload: bytes) -> Message:
    try:
        if channel is Channel.UP:
            return decode_upward(payload)
        if channel is Channel.ALARM:
            return _check_alarm_message(_ALARM.decode(payload))
        if channel is Channel.STATE:
            return _check_state(_STATE.decode(payload))
    except (MessageError, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused(f"{channel}: {error}") from error
    raise Refused(f"{channel}: not a channel that a gate writes")


def _check_alarm_message(message: AlarmMessage) -> AlarmMessage:
    _check_boot(message.boot)
    _check_alarm(message.alarm)
    _check_numbers(message.at_ms, message.mono_ms)
    return message


def _check_state(state: StateMessage) -> StateMessage:
    _check_boot(state.boot)
    _check_numbers(state.connection, state.mono_ms, state.at_ms, state.inside, state.head, state.acked)
    _check_numbers(state.directory_epoch, state.directory_version, state.directory_at_ms)
    if max(len(state.alarms), len(state.ended), len(state.devices_lost)) > _MAX_ALARMS:
        raise Refused(f"state: more than {_MAX_ALARMS} alarms or devices")
    devices = state.devices or ()
    if len(devices) > MOST_DEVICES:
        raise Refused(f"state: more than {MOST_DEVICES} devices told of")
    for device in devices:
        _check_numbers(device.valid_at_ms, device.frames, device.bad, device.noise, device.reopens)
    for alarm in state.alarms:
        _check_alarm(alarm)
    told = (word for device in devices for word in (device.name, device.state))
    words = (state.version, state.mode, state.door, state.log_id, *state.devices_lost, *told)
    if any(len(word) > 64 or not word.isprintable() for word in words):
        raise Refused("state: a word of more than 64 characters, or with control characters")
    return state


def _check_alarm(alarm: Alarm) -> None:
    _check_numbers(alarm.since_ms, alarm.count)


def _check_boot(boot: str) -> None:
    if not _BOOT.fullmatch(boot_name(boot)):
        raise Refused("its boot id is not 32 hexadecimal digits")


def _check_numbers(*numbers: int) -> None:
    if any(not -INT64 <= number <= INT64 for number in numbers):
        raise Refused("a number that no 64 bits can hold")
