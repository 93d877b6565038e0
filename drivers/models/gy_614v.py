"""Infrared thermometer GY-614V."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.protocols.stillness import FINE
from drivers.settings import PortSettings
from drivers.signs import Sign, framed
from drivers.wiring import BY_ID, NOT_STATED, UART, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


def _link(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.gy_614v import Gy614vLink

    return Gy614vLink


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.thermometer import InstrumentLine
    from drivers.simulators.thermometer_models import Gy614vModel

    return InstrumentLine(name, Gy614vModel(setup, **setup.chosen(rate=True, stream=True)))


def _sign() -> Sign:
    """Any rate, binary or text, streaming or not: its registers are read, in the form of its stream."""
    from drivers.protocols.gy_614v import READ_ALL, Gy614vLink

    return framed(Gy614vLink, questions=(READ_ALL,), apart_ms=1_100)


GY_614V: Final = on_port(
    name="gy-614v",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer GY-614V: posts Temperature with the module's own body value, 10 a second",
    unit="°C, in hundredths",
    source="hardware notes 1.3; wap.szlitus.com/products/show-4084",
    about="An infrared thermometer GY-614V on a serial port. People are measured by its own body value; its rate is found out.",
    link=_link,
    simulator=_simulator,
    sign=_sign,
    still=FINE,
    wiring=Wiring(
        summary="UART (4 wires), PS left open; 3 to 5 V: see the part",
        joins={**UART, "PS": "left open: joined to GND, it selects I²C, which is not supported"},
        power=f"3 to 5 V, as is printed on the part; {NOT_STATED}",
        level=Level.EITHER,
        example={"port": BY_ID},
        use="thermometer",
        notes=("Eight rates are tried: until it is found, 7 s may go by. Nothing is saved in it.",),
        source="hardware notes 1.3; wap.szlitus.com/products/show-4084; supply and the open pad are general knowledge",
    ),
)
