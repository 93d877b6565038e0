"""A picture, where it comes from, and the place where only the newest waits."""

import threading
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from drivers.errors import DeviceLost
from drivers.readings import DeviceState

Gray = npt.NDArray[np.uint8]
"""A grey picture: height × width."""


class Box(NamedTuple):
    """A part of a picture, px: from `left` and `top` up to and without `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle, px."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, other: "Box") -> bool:
        """Whether the other's middle is in it."""
        x, y = other.middle
        return self.left <= x < self.right and self.top <= y < self.bottom

    def moved(self, right: int, down: int) -> "Box":
        """So many pixels further right and down."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def grown(self, share: float) -> "Box":
        """Larger by a share of its longer side on every side."""
        by = int(share * max(self.right - self.left, self.bottom - self.top)) + 1
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


class SourceLost(DeviceLost):
    """The source is not there, failed or froze: reopen it with backoff."""

    def __init__(self, detail: str, state: DeviceState = DeviceState.LOST) -> None:
        super().__init__(detail)
        self.state = state


class SourceEnded(Exception):
    """The folder or video has been shown to its end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. `cut`: another scene than the picture before, so that nothing seen there is still in view. `still`: a
    photograph, after which no better picture of the same comes: it gets every decoder."""

    gray: Gray
    cut: bool = False
    still: bool = False


class Source(Protocol):
    """Where pictures come from. `live`: a camera, whose pictures must change and of which only the newest counts; else
    every picture counts, and is shown until it was looked at."""

    live: bool

    def read(self) -> Frame:
        """The next picture; takes up to some 2 s. Raises SourceLost or SourceEnded."""

    def close(self) -> None:
        """Let go of the device."""


@runtime_checkable
class Exposing(Protocol):
    """A source whose exposure can be told."""

    def expose(self, stops: int) -> None:
        """Go to so many stops below what the camera would choose (a negative number), or with 0 let it choose."""


class NewestFrame:
    """Holds one picture: a newer one replaces it, unless every picture counts (`wait`)."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._looking = False  # somebody took a picture and has not come back for the next
        self._changed = threading.Condition()

    def put(self, frame: Frame, *, wait: bool) -> None:
        """Put a picture in; with `wait`, first wait until the one before was looked at."""
        with self._changed:
            if wait:
                self._changed.wait_for(self._all_seen)
            self._frame = frame
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Frame | None:
        """Take the picture out, or None when there is none in time. The one taken before counts as looked at."""
        with self._changed:
            self._looking = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._frame is not None, timeout_s)
            frame, self._frame = self._frame, None
            self._looking = frame is not None
            return frame

    def wait_until_seen(self) -> None:
        """Wait until every picture put in was looked at."""
        with self._changed:
            self._changed.wait_for(self._all_seen)

    def _all_seen(self) -> bool:
        return self._frame is None and not self._looking
