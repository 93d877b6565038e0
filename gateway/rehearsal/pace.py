"""How long things take, by chance."""

import math
import random

from gateway.rehearsal.settings import PaceSettings


class Pace:
    """How long things take, by chance: log-normal, so that a few take long."""

    def __init__(self, settings: PaceSettings, chance: random.Random) -> None:
        self.settings = settings
        self._chance = chance

    def takes(self, middle_s: float, spread: float | None = None) -> float:
        """Seconds, about `middle_s`."""
        sigma = self.settings.spread if spread is None else spread
        return middle_s * math.exp(self._chance.gauss(0.0, sigma))
