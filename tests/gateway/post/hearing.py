"""A gate's messages as a post hears them: over the wire."""

import msgspec

from gateway.post.heard import HeardMessage, HeardState
from sync.contract.alarms import AlarmMessage, StateMessage


def heard_state(state: StateMessage) -> HeardState:
    """A state."""
    return msgspec.json.decode(msgspec.json.encode(state), type=HeardState)


def heard_alarm(message: AlarmMessage) -> HeardMessage:
    """What happened to an alarm."""
    return msgspec.json.decode(msgspec.json.encode(message), type=HeardMessage)
