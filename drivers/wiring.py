"""How a model is connected: what `docs/hardware.md` is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


class Level:
    """What the device's lines carry, against the 3.3 V that a pin of the Pi bears."""

    SAFE: Final = "3.3 V: straight to the Pi"
    FIVE: Final = "5 V on its TX: through a divider (1 kΩ and 2 kΩ) or a level shifter, or a pin of the Pi is lost"
    EITHER: Final = "as its supply: 3.3 V straight to the Pi; 5 V only through a divider or a level shifter"
    USB: Final = "USB: nothing to see to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """`summary`: one line; `joins`: the device's pins, and where each goes; `power`: supply and current; `level`: see Level;
    `example`: its keys in a gate's file, as TOML; `source`: where these facts are from, or that nothing was found."""

    summary: str
    joins: Mapping[str, str]
    power: str
    level: str
    example: Mapping[str, str]
    source: str
    use: str
    notes: tuple[str, ...] = ()


UART: Final[Mapping[str, str]] = {
    "VCC": "5 V (pin 2 or 4) or 3.3 V (pin 1), see Power",
    "GND": "GND (pin 6)",
    "TX": "RXD, GPIO 15 (pin 10), or RX of a USB adapter",
    "RX": "TXD, GPIO 14 (pin 8), or TX of a USB adapter",
}
BY_ID: Final = '"/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"'
PI_UART: Final = '"/dev/serial0"'
NOT_STATED: Final = "its current is not stated in the sources"
