"""The durable part of the machines' state: small JSON values by key, written with the record that changed them."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from gateway.core.effects import StateChange
from gateway.errors import GatewayError

Value = TypeVar("Value")
_encode = msgspec.json.Encoder(order="deterministic").encode


class StateError(GatewayError):
    """A value of the durable state that this version cannot read: which key, and what is wrong with it."""


def read(state: Mapping[str, bytes], key: str, kind: type[Value], otherwise: Value) -> Value:
    """The value of `key`, or `otherwise` when there is none. Raises StateError."""
    return decode(key, state[key], kind) if key in state else otherwise


def decode(key: str, value: bytes, kind: type[Value]) -> Value:
    """A value as `kind`. Raises StateError."""
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.DecodeError as error:
        raise StateError(
            f"durable state {key!r}: {error}; it was written by another version: start that one, or a new journal"
        ) from error


def encode(value: object) -> bytes:
    """A value as it is kept; equal values give equal bytes."""
    return _encode(value)


def differences(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[StateChange, ...]:
    """What to write so that `before` becomes `after`."""
    gone = tuple(StateChange(key, None) for key in sorted(before.keys() - after.keys()))
    changed = sorted(after.items() - before.items())
    return gone + tuple(StateChange(key, value) for key, value in changed)
