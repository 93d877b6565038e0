"""What each model on a serial port or a pin can be told, with unit, range and meaning beside it once."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta

PORT = Meta(
    description="Its serial port, best by a name that stays: /dev/serial/by-id/…",
    pattern=r"^/dev/[^\x00]+$",
    max_length=255,
)
ROOM = Meta(
    description="The sensor does not tell its surroundings: how warm the room is kept. Without it, the guard measures everybody by hand",
    ge=-40,
    le=60,
    extra={"unit": "°C"},
)
PIN = Meta(
    description="Its pin, by BCM number. 0 and 1 are the HAT's own; 14 and 15 are the serial port's; 2 and 3 are always pulled up",
    ge=2,
    le=27,
)


class Pull(StrEnum):
    """The resistor inside the Pi."""

    UP = "up"
    DOWN = "down"
    OFF = "off"


class PinLevel(StrEnum):
    """The level of a pin."""

    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSettings:
    """A device on a serial port that needs to be told nothing else."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSettings:
    """Nothing can be told to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedThermometerSettings:
    """The same thermometer as a model of one: it sees people come near, drifts while it warms up, and is a little noisy."""

    room_c: Annotated[
        float, Meta(description="What it sees when nobody is there", ge=-40, le=60, extra={"unit": "°C"})
    ] = 24.0
    warm_up_s: Annotated[
        float, Meta(description="How long after power-on it reads too low", ge=0, le=600, extra={"unit": "s"})
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSettings:
    """A contact, button or sensor on a pin. A loop that is closed at rest, to ground, with pull = "up" and active = "high",
    reads a cut wire as active."""

    pin: Annotated[int, PIN]
    pull: Annotated[Pull, Meta(description="Which way the Pi pulls the pin when nothing else does")] = Pull.UP
    active: Annotated[PinLevel, Meta(description="The level that means: pressed, open, broken")] = PinLevel.LOW
    debounce_s: Annotated[
        float,
        Meta(
            description="A level counts when it has held for this long: a button 0.03, a reed 0.05, a beam 0.1",
            ge=0,
            le=2,
            extra={"unit": "s"},
        ),
    ] = 0.05
    stuck_s: Annotated[
        float,
        Meta(
            description="Active for so long is told as a fault; for buttons and beams. 0: never, as for a door contact",
            ge=0,
            le=86_400,
            extra={"unit": "s"},
        ),
    ] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedInputSettings:
    """A button to ground on a simulated pin."""

    pin: Annotated[int, PIN]

    @property
    def wiring(self) -> InputSettings:
        """As the real driver takes it."""
        return InputSettings(pin=self.pin)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamPairSettings:
    """Two light beams one behind the other in a passage, on two pins: they tell who goes in and who goes out. They hang closer
    together than half a body is deep: 10 cm. With pull = "up" and active = "high", a receiver that closes to ground while it sees
    its light, and a cut wire, read as broken."""

    outer: Annotated[int, PIN]
    inner: Annotated[int, PIN]
    pull: Annotated[Pull, Meta(description="Which way the Pi pulls both pins when nothing else does")] = Pull.UP
    active: Annotated[PinLevel, Meta(description="The level that means: broken")] = PinLevel.HIGH
    debounce_s: Annotated[
        float,
        Meta(
            description="A level counts when it has held for this long; two people must be apart by more",
            ge=0,
            le=0.2,
            extra={"unit": "s"},
        ),
    ] = 0.03
    stuck_s: Annotated[
        float,
        Meta(description="A beam broken for so long is told as a fault", ge=5, le=86_400, extra={"unit": "s"}),
    ] = 60.0

    @property
    def wirings(self) -> tuple[InputSettings, InputSettings]:
        """Each as a contact of its own: the outer one, the inner one."""
        return (
            InputSettings(pin=self.outer, pull=self.pull, active=self.active, debounce_s=self.debounce_s),
            InputSettings(pin=self.inner, pull=self.pull, active=self.active, debounce_s=self.debounce_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedBeamPairSettings:
    """Two light beams on two simulated pins."""

    outer: Annotated[int, PIN]
    inner: Annotated[int, PIN]

    @property
    def wiring(self) -> BeamPairSettings:
        """As the real driver takes it."""
        return BeamPairSettings(outer=self.outer, inner=self.inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSettings:
    """A relay, lamp or siren on a pin. A resistor outside must hold the pin at rest while no gate runs."""

    pin: Annotated[int, PIN]
    active: Annotated[PinLevel, Meta(description="The level that switches it on")] = PinLevel.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedOutputSettings:
    """A relay or lamp on a simulated pin."""

    pin: Annotated[int, PIN]

    @property
    def wiring(self) -> OutputSettings:
        """As the real driver takes it."""
        return OutputSettings(pin=self.pin)


@dataclass(frozen=True, slots=True, kw_only=True)
class WiegandSettings:
    """A card reader with a Wiegand output of 26 or 34 bits, on two pins. Its lines carry 5 V: a divider or level shifter
    brings them to 3.3 V."""

    d0: Annotated[int, PIN]
    d1: Annotated[int, PIN]
    reverse: Annotated[bool, Meta(description="Its bytes come the other way round than is printed on the cards")] = (
        False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWiegandSettings:
    """A card reader with a Wiegand output, on two simulated pins."""

    d0: Annotated[int, PIN]
    d1: Annotated[int, PIN]

    @property
    def wiring(self) -> WiegandSettings:
        """As the real driver takes it."""
        return WiegandSettings(d0=self.d0, d1=self.d1)


AnyPinSettings: TypeAlias = InputSettings | SimulatedInputSettings | OutputSettings | SimulatedOutputSettings
