"""What is in view: pure, with the time as an argument. No picture, no thread, no clock."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.camera.frames import Box  # which loads NumPy: a gate's own process does without

REARM_MS = 1000  # a code that was out of view for longer than this counts as shown anew
BLURRED_MS = 5000  # so long may it be unreadable where it was read
MAX_CODES = 16  # codes taken from one picture
_MAX_BYTES = 3072  # more than a QR of version 40 holds
_BUFFERS = 32  # more than any driver has
_MAX_SIXTHS = 6 * 23_631  # sixths of a bit that the largest QR has for text (ISO/IEC 18004, 40-L): 4,296 letters


def acceptable(data: bytes) -> bool:
    """Whether a code's content is of a size that a QR can have. A digit takes 10/3 bits, a letter at least 11/2."""
    if not data.isascii():
        return len(data) <= _MAX_BYTES
    digits = sum(data.count(digit) for digit in b"0123456789")
    return 0 < 20 * digits + 33 * (len(data) - digits) <= _MAX_SIXTHS


class InView:
    """A code held up is told once, and again only after it left the view for over `rearm_ms`. What looks like a code where it was
    read is still that code, tilted or blurred, for `BLURRED_MS` at most: it might be another one, too."""

    def __init__(self, rearm_ms: int = REARM_MS) -> None:
        self._rearm_ms = rearm_ms
        self._last_seen_ms: dict[bytes, int] = {}
        self._read: dict[bytes, tuple[Box, int]] = {}  # where it is, and when it was read last

    def new(self, codes: Iterable[bytes], now_ms: int) -> list[bytes]:
        """Those of the codes seen in this picture that just came into view."""
        seen = self._last_seen_ms
        for code in [code for code, at in seen.items() if now_ms - at > self._rearm_ms]:
            del seen[code]
        came: list[bytes] = []
        for code in codes:
            if code not in seen and code not in came and len(came) < MAX_CODES:
                came.append(code)
        for code in codes:
            if code in seen or code in came:
                seen[code] = now_ms
        return came

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
