"""What is in view: pure, with the time as an argument. No picture, no thread, no clock."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from drivers.held_up import REARM_MS, HeldUp

if TYPE_CHECKING:
    from drivers.camera.frames import Box  # which loads NumPy: a gate's own process does without

BLURRED_MS = 5000  # so long may it be unreadable where it was read
_BUFFERS = 32  # more than any driver has


class InView(HeldUp):
    """The same before a camera, which knows where a code is. What looks like a code where it was read is still that code, tilted
    or blurred, for `BLURRED_MS` at most: it might be another one, too."""

    def __init__(self, rearm_ms: int = REARM_MS) -> None:
        super().__init__(rearm_ms)
        self._read: dict[bytes, tuple[Box, int]] = {}  # where it is, and when it was read last

    def look(self, places: "Mapping[bytes, Box]", unread: "Iterable[Box]", now_ms: int) -> list[bytes]:
        """The same for a picture in which it is known where the codes are, and what looks like one and could not be read."""
        there = list(unread)
        for code, (box, read_ms) in self._read.items():
            near = next((each for each in there if box.grown(1).holds(each)), None)
            if near is not None and code in self._last_seen_ms and now_ms - read_ms <= BLURRED_MS:
                self._last_seen_ms[code] = now_ms
                self._read[code] = (near, read_ms)
        came = self.new(places, now_ms)
        self._read |= {code: (box, now_ms) for code, box in places.items()}
        self._read = {code: read for code, read in self._read.items() if code in self._last_seen_ms}
        return came

    def cut(self) -> None:
        """Another scene: nothing that was in view still is."""
        self._last_seen_ms.clear()
        self._read.clear()


class FrameWatch:
    """Finds out a camera that returns the same picture for ever, or the same few in turn, as a driver does that hands out its buffers
    again unfilled: a living one never does, since its sensor has noise.

    It outlives the camera's reopening, so that a frozen picture is not taken for a recovery."""

    def __init__(self, limit_ms: int) -> None:
        self._limit_ms = limit_ms
        self._marks: deque[int] = deque(maxlen=_BUFFERS)
        self._changed_ms = 0

    def alive(self, mark: int, now_ms: int) -> bool:
        """Take the mark (a checksum) of a picture; False once it has not changed for the limit."""
        if mark not in self._marks:
            self._marks.append(mark)
            self._changed_ms = now_ms
        return now_ms - self._changed_ms < self._limit_ms
