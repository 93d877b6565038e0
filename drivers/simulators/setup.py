"""How a simulated device on a line is set, and where it stands."""

from dataclasses import dataclass
from typing import Any

from drivers.errors import WrongUse
from drivers.settings import SimulatedThermometerSettings


@dataclass(slots=True, kw_only=True)
class Setup:
    """`room_c`: °C; `warm_up_s`: how long it reads too low; `baud`: None as it is delivered; `waits`: it is silent until it is asked
    or told to stream."""

    room_c: float = 24.0
    warm_up_s: float = 0.0
    baud: int | None = None
    waits: bool = False

    def chosen(self, *, rate: bool, stream: bool) -> dict[str, Any]:
        """What a simulator's constructor is told, which can be set to another `rate`, or not to `stream`. Raises WrongUse for what
        this model cannot be set to."""
        told: dict[str, Any] = {}
        if self.baud is not None:
            if not rate:
                raise WrongUse("this model has one rate: leave --baud out")
            told["baud"] = self.baud
        if self.waits:
            if not stream:
                raise WrongUse("this model does not stream by itself: leave --waits out")
            told["automatic"] = False
        return told


def setup_of(settings: object) -> Setup:
    """As a gate's file has it."""
    if isinstance(settings, SimulatedThermometerSettings):
        return Setup(room_c=settings.room_c, warm_up_s=settings.warm_up_s)
    return Setup()
