"""A gate's retained state: which message is news, and what it changes."""

from datetime import datetime
from typing import Final

from msgspec import UNSET

from central.registry.models import KNOWN_BOOTS, Gate
from sync.contract.alarms import StateMessage

CLONE_TIMES: Final = 3  # so often within `CLONE_S` a boot that was superseded must speak: one message may come late
CLONE_S: Final = 3600
SILENT_S: Final = 90  # of a gate that tells its state every 10 s,
GONE_S: Final = 25  # and of one that has said that it goes


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
    if not state.online and not state.log_id:
        return _take_will(gate, state, boot)
    if boot != gate.boot:
        gate.earlier_boots = [*gate.earlier_boots, gate.boot][-KNOWN_BOOTS:] if gate.boot else []
    if boot != gate.boot or state.mono_ms > gate.mono_ms:
        gate.state_at = now
        # A retained message delivered once more is no sign of life, nor is a goodbye that the broker kept.
        gate.last_heard = now if state.online else gate.last_heard
    gate.boot = boot
    gate.said_online = state.online
    _copy(gate, state)
    gate.save()
    return True


def is_cloned(gate: Gate, state: StateMessage, now: datetime) -> bool:
    """Whether this state, which is of an earlier boot, shows that two machines run as this gate; keeps count of it. A machine that
    starts again has a boot that nobody has heard of."""
    if not state.online or boot_name(state.boot) not in gate.earlier_boots:
        return False
    now_s = int(now.timestamp())
    recent = [[mono_ms, at_s] for mono_ms, at_s in gate.came_back if now_s - at_s < CLONE_S]
    if state.mono_ms not in (mono_ms for mono_ms, _ in recent):  # a kept message delivered once more is no sign of life
        recent.append([state.mono_ms, now_s])
    gate.came_back = recent[-CLONE_TIMES:]
    gate.save(update_fields=["came_back"])
    return len(gate.came_back) >= CLONE_TIMES


def take_back(gate: Gate, state: StateMessage, now: datetime) -> bool:
    """Of two machines that ran as this gate (`is_cloned`), one has been silent for long: the state of the other counts again. Returns
    whether it was taken."""
    silent_s = SILENT_S if gate.said_online else GONE_S
    if gate.state_at is not None and (now - gate.state_at).total_seconds() < silent_s:
        return False
    boot = boot_name(state.boot)
    gate.earlier_boots = [*(each for each in gate.earlier_boots if each != boot), gate.boot][-KNOWN_BOOTS:]
    gate.boot, gate.connection, gate.mono_ms, gate.came_back = boot, 0, 0, []
    return take_state(gate, state, now)


def _is_older(gate: Gate, state: StateMessage) -> bool:
    if not state.online:
        return state.connection < gate.connection
    if not gate.said_online and state.connection <= gate.connection:
        return True  # that connection has ended: what it still brings is late
    return state.connection <= gate.connection and state.mono_ms < gate.mono_ms


def _take_will(gate: Gate, state: StateMessage, boot: str) -> bool:
    # The will was made when its connection was: it says "gone" and nothing else (a goodbye is a whole state). That of another boot
    # is of no connection the office knows.
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
    gate.drill = state.drill
    gate.door = state.door[:32]
    gate.inside = state.inside
    gate.log_id = state.log_id
    gate.head = state.head
    gate.acked = min(state.acked, state.head)
    gate.directory_epoch = state.directory_epoch
    gate.directory_version = state.directory_version
    gate.directory_at_ms = state.directory_at_ms
    gate.devices_lost = list(state.devices_lost)
    if state.devices is not UNSET:
        gate.devices = [
            {field: getattr(device, field) for field in device.__struct_fields__} for device in state.devices
        ]
