"""What a device has to show for itself: its valid frames, what came otherwise, and how often it had to be opened again."""

from dataclasses import dataclass
from typing import Protocol


class Counted(Protocol):
    """What one connection has seen."""

    @property
    def good(self) -> int:
        """Valid frames."""

    @property
    def bad(self) -> int:
        """Frames with a wrong checksum, or malformed otherwise."""

    @property
    def noise(self) -> int:
        """Bytes that were passed over until the next frame."""


@dataclass(slots=True)
class Count:
    """Counted by hand; see Counted. `timeouts`: questions without an answer, of a device that is asked."""

    good: int = 0
    bad: int = 0
    noise: int = 0
    timeouts: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Since the device was started. `reopens`: connections after the first; `last_valid_ms`: monotonic, of the last valid
    frame; None before there was one."""

    frames: int = 0
    bad: int = 0
    noise: int = 0
    reopens: int = 0
    last_valid_ms: int | None = None


class TallyKeeper:
    """Adds the connections up. Written by the device's thread alone; `tally` may be read from any."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._before = Tally(reopens=-1)

    def opened(self) -> None:
        """A new connection begins, with a count of its own from zero."""
        now = self.tally
        self._before = Tally(now.frames, now.bad, now.noise, self._before.reopens + 1, now.last_valid_ms)
        self.tally = self._before

    def looked(self, count: Counted, now_ms: int) -> None:
        """What this connection has seen by now."""
        before = self._before
        frames = before.frames + count.good
        valid_ms = now_ms if frames > self.tally.frames else self.tally.last_valid_ms
        self.tally = Tally(frames, before.bad + count.bad, before.noise + count.noise, before.reopens, valid_ms)
