"""What an infrared sensor sees: a forehead that comes and goes before it, the room behind, and its own faults.

The sensor sees a cone. A forehead fills it only when it is near; further away the reading lies between the skin's and the
room's temperature. The sensor itself is a little warmer than the room, reads too low until it has warmed up, and is noisy.
"""

import random
from dataclasses import dataclass
from math import exp
from typing import Final, Protocol

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


class Surroundings(Protocol):
    """What the settings of every simulated thermometer say."""

    @property
    def room_c(self) -> float:
        """What it sees when nobody is there, °C."""

    @property
    def warm_up_s(self) -> float:
        """How long after power-on it reads too low."""


class Physics:
    """The sensor and what is before it. `body_above_skin_c`: how much warmer a module says that a body is than its skin; who
    comes near is then given by the body's temperature. `frozen`: it hangs, and measures nothing more until its next power-on:
    what it said last is said again."""

    body_above_skin_c = 0.0

    def __init__(self, settings: Surroundings) -> None:
        self._settings = settings
        self._random = random.Random(0)
        self._on_ms = 0
        self._forehead: Forehead | None = None
        self.frozen = False
        self._said: tuple[float, float] | None = None

    def approach(self, person_c: float, distance_cm: float, now_ms: int) -> None:
        """A forehead comes near; not before the last one has gone, for two do not fit."""
        last = self._forehead
        since_ms = now_ms
        if last is not None:
            gone_ms = now_ms if last.away_ms is None else last.away_ms
            since_ms = max(now_ms, gone_ms + APART_MS)
        self._forehead = Forehead(person_c - self.body_above_skin_c, distance_cm, since_ms)

    def leave(self, now_ms: int) -> None:
        """It goes."""
        last = self._forehead
        if last is not None and last.away_ms is None:
            self._forehead = Forehead(last.skin_c, last.distance_cm, last.since_ms, max(now_ms, last.since_ms))

    def values(self, now_ms: int) -> tuple[float, float]:
        """What it measures, without noise: object and sensor, °C."""
        room_c, ambient_c = self.room(now_ms)
        face = self.face(now_ms)
        if face is None:
            return room_c, ambient_c
        skin_c, distance_cm = face
        fills = min(1.0, (FULL_CM / distance_cm) ** 2)
        return room_c + fills * (skin_c - room_c), ambient_c

    def noisy(self, now_ms: int) -> tuple[float, float]:
        """The same with noise, in steps of the sensor's resolution."""
        if self._said is None or not self.frozen:
            object_c, ambient_c = (
                round((value + self.noise(NOISE_C)) / RESOLUTION_C) * RESOLUTION_C for value in self.values(now_ms)
            )
            self._said = (object_c, ambient_c)
        return self._said

    def room(self, now_ms: int) -> tuple[float, float]:
        """The room as it is measured, and the sensor itself, °C."""
        cold = self._cold(now_ms)
        return self._settings.room_c - TOO_LOW_C * cold, self._settings.room_c + OWN_HEAT_C * (1 - cold)

    def face(self, now_ms: int) -> tuple[float, float] | None:
        """The skin of who is there, as it is measured, °C, and how far away, cm."""
        seen = self._forehead
        return None if seen is None else (seen.skin_c - TOO_LOW_C * self._cold(now_ms), seen.distance(now_ms))

    def noise(self, deviation_c: float) -> float:
        """Of so much, °C."""
        return self._random.gauss(0, deviation_c)

    def _cold(self, now_ms: int) -> float:
        """1 at power-on, nearly 0 once it has warmed up."""
        warm_up_ms = self._settings.warm_up_s * 1000
        return exp(-4 * (now_ms - self._on_ms) / warm_up_ms) if warm_up_ms else 0.0

    def power_on(self, now_ms: int) -> None:
        """It is cold again, and does not hang."""
        self._on_ms = now_ms
        self.frozen = False
