"""Exposure for the screens of phones: pure, with the picture and the time as arguments.

Automatic exposure measures the whole picture. A bright screen held up in a dark entry is then a white patch without a code
in it. When part of the picture burns out while most of it is dark, the exposure is taken down, stop by stop, and given
back to the camera when the bright patch has gone.
"""

import numpy as np

from drivers.camera.frames import Gray

DARKEST = -3  # stops
_BURNT, _BRIGHT = 250, 120  # grey levels
_PATCH = (0.01, 0.45)  # share of the picture that a screen covers
_DARK = 90  # grey level that half the picture is below when the rest is dark
_STEP_MS = 400  # a camera takes a few pictures to follow
_GONE_MS = 1500


class Exposure:
    """Watches the pictures; says when the exposure is to change."""

    def __init__(self) -> None:
        self.stops = 0
        self._changed_ms = -_STEP_MS
        self._bright_ms = 0

    def after(self, gray: Gray, now_ms: int) -> int | None:
        """The exposure to go to from now on, in stops against the camera's own (0 is its own), or None: as it is."""
        sample = gray[::16, ::16]
        burnt = float((sample >= _BURNT).mean())
        if float((sample >= _BRIGHT).mean()) >= _PATCH[0]:
            self._bright_ms = now_ms
        if now_ms - self._changed_ms < _STEP_MS:
            return None
        if _PATCH[0] <= burnt <= _PATCH[1] and float(np.median(sample)) < _DARK and self.stops > DARKEST:
            return self._go(self.stops - 1, now_ms)
        if self.stops and now_ms - self._bright_ms > _GONE_MS:
            return self._go(0, now_ms)
        return None

    def _go(self, stops: int, now_ms: int) -> int:
        self.stops, self._changed_ms = stops, now_ms
        return stops
