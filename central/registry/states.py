"""A gate's retained state: which message is news, and what it changes."""

from datetime import datetime

from central.registry.models import KNOWN_BOOTS, Gate
from sync.contract.alarms import StateMessage


def boot_name(boot: str | bytes) -> str:
    """A boot id in one spelling, whether it came as 16 bytes, as hexadecimal or with dashes."""
    text = boot.hex() if isinstance(boot, bytes) else boot
    return text.replace("-", "").lower()[:36]


def take_state(gate: Gate, state: StateMessage, now: datetime) -> bool:
    """Bring `gate` up to `state` and save it. Returns False, and changes nothing, for a message older than what the
    office has: of an earlier boot, or older both by connection and by the time since boot."""
    boot = boot_name(state.boot)
    if boot in gate.earlier_boots:
        return False
    if boot == gate.boot and _is_older(gate, state):
        return False
    if not state.online:
        return _take_will(gate, state, boot)
    if boot != gate.boot:
        gate.earlier_boots = [*gate.earlier_boots, gate.boot][-KNOWN_BOOTS:] if gate.boot else []
    if boot != gate.boot or state.mono_ms > gate.mono_ms:
        gate.last_heard = gate.state_at = now  # a retained message delivered once more is no sign of life
    gate.boot = boot
    gate.said_online = True
    _copy(gate, state)
    gate.save()
    return True


def _is_older(gate: Gate, state: StateMessage) -> bool:
    if not state.online:
        return state.connection < gate.connection
    if not gate.said_online and state.connection <= gate.connection:
        return True  # that connection has ended: what it still brings is late
    return state.connection <= gate.connection and state.mono_ms < gate.mono_ms


def _take_will(gate: Gate, state: StateMessage, boot: str) -> bool:
    # The will was made when its connection was: it says "gone" and nothing else. That of another boot is of no
    # connection the office knows.
    if boot != gate.boot or not gate.said_online:
        return False
    gate.said_online = False
    gate.connection = state.connection
    gate.save(update_fields=["said_online", "connection"])
    return True


def _copy(gate: Gate, state: StateMessage) -> None:
    gate.connection = state.connection
    gate.mono_ms = state.mono_ms
    gate.at_ms = state.at_ms
    gate.clock_trusted = state.clock_trusted
    gate.version = state.version[:32]
    gate.mode = state.mode[:32]
    gate.door = state.door[:32]
    gate.inside = state.inside
    gate.log_id = state.log_id
    gate.head = state.head
    gate.acked = state.acked
    gate.devices_lost = list(state.devices_lost)
