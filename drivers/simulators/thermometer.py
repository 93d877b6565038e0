"""A simulated GY-MCU90615: a model of the sensor and of the forehead before it, at the far end of a serial line.

The sensor sees a cone. A forehead fills it only when it is near; further away the reading lies between the skin's and the
room's temperature. The sensor itself is a little warmer than the room, reads too low until it has warmed up, and is noisy.
"""

import random
from dataclasses import dataclass
from math import exp
from typing import Final

from drivers.protocols.frames import FrameReader
from drivers.protocols.gy_mcu90615 import HOST_FRAME, Command, encode
from drivers.settings import SimulatedGyMcu90615Settings
from drivers.simulators.line import SerialLine
from drivers.threaded import monotonic_ms

EVERY_MS: Final = 100
FULL_CM: Final = 6.0  # nearer than this, skin is all that the sensor sees
FAR_CM: Final = 60.0  # where somebody stands who has not come near
HELD_CM: Final = 3.0
NEAR_MS: Final = 200  # from there to here, and back
APART_MS: Final = 600  # between one forehead and the next
NOISE_C: Final = 0.04  # standard deviation
RESOLUTION_C: Final = 0.02
OWN_HEAT_C: Final = 2.0  # the sensor above the room, once warm
TOO_LOW_C: Final = 1.5  # how much too low it reads when cold


@dataclass(frozen=True, slots=True)
class Forehead:
    """A forehead that comes near from `since_ms` on, to `distance_cm`, and goes from `away_ms` on."""

    skin_c: float
    distance_cm: float
    since_ms: int
    away_ms: int | None = None

    def distance(self, now_ms: int) -> float:
        """How far away it is, in cm."""
        come = min(1.0, max(0.0, (now_ms - self.since_ms) / NEAR_MS))
        gone = 0.0 if self.away_ms is None else min(1.0, max(0.0, (now_ms - self.away_ms) / NEAR_MS))
        near = come * (1 - gone)
        return FAR_CM + (self.distance_cm - FAR_CM) * near


class ThermometerModel:
    """Implements Instrument. `baud` and `automatic`: as it is set at first; the host's commands change them for the next
    power cycle."""

    def __init__(self, settings: SimulatedGyMcu90615Settings, *, baud: int = 9_600, automatic: bool = True) -> None:
        self.baud = baud
        self._settings = settings
        self._random = random.Random(0)
        self._next_baud = baud
        self._automatic = automatic
        self._streaming = False
        self._on_ms = 0
        self._next_ms = 0
        self._once = 0
        self._host = FrameReader(HOST_FRAME)
        self._forehead: Forehead | None = None

    def approach(self, person_c: float, distance_cm: float, now_ms: int) -> None:
        """A forehead comes near; not before the last one has gone, for two do not fit."""
        last = self._forehead
        since_ms = now_ms
        if last is not None:
            gone_ms = now_ms if last.away_ms is None else last.away_ms
            since_ms = max(now_ms, gone_ms + APART_MS)
        self._forehead = Forehead(person_c, distance_cm, since_ms)

    def leave(self, now_ms: int) -> None:
        """It goes."""
        last = self._forehead
        if last is not None and last.away_ms is None:
            self._forehead = Forehead(last.skin_c, last.distance_cm, last.since_ms, max(now_ms, last.since_ms))

    def values(self, now_ms: int) -> tuple[float, float]:
        """What it measures, without noise: object and sensor, °C."""
        room_c = self._settings.room_c
        cold = self._cold(now_ms)
        ambient_c = room_c + OWN_HEAT_C * (1 - cold)
        seen = self._forehead
        if seen is None:
            return room_c - TOO_LOW_C * cold, ambient_c
        fills = min(1.0, (FULL_CM / seen.distance(now_ms)) ** 2)
        return room_c + fills * (seen.skin_c - room_c) - TOO_LOW_C * cold, ambient_c

    def _cold(self, now_ms: int) -> float:
        """1 at power-on, nearly 0 once it has warmed up."""
        warm_up_ms = self._settings.warm_up_s * 1000
        return exp(-4 * (now_ms - self._on_ms) / warm_up_ms) if warm_up_ms else 0.0

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self.baud = self._next_baud
        self._streaming = self._automatic
        self._on_ms = self._next_ms = now_ms
        self._once = 0
        self._host = FrameReader(HOST_FRAME)

    def hear(self, data: bytes, now_ms: int) -> None:
        """See Instrument.hear."""
        for asked in self._host.feed(data):
            match asked:
                case Command.STREAM:
                    self._streaming, self._next_ms = True, max(self._next_ms, now_ms)
                case Command.ONCE:
                    self._once += 1
                case Command.BAUD_9600:
                    self._next_baud = 9_600
                case Command.BAUD_115200:
                    self._next_baud = 115_200
                case Command.AUTOMATIC_ON | Command.AUTOMATIC_OFF:
                    self._automatic = asked is Command.AUTOMATIC_ON

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say. Frames that nobody took in time are not made up for."""
        frames, self._once = self._once, 0
        if self._streaming and now_ms >= self._next_ms:
            frames += 1
            self._next_ms += EVERY_MS * ((now_ms - self._next_ms) // EVERY_MS + 1)
        return b"".join(self._frame(now_ms) for _ in range(frames))

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return self._next_ms if self._streaming else None

    def _frame(self, now_ms: int) -> bytes:
        object_c, ambient_c = (
            round((value + self._random.gauss(0, NOISE_C)) / RESOLUTION_C) * RESOLUTION_C
            for value in self.values(now_ms)
        )
        return encode(object_c, ambient_c)


class SimulatedThermometer(SerialLine):
    """The model on its line, and what people can do with it."""

    def __init__(
        self, name: str, settings: SimulatedGyMcu90615Settings, *, baud: int = 9_600, automatic: bool = True
    ) -> None:
        self._model = ThermometerModel(settings, baud=baud, automatic=automatic)
        super().__init__(name, self._model)

    def approach(self, person_c: float, distance_cm: float = HELD_CM) -> None:
        """A forehead with skin of this temperature (°C) comes near, to this distance."""
        with self._lock:
            self._model.approach(person_c, distance_cm, monotonic_ms())

    def leave(self) -> None:
        """It goes away."""
        with self._lock:
            self._model.leave(monotonic_ms())
