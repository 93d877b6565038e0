"""One thing that is connected."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What it is."""

    SERIAL = "serial port"
    CAMERA = "camera"
    SOUND = "sound card"
    GPIO = "GPIO chip"
    I2C = "I²C bus"
    INPUT = "input device"


@dataclass(frozen=True, slots=True)
class Row:
    """`value`: what a device's section takes, "" where nothing of this version can use it; `key`: under which key; `seems`: what
    it seems to be; `names`: what else it is called; `note`: what to see to; `addresses`: of a bus that was asked, who answers."""

    kind: Kind
    key: str
    value: str
    seems: str
    names: tuple[str, ...] = ()
    note: str = ""
    addresses: tuple[int, ...] | None = None
