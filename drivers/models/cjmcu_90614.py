"""Infrared thermometer CJMCU-90614."""

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
    from drivers.protocols.cjmcu_90614 import Cjmcu90614Link

    return Cjmcu90614Link


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.thermometer import InstrumentLine
    from drivers.simulators.thermometer_models import Cjmcu90614Model

    return InstrumentLine(name, Cjmcu90614Model(setup, **setup.chosen(rate=True, stream=True)))


def _sign() -> Sign:
    """Streaming or not: asked for one reading."""
    from drivers.protocols.cjmcu_90614 import Cjmcu90614Link, Command, command

    return framed(Cjmcu90614Link, questions=(command(Command.ONCE),))


CJMCU_90614: Final = on_port(
    name="cjmcu-90614",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer CJMCU-90614: posts Temperature",
    unit="°C, resolution 0.02, ±0.5",
    source="hardware notes 1.2; electronicpro.co.za; newegg.ca 3D0-0039-001C4",
    about="An infrared thermometer CJMCU-90614 on a serial port. Its rate is found out.",
    link=_link,
    simulator=_simulator,
    sign=_sign,
    still=FINE,
    wiring=Wiring(
        summary="UART (4 wires), 3.3 or 5 V: see the part",
        joins=UART,
        power=f"3.3 V or 5 V, as is printed on the part; {NOT_STATED}",
        level=Level.EITHER,
        example={"port": BY_ID},
        use="thermometer",
        notes=(
            "Its cone is wide (distance to spot 1.6 to 1): a forehead is held close, or the room is measured with it.",
        ),
        source="hardware notes 1.2; the supply is general knowledge",
    ),
)
