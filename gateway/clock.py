"""The only place that asks what time it is."""

import ctypes
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.core.moment import Moment

STEP_MS = 1_000  # a wall clock that moves this much against the monotonic one has stepped
_STA_UNSYNC = 0x0040  # timex.h


@dataclass(frozen=True, slots=True)
class Told:
    """What the office's clock said: ms that it was ahead of the monotonic clock here, at least and at most."""

    least: int
    most: int


class Clock:
    """Wall and monotonic time.

    What the kernel says is kept by a time source is believed as it is; until then the office's signed time, where it was
    told. Until either is known the wall clock never runs below the last time known, from disk. So a time that was wrong and
    is on disk lasts no longer than until somebody knows better, and the way back is a step like any other."""

    def __init__(self, floor_ms: int = 0) -> None:
        self._floor_ahead = floor_ms - self.mono_ms()
        self._office_ahead: int | None = None  # while the kernel has no time source; set by the thread that asks
        self._offset = max(self._wall_ms() - self.mono_ms(), self._floor_ahead)  # what was told last
        self._trusted = self.now().trusted  # what was told last

    def now(self) -> Moment:
        """The present moment."""
        mono, wall, office_ahead = self.mono_ms(), self._wall_ms(), self._office_ahead
        if synchronised():
            ahead, self._office_ahead = wall - mono, None
        elif office_ahead is not None:
            ahead = office_ahead
        else:
            return Moment(mono, max(wall, mono + self._floor_ahead), False)
        self._floor_ahead = ahead
        return Moment(mono, mono + ahead, True)

    @property
    def asks(self) -> bool:
        """Whether nobody but the office can say what time it is."""
        return not synchronised()

    def hear(self, told: Told) -> None:
        """The office has said what time it is: this is believed, also backwards, until the kernel knows. A time that the
        office has said before is corrected by no more than what was said now proves. From any thread."""
        before = self._office_ahead
        middle = (told.least + told.most) // 2
        self._office_ahead = middle if before is None else min(max(before, told.least), told.most)

    @staticmethod
    def mono_ms() -> int:
        """Milliseconds since boot, suspended time included; never stepped."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    @staticmethod
    def _wall_ms() -> int:
        return time.time_ns() // 1_000_000

    def take_step(self) -> int | None:
        """By how many ms the time told by `now` stepped since this was asked last, or 0 where it began to be trusted as it
        was; None when neither happened."""
        now = self.now()
        begins, self._trusted = now.trusted and not self._trusted, now.trusted
        offset = self._ahead(now)
        step = offset - self._offset
        if abs(step) < STEP_MS and not begins:
            return None
        self._offset = offset
        return step

    def _ahead(self, now: Moment) -> int:
        return now.at_ms - now.mono_ms


class ScriptedClock(Clock):
    """For the demo's scripted day: local time as the script says, and only ever forward. Monotonic time stays real."""

    def __init__(self, zone: str, floor_ms: int = 0) -> None:
        self._ahead_ms = 0
        super().__init__(floor_ms)
        self._zone = ZoneInfo(zone)
        self._offset = self._ahead(self.now())

    def now(self) -> Moment:
        """The present moment of the scripted day; trusted, as the script is the authority."""
        mono = self.mono_ms()
        return Moment(mono, max(self._wall_ms() + self._ahead_ms, mono + self._floor_ahead), True)

    @property
    def asks(self) -> bool:
        """Never: the script says it."""
        return False

    def _ahead(self, now: Moment) -> int:
        return self._wall_ms() - now.mono_ms  # what the script does is no step

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
