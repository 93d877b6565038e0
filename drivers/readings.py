"""What drivers post: frozen readings, with their unit in the name."""

from dataclasses import dataclass, field
from enum import StrEnum


class DeviceState(StrEnum):
    """Where a device stands. `stale`: it is open, but nothing valid has come for its stale time."""

    STARTING = "starting"
    OK = "ok"
    STALE = "stale"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Temperature:
    """One frame of an infrared thermometer, °C: `object_c` what it looks at; `ambient_c` its own sensor, None where it does
    not tell; `body_c` what the module itself makes of a forehead, None where it does not, or where that is no skin."""

    object_c: float
    ambient_c: float | None
    body_c: float | None = None

    @property
    def measured_c(self) -> float:
        """What the person is measured by: the module's own body value, which its maker calibrated, else the object."""
        return self.object_c if self.body_c is None else self.body_c


@dataclass(frozen=True, slots=True)
class CardRead:
    """A card came into the field. `uid`: upper-case hexadecimal; `technology`: such as `em4100`; `facts`: what else stands
    on it and may leave the driver, by the device's settings: name and value. They are kept out of every text."""

    uid: str
    technology: str
    facts: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class CodeRead:
    """A code came into view. `data`: exactly the bytes that were encoded; `text`: them as UTF-8, or "" if they are not;
    `decoder`: which decoder read it."""

    data: bytes
    text: str
    symbology: str
    decoder: str


class Hint(StrEnum):
    """What whoever holds a code up should do."""

    CLOSER = "closer"
    HOLD_STILL = "hold-still"


@dataclass(frozen=True, slots=True)
class CodeHint:
    """Something looks like a code and can't be read: what is wrong."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class CardUnread:
    """A card came into the field and is none that can be believed: why, which says nothing of the card."""

    why: str


@dataclass(frozen=True, slots=True)
class Level:
    """A debounced input changed: `active` in the sense of its configuration (contact open, button pressed …)."""

    active: bool


@dataclass(frozen=True, slots=True)
class Crossed:
    """Somebody went through a passage, inwards or outwards."""

    inward: bool


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The device's state changed; `detail` names the cause in words."""

    state: DeviceState
    detail: str = ""


Reading = Temperature | CardRead | CardUnread | CodeRead | CodeHint | Level | Crossed | DeviceStatus
