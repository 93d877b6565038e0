"""MQTT topics: `menshen/1/<gate>/…`. The office takes the gate's id from the topic, never from a payload.

`up`, `alarm` and `state` are written by the gate; `down`, `cmd` and `post` are read by it.
"""

import re
from enum import StrEnum
from typing import NamedTuple

PREFIX = "menshen/1"
GATE_ID = re.compile(r"[a-z0-9-]{1,32}")
MAX_PACKET = 256 * 1024  # bytes of one MQTT payload, either way


class Channel(StrEnum):
    """The last part of a topic."""

    UP = "up"
    ALARM = "alarm"
    STATE = "state"
    DOWN = "down"
    CMD = "cmd"
    POST = "post"


class Address(NamedTuple):
    """A topic taken apart."""

    gate: str
    channel: Channel


def topic(gate: str, channel: Channel) -> str:
    """The topic of one gate's channel. Raises ValueError for an impossible gate id."""
    if not GATE_ID.fullmatch(gate):
        raise ValueError(f"gate id {gate!r}: 1 to 32 of a-z, 0-9 and '-' are allowed")
    return f"{PREFIX}/{gate}/{channel}"


def parse_topic(text: str) -> Address | None:
    """The gate and channel of a topic, or None when it is not one of ours."""
    prefix, _, rest = text.partition(f"{PREFIX}/")
    gate, _, channel = rest.partition("/")
    if prefix or not GATE_ID.fullmatch(gate) or channel not in set(Channel):
        return None
    return Address(gate, Channel(channel))
