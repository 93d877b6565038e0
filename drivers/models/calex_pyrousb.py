"""Infrared thermometer Calex PyroUSB, by Modbus RTU."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from drivers.model import Kind
from drivers.models.modbus import MODBUS_ADDRESS, ModbusEar, asked_at
from drivers.on_port import on_port
from drivers.settings import PORT, SimulatedThermometerSettings
from drivers.signs import Confidence, Sign
from drivers.wiring import BY_ID, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


@dataclass(frozen=True, slots=True, kw_only=True)
class CalexPyroUsbSettings:
    """An infrared thermometer Calex PyroUSB, by Modbus RTU: filtered temperature, sensor and status. 9600 baud, no parity."""

    port: Annotated[str, PORT]
    address: Annotated[int, Meta(description="Its address on the line", ge=1, le=247)] = 1


def _link(settings: CalexPyroUsbSettings) -> "Callable[[int], Link]":
    from drivers.protocols.modbus import PYRO_USB, ModbusLink

    return partial(ModbusLink, registers=PYRO_USB, address=settings.address)


def _twin_link(_settings: SimulatedThermometerSettings) -> "Callable[[int], Link]":
    from drivers.protocols.modbus import PYRO_USB, ModbusLink

    return partial(ModbusLink, registers=PYRO_USB)


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.protocols.modbus import PYRO_USB
    from drivers.simulators.thermometer import InstrumentLine
    from drivers.simulators.thermometer_polled import ModbusModel

    return InstrumentLine(name, ModbusModel(setup, PYRO_USB, **setup.chosen(rate=True, stream=False)))


def _sign(address: int = MODBUS_ADDRESS) -> Sign:
    """Its registers are read, and have to hold what it can measure; so may another sensor's."""
    return asked_at(address, lambda: ModbusEar(address, any_answer=False), Confidence.LIKELY, at=_sign)


CALEX_PYROUSB: Final = on_port(
    name="calex-pyrousb",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer Calex PyroUSB by Modbus RTU: posts Temperature, up to 10 a second",
    unit="°C, in tenths",
    source="hardware notes 1.7; manualshive 3421020 p12",
    settings=CalexPyroUsbSettings,
    twin_link=_twin_link,
    link=_link,
    simulator=_simulator,
    sign=_sign,
    wiring=Wiring(
        summary="USB",
        joins={"USB": "any USB port"},
        power="from USB",
        level=Level.USB,
        example={"port": BY_ID},
        use="thermometer",
        notes=("Its address is 1 as it is delivered.",),
        source="hardware notes 1.7; manualshive 3421020 p12",
    ),
)
