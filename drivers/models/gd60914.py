"""Infrared thermometer GD60914, which is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

from drivers.errors import BadFrame
from drivers.model import Kind
from drivers.on_port import on_port
from drivers.protocols.stillness import TENTHS_ALONE
from drivers.settings import PORT, ROOM, SimulatedThermometerSettings
from drivers.signs import Confidence, Sign
from drivers.wiring import NOT_STATED, PI_UART, UART, Level, Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


class Measures(StrEnum):
    """What a GD60914 is asked for."""

    FOREHEAD = "forehead"
    WRIST = "wrist"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gd60914Settings:
    """An infrared thermometer GD60914 for forehead or wrist on a serial port. Measures a body's temperature, by no checksum."""

    port: Annotated[str, PORT]
    measures: Annotated[Measures, Meta(description="What is held before it")] = Measures.FOREHEAD
    room_c: Annotated[float | None, ROOM] = None


def _link(settings: Gd60914Settings) -> "Callable[[int], Link]":
    from drivers.protocols.gd60914 import Asked, Gd60914Link

    return partial(Gd60914Link, asked=Asked[settings.measures.name], room_c=settings.room_c)


def _twin_link(settings: SimulatedThermometerSettings) -> "Callable[[int], Link]":
    from drivers.protocols.gd60914 import Gd60914Link

    return partial(Gd60914Link, room_c=settings.room_c)


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.simulators.thermometer import InstrumentLine
    from drivers.simulators.thermometer_polled import Gd60914Model

    return InstrumentLine(name, Gd60914Model(setup, **setup.chosen(rate=False, stream=False)))


class _Ear:
    """Seven characters and nothing else, after a question."""

    def __init__(self) -> None:
        self._heard: bytes | None = None
        self._before = 0
        self.faults = 0

    @property
    def good(self) -> int:
        return self._before + self._is_answer()

    def asked(self) -> None:
        self._before += self._is_answer()
        self._heard = b""

    def hear(self, chunk: bytes) -> None:
        if self._heard is not None:
            self._heard = (self._heard + chunk)[:64]

    def _is_answer(self) -> bool:
        from drivers.protocols.gd60914 import MEASURES_C, decode

        try:
            return self._heard is not None and MEASURES_C[0] <= decode(self._heard) <= MEASURES_C[1]
        except BadFrame:
            return False


def _sign() -> Sign:
    """Asked for a forehead. Its answer has no checksum."""
    from drivers.protocols.gd60914 import SINGLE, Asked, Gd60914Link

    return Sign(
        bauds=Gd60914Link.bauds,
        ear=_Ear,
        questions=(SINGLE, bytes((Asked.FOREHEAD,))),
        answer_ms=800,
        most=Confidence.LIKELY,
    )


GD60914: Final = on_port(
    name="gd60914",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer GD60914: asked for the body by the forehead, posts Temperature without surroundings of its own",
    unit="°C, in tenths",
    source="hardware notes 1.5; ESPHome's component gd60914",
    settings=Gd60914Settings,
    twin_link=_twin_link,
    link=_link,
    simulator=_simulator,
    sign=_sign,
    still=TENTHS_ALONE,
    wiring=Wiring(
        summary="UART (4 wires), 3.3 V: see the part",
        joins={**UART, "VCC": "3.3 V (pin 1); 5 V (pin 2 or 4) only where the part says so"},
        power=f"3.3 V (general knowledge: see the part); {NOT_STATED}",
        level=Level.EITHER,
        example={"port": PI_UART, "room_c": "22.0"},
        use="thermometer",
        notes=("It does not tell its surroundings: set room_c, or the guard measures everybody by hand.",),
        source="hardware notes 1.5; ESPHome's component gd60914",
    ),
)
