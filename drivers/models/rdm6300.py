"""Card readers RDM6300 and ID-12LA or ID-20LA, for EM4100 cards of 125 kHz."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.settings import PortSettings
from drivers.signs import Sign, framed
from drivers.wiring import BY_ID, PI_UART, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


def _link(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.rdm6300 import Rdm6300Link

    return Rdm6300Link


def _link_id12(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.rdm6300 import Id12Link

    return Id12Link


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.card_reader import SimulatedCardReader

    return SimulatedCardReader(name, **setup.chosen(rate=False, stream=False))


def _simulator_id12(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.card_reader import SimulatedId12

    return SimulatedId12(name, **setup.chosen(rate=False, stream=False))


def _takes(uid: str) -> None:
    from drivers.protocols.rdm6300 import encode

    encode(uid)


def _sign() -> Sign:
    """Says nothing without a card."""
    from drivers.protocols.rdm6300 import Rdm6300Link

    return framed(Rdm6300Link, shows="a card")


def _sign_id12() -> Sign:
    """Says nothing without a card."""
    from drivers.protocols.rdm6300 import Id12Link

    return framed(Id12Link, shows="a card")


RDM6300: Final = on_port(
    name="rdm6300",
    kind=Kind.CARD_READER,
    what="Card reader RDM6300 for EM4100 cards of 125 kHz: posts CardRead, once for a card that lies there",
    unit="a card's number, 10 hexadecimal digits",
    source="hardware notes 3; ESPHome rdm6300.cpp",
    about="A card reader RDM6300 for EM4100 cards (125 kHz) on a serial port. Reads the card's number; 9600 baud.",
    twin_about="A card reader that is a model of one.",
    link=_link,
    simulator=_simulator,
    twin_takes=_takes,
    sign=_sign,
    wiring=Wiring(
        summary="UART (TX alone), 5 V, its TX through a divider",
        joins={
            "P1 1 TX": "RXD, GPIO 15 (pin 10), through a divider; or RX of a USB adapter",
            "P1 2 RX": "not connected",
            "P1 4 GND": "GND (pin 6)",
            "P1 5 +5V": "5 V (pin 2 or 4)",
            "P2": "its coil",
        },
        power="5 V, below 50 mA (the module's datasheet, general knowledge)",
        level=Level.FIVE,
        example={"port": BY_ID},
        use="entry-reader",
        notes=("It says nothing without a card: to try it, hold one before its coil.",),
        source="hardware notes 3; the numbers of its pins are general knowledge",
    ),
)

ID12: Final = on_port(
    name="id-12",
    kind=Kind.CARD_READER,
    what="Card reader ID-12LA or ID-20LA for EM4100 cards of 125 kHz: posts CardRead, once for a card that lies there",
    unit="a card's number, 10 hexadecimal digits",
    source="hardware notes 3; ID-12LA datasheet",
    about="A card reader ID-12LA or ID-20LA for EM4100 cards (125 kHz) on a serial port. Reads the card's number; 9600 baud.",
    twin_about="A card reader ID-12LA that is a model of one.",
    link=_link_id12,
    simulator=_simulator_id12,
    twin_takes=_takes,
    sign=_sign_id12,
    wiring=Wiring(
        summary="UART (D0 alone), 2.8 to 5 V, format ASCII",
        joins={
            "1 GND": "GND (pin 6)",
            "2 RST": "3.3 V",
            "7 FORMAT": "GND: ASCII, which is the only form that is read",
            "9 D0": "RXD, GPIO 15 (pin 10), or RX of a USB adapter",
            "11 VCC": "3.3 V (pin 1)",
        },
        power="2.8 to 5 V, about 45 mA (its datasheet, general knowledge)",
        level=Level.EITHER,
        example={"port": PI_UART},
        use="entry-reader",
        notes=("It says nothing without a card, and a card once.",),
        source="hardware notes 3 (the same as RDM6300, general knowledge); ID-12LA datasheet",
    ),
)
