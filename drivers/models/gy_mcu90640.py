"""Thermal camera GY-MCU90640."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.protocols.stillness import PICTURE
from drivers.settings import PortSettings
from drivers.signs import Sign, framed
from drivers.wiring import BY_ID, NOT_STATED, UART, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


def _link(_settings: PortSettings) -> "Callable[[int], Link]":
    from drivers.protocols.gy_mcu90640 import GyMcu90640Link

    return GyMcu90640Link


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.thermometer import InstrumentLine
    from drivers.simulators.thermometer_models import Gy90640Model

    return InstrumentLine(name, Gy90640Model(setup, **setup.chosen(rate=True, stream=True)))


def _sign() -> Sign:
    """Asked for one picture, which takes 134 ms to come."""
    from drivers.protocols.gy_mcu90640 import QUERY, GyMcu90640Link, command

    return framed(GyMcu90640Link, questions=(command(QUERY),), answer_ms=800, apart_ms=2_200, first=True)


GY_MCU90640: Final = on_port(
    name="gy-mcu90640",
    kind=Kind.THERMOMETER,
    what="Thermal camera GY-MCU90640: posts the hottest plausible patch of its picture as Temperature, 4 a second or so",
    unit="°C, in hundredths, ±1.5 to 2",
    source="hardware notes 1.4; vvkuryshev/GY-MCU90640-RPI-Python",
    about="A thermal camera GY-MCU90640 on a serial port: the hottest patch of skin in its picture. ±1.5 to 2 °C: it finds whom to measure again, and alone decides no fever.",
    link=_link,
    simulator=_simulator,
    sign=_sign,
    still=PICTURE,
    wiring=Wiring(
        summary="UART (4 wires), 3 to 5 V: see the part",
        joins=UART,
        power=f"3 to 5 V, as is printed on the part; {NOT_STATED}",
        level=Level.EITHER,
        example={"port": BY_ID},
        use="thermometer",
        notes=(
            "A picture takes 134 ms at 115200 baud, so that it gives at most 7 a second.",
            "±1.5 to 2 °C: it finds whom to measure again, and alone decides no fever.",
        ),
        source="hardware notes 1.4; the supply is general knowledge",
    ),
)
