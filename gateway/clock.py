"""The only place that asks what time it is."""

import ctypes
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.core.moment import Moment

STEP_MS = 1_000  # a wall clock that moves this much against the monotonic one has stepped
_STA_UNSYNC = 0x0040  # timex.h


class Clock:
    """Wall and monotonic time.

    What the kernel says is kept by a time source is believed as it is. Until then the wall clock never runs below the last
    time known: from disk, later from the time source itself. So a time that was wrong and is on disk lasts no longer than
    until the kernel knows better, and the way back is a step like any other."""

    def __init__(self, floor_ms: int = 0) -> None:
        self._floor_ahead = floor_ms - self.mono_ms()
        self._offset = max(self._wall_ms() - self.mono_ms(), self._floor_ahead)  # what was told last

    def now(self) -> Moment:
        """The present moment."""
        mono, wall, trusted = self.mono_ms(), self._wall_ms(), synchronised()
        floor_ahead = wall - mono if trusted else self._floor_ahead
        self._floor_ahead = floor_ahead
        return Moment(mono, max(wall, mono + floor_ahead), trusted)

    @staticmethod
    def mono_ms() -> int:
        """Milliseconds since boot, suspended time included; never stepped."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    @staticmethod
    def _wall_ms() -> int:
        return time.time_ns() // 1_000_000

    def take_step(self) -> int:
        """By how many ms the time told by `now` stepped since this was asked last; 0 for none."""
        offset = self._told_ahead()
        step = offset - self._offset
        if abs(step) < STEP_MS:
            return 0
        self._offset = offset
        return step

    def _told_ahead(self) -> int:
        now = self.now()
        return now.at_ms - now.mono_ms


class ScriptedClock(Clock):
    """For the demo's scripted day: local time as the script says, and only ever forward. Monotonic time stays real."""

    def __init__(self, zone: str, floor_ms: int = 0) -> None:
        super().__init__(floor_ms)
        self._zone = ZoneInfo(zone)
        self._ahead_ms = 0
        self._offset = self._told_ahead()

    def now(self) -> Moment:
        """The present moment of the scripted day; trusted, as the script is the authority."""
        mono = self.mono_ms()
        return Moment(mono, max(self._wall_ms() + self._ahead_ms, mono + self._floor_ahead), True)

    def _told_ahead(self) -> int:
        return self._wall_ms() - self.mono_ms()  # what the script does is no step

    def forward_to(self, hhmm: str) -> None:
        """Set the wall clock to the next time that local clocks show `hhmm`."""
        here = datetime.fromtimestamp(self.now().at_ms / 1000, self._zone)
        there = here.replace(hour=int(hhmm[:2]), minute=int(hhmm[3:]), second=0, microsecond=0)
        there += timedelta(days=1) if there <= here else timedelta()
        self._ahead_ms += int((there - here).total_seconds() * 1000)


class _Timex(ctypes.Structure):
    _fields_ = (("modes", ctypes.c_uint), ("_padding", ctypes.c_long * 4), ("status", ctypes.c_int))


def synchronised() -> bool:
    """Whether the kernel says that the wall clock is kept by a time source (adjtimex(2), STA_UNSYNC)."""
    buffer = ctypes.create_string_buffer(256)  # struct timex is 208 bytes on 64-bit Linux
    timex = ctypes.cast(buffer, ctypes.POINTER(_Timex)).contents
    if _LIBC.adjtimex(buffer) < 0:
        return False
    return not timex.status & _STA_UNSYNC


_LIBC = ctypes.CDLL(None, use_errno=True)


def boot_id() -> bytes:
    """The 16 bytes of this boot's id (random(4))."""
    return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", ""))
