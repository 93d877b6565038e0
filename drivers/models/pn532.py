"""Card reader PN532, for cards of 13.56 MHz."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.settings import PortSettings
from drivers.signs import Packeted, Sign
from drivers.wiring import BY_ID, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


def _link(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.pn532 import Pn532Link

    return Pn532Link


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.pn532 import SimulatedPn532

    return SimulatedPn532(name, **setup.chosen(rate=False, stream=False))


def _takes(uid: str) -> None:
    from drivers.protocols.pn532 import encode_targets

    encode_targets((uid,))


def _sign() -> Sign:
    """Woken, and asked for its version."""
    from drivers.protocols.pn532 import CHIP, HOST, PACKET, WAKE, Body, Command, Pn532Link, encode

    def is_version(body: Body | None) -> bool:
        return body is not None and (body.sender, body.code, body.data[:1]) == (CHIP, Command.VERSION + 1, b"\x32")

    return Sign(
        bauds=Pn532Link.bauds,
        ear=lambda: Packeted(PACKET, is_version),
        questions=(WAKE + encode(HOST, Command.VERSION),),
    )


PN532: Final = on_port(
    name="pn532",
    kind=Kind.CARD_READER,
    what="Card reader PN532 for cards of 13.56 MHz: posts CardRead, once for a card that lies there",
    unit="a card's UID, 8, 14 or 20 hexadecimal digits",
    source="hardware notes 3; NXP UM0701-02",
    about="A card reader PN532 for cards of 13.56 MHz (ISO 14443 A) on a serial port, its switches set to HSU. Reads the card's UID, which can be copied; 115200 baud.",
    twin_about="A card reader PN532 that is a model of one.",
    link=_link,
    simulator=_simulator,
    twin_takes=_takes,
    sign=_sign,
    wiring=Wiring(
        summary="UART, switches set to HSU, 3.3 V lines",
        joins={
            "VCC": "5 V (pin 2 or 4), or 3.3 V where the board has no regulator",
            "GND": "GND (pin 6)",
            "SDA/TXD": "RXD, GPIO 15 (pin 10), or RX of a USB adapter",
            "SCL/RXD": "TXD, GPIO 14 (pin 8), or TX of a USB adapter",
        },
        power="3.3 to 5 V, up to 150 mA while it searches (general knowledge)",
        level=Level.SAFE,
        example={"port": BY_ID},
        use="entry-reader",
        notes=(
            "Both switches of the board to 0 (HSU), before it is powered.",
            "A UID can be copied onto another card.",
        ),
        source="hardware notes 3; NXP UM0701-02; switches and supply are general knowledge",
    ),
)
