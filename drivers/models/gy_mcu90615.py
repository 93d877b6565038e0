"""Infrared thermometers GY-MCU90615 and GY-MCU90614, which speak alike."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.protocols.stillness import FINE
from drivers.settings import PortSettings
from drivers.signs import Sign, framed
from drivers.wiring import BY_ID, UART, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


def _link(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.gy_mcu90615 import GyMcu90615Link

    return GyMcu90615Link


def _link_90614(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.gy_mcu90615 import GyMcu90614Link

    return GyMcu90614Link


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.thermometer import InstrumentLine, ThermometerModel

    return InstrumentLine(name, ThermometerModel(setup, **setup.chosen(rate=True, stream=True)))


def _sign() -> Sign:
    """Either rate, streaming or not: asked for one reading."""
    from drivers.protocols.gy_mcu90615 import Command, GyMcu90615Link, command

    return framed(GyMcu90615Link, questions=(command(Command.ONCE),))


def _sign_90614() -> Sign:
    """As gy-mcu90615: they speak alike."""
    from drivers.protocols.gy_mcu90615 import Command, GyMcu90614Link, command

    return framed(GyMcu90614Link, questions=(command(Command.ONCE),))


GY_MCU90615: Final = on_port(
    name="gy-mcu90615",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer GY-MCU90615: posts Temperature, about 10 a second",
    unit="°C, resolution 0.02, ±0.5",
    source="hardware notes 1.1; as99shop.com/product/363",
    about="An infrared thermometer GY-MCU90615 or GY-MCU90614 on a serial port. Measures °C; 9600 or 115200 baud is found out.",
    twin_about="A thermometer that is a model of one: it sees foreheads come near, drifts while it warms up, and is a little noisy.",
    link=_link,
    simulator=_simulator,
    sign=_sign,
    still=FINE,
    wiring=Wiring(
        summary="UART (4 wires), 3 to 5 V",
        joins=UART,
        power="3 to 5 V, 5 mA; from 3.3 V its lines are the Pi's",
        level=Level.EITHER,
        example={"port": BY_ID},
        use="thermometer",
        notes=(
            "Which rate it starts with, and whether it streams, depends on its revision: both are found out.",
            "A forehead is held 1 to 2 cm (type BAA) or 5 to 10 cm (BCC) before it.",
        ),
        source="hardware notes 1.1; as99shop.com/product/363",
    ),
)

GY_MCU90614: Final = on_port(
    name="gy-mcu90614",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer GY-MCU90614: posts Temperature, about 14 a second",
    unit="°C, resolution 0.02, ±0.5",
    source="hardware notes 1.1; planet-gates.com (90614-BAA)",
    about="An infrared thermometer GY-MCU90614 on a serial port: as gy-mcu90615, with a wider range. 9600 or 115200 baud is found out.",
    link=_link_90614,
    simulator=_simulator,
    sign=_sign_90614,
    still=FINE,
    wiring=Wiring(
        summary="UART (4 wires), 3 to 5 V",
        joins=UART,
        power="3 to 5 V, 5 mA; from 3.3 V its lines are the Pi's",
        level=Level.EITHER,
        example={"port": BY_ID},
        use="thermometer",
        notes=(
            "On the wire it cannot be told from a gy-mcu90615, which measures less far: the writing on the part decides.",
            "A forehead is held 1 to 2 cm (type BAA) or 5 to 10 cm (BCC) before it.",
        ),
        source="hardware notes 1.1; planet-gates.com (90614-BAA)",
    ),
)
