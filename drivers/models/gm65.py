"""Code scanner modules GM60, GM65, GM66, GM805 and GM861."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.settings import PortSettings
from drivers.signs import Packeted, Sign
from drivers.wiring import BY_ID, UART, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


def _link(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.gm65 import Gm65Link

    return Gm65Link


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.code_scanner import Gm65Model, SimulatedGm65

    return SimulatedGm65(name, Gm65Model(**setup.chosen(rate=True, stream=False)))


def _takes(content: str) -> None:
    from drivers.protocols.gm65 import encode_code

    encode_code(content.encode())


def _sign() -> Sign:
    """Asked for its rate."""
    from drivers.protocols.gm65 import MODULE_PACKET, Gm65Link, Reply, Zone, ask
    from drivers.protocols.gm65 import Command as Asks

    def is_rate(message: Reply | bytes | None) -> bool:
        return isinstance(message, Reply) and message.status == 0 and len(message.data) == 2

    return Sign(
        bauds=Gm65Link.bauds,
        ear=lambda: Packeted(MODULE_PACKET, is_rate),
        questions=(ask(Asks.READ, Zone.BAUD, b"\x02"),),
    )


GM65: Final = on_port(
    name="gm65",
    kind=Kind.CODE_SCANNER,
    what="Code scanner module GM60, GM65, GM66, GM805 or GM861: posts CodeRead, once for a code that is held up",
    unit="the bytes of a code",
    source="hardware notes 2.1; Tasmota xsns_107_gm861; DFRobot DFR0660",
    about="A code scanner module GM60, GM65, GM66, GM805 or GM861 on a serial port. Reads QR and bar codes; its rate is found out, and it is set up at start: set-up codes closed, each code framed.",
    twin_about="A code scanner module that is a model of one: it reads what is held up.",
    link=_link,
    simulator=_simulator,
    twin_takes=_takes,
    sign=_sign,
    wiring=Wiring(
        summary="UART (4 wires), 5 V supply, 3.3 V lines",
        joins={**UART, "VCC": "5 V (pin 2 or 4)"},
        power="4.2 to 6 V, 160 mA: from the Pi's 5 V, or USB",
        level=Level.SAFE,
        example={"port": BY_ID},
        use="entry-camera",
        notes=(
            "By its own USB socket it may type as a keyboard: then it is a hid-scanner until it is set to a serial port.",
            "At start its set-up codes are closed, so that nobody reprograms it by showing it a page of its manual.",
        ),
        source="hardware notes 2.1; DFRobot DFR0660 datasheet",
    ),
)
