"""Whether a sensor that goes on sending still measures. One that hangs repeats its last good frame, checksum and all.

Theory of operation. A sensor is noisy by a step of its resolution or more, so the same reading (object, itself, and body where it
has one) comes a few times in a row and no more; but one of tenths of a degree before a wall at night may say the same for hours
and be well. So a model declares two measures of a run of equal readings. Alone, only hours of it are against the sensor. While
somebody is known to be before it, which other devices tell, it has to move with them: within a few readings where its steps are
fine; where they are coarse, soon if what it says is as warm as skin (then it looks at a person, or hangs), and later if it says a
wall's temperature (the person may have come for something else). Such readings are added up over all who come during the run.

With noise of half a step, which is less than any of these parts has, a reading equals the one before in at most 7 of 10 cases of
FINE: 40 in a row are one run in a million, and somebody has to be there. With 0.04 °C, in the middle of a step of 0.1, in 79 of
100: 100 in a row are one in 10 thousand million. The first reading that differs ends the run, and all suspicion.
"""

from dataclasses import dataclass
from typing import Final

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Still:
    """How long a model may say the same. `near`: readings with somebody before it; `warm`: the same, of readings as warm as
    skin; `alone_ms`: whoever is there."""

    near: int
    warm: int
    alone_ms: int


FINE: Final = Still(near=40, warm=40, alone_ms=HOUR_MS)
"""Steps of 0.01 or 0.02 °C, and its own temperature: 4 s at ten readings a second."""
PICTURE: Final = Still(near=20, warm=20, alone_ms=HOUR_MS)
"""A picture's hottest patch or its middle, in hundredths, four a second: 5 s."""
TENTHS: Final = Still(near=600, warm=100, alone_ms=12 * HOUR_MS)
"""Steps of 0.1 °C, or none that are known, and its own temperature."""
TENTHS_ALONE: Final = Still(near=600, warm=100, alone_ms=24 * HOUR_MS)
"""The same, of a sensor that does not tell its own temperature: a day has a warm and a cold end."""


class Stillness:
    """Watches one connection's readings. Times in monotonic ms."""

    def __init__(self, still: Still) -> None:
        self._still = still
        self._reading: object = None
        self._since_ms = 0
        self._near = 0
        self._why = ""

    def take(self, reading: object, now_ms: int, *, near: bool, warm: bool) -> None:
        """The next reading. `near`: whether somebody is known to be there; `warm`: whether it is as warm as skin."""
        if reading != self._reading:
            self._reading, self._since_ms, self._near, self._why = reading, now_ms, 0, ""
            return
        self._near += near
        seconds = (now_ms - self._since_ms) / 1000
        if self._near >= (self._still.warm if warm else self._still.near):
            self._why = f"{self._near} times with somebody before it, in {seconds:g} s"
        elif now_ms - self._since_ms >= self._still.alone_ms:
            self._why = f"for {seconds / 3600:.3g} h"

    @property
    def why(self) -> str:
        """Why it is taken to hang; "" while it is not."""
        return (
            f"frozen: the very same reading came {self._why}; take its power away and give it back" if self._why else ""
        )
