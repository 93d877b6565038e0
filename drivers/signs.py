"""By what a model is recognised on a port or a bus: by its own frames, and by a question that changes nothing in any module.

Pure, and the protocols' own parsers. A module that waits to be asked is asked for one reading, its version or its state; the
greetings of the drivers, which set a module up, are not sent. Two questions choose how a module answers until its power goes,
and cannot be left out: GD60914 measures when asked only after A1 (hardware notes 1.5), and a module of 1.1, 1.2 or 1.4 that is
asked for one reading waits to be asked, which it did already, as it was silent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol, TypeVar

from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.packets import Packet, PacketReader
from drivers.readings import Temperature

T = TypeVar("T")


class Confidence(IntEnum):
    """How sure it is that what speaks is of this model."""

    POSSIBLE = 1
    LIKELY = 2
    SURE = 3


class Ear(Protocol):
    """Hears one rate of one port."""

    @property
    def good(self) -> int:
        """The model's own messages."""

    @property
    def faults(self) -> int:
        """Its messages that say that its sensor is at fault."""

    def asked(self) -> None:
        """The model's question has been sent: what comes now may be its answer."""

    def hear(self, chunk: bytes) -> None:
        """These bytes came. Never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A model on a serial port. `questions`: sent one after the other; none for one that speaks by itself alone; `answer_ms`:
    how long it may take to answer; `apart_ms`: from one frame to the next, when it streams as slowly as it can; `most`: how
    sure it can be; `shows`: what has to be held before it, or it says nothing; `first`: it is asked before others, as what
    they would be sent begins as a setting of its own does; `at`: the same at another address of a line; `note`: for people."""

    bauds: Sequence[int]
    ear: Callable[[], Ear]
    questions: Sequence[bytes] = ()
    answer_ms: int = 250
    apart_ms: int = 300
    most: Confidence = Confidence.SURE
    shows: str = ""
    first: bool = False
    at: "Callable[[int], Sign] | None" = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class I2cSign:
    """A model on an I²C bus. `link`: makes what reads it, with the time and its address; it only reads."""

    address: int
    link: Callable[[int, int], Any]


class Framed:
    """Frames of fixed length."""

    def __init__(self, frame: Frame[Any]) -> None:
        self._reader = FrameReader(frame)
        self.good = 0
        self.faults = 0

    def asked(self) -> None:
        """A frame is the same, asked for or not."""

    def hear(self, chunk: bytes) -> None:
        """See Ear.hear."""
        for message in self._reader.feed(chunk):
            told = isinstance(message, Temperature | str)
            self.good += told
            self.faults += not told


class Packeted:
    """Packets, of which those count that `is_own` says are the model's answer to its question."""

    def __init__(self, packet: Packet[T], is_own: Callable[[T], bool]) -> None:
        self._reader = PacketReader(packet)
        self._is_own = is_own
        self.good = 0
        self.faults = 0

    def asked(self) -> None:
        """What began before and has not ended is no packet."""
        self._reader.give_up()

    def hear(self, chunk: bytes) -> None:
        """See Ear.hear."""
        self.good += sum(map(self._is_own, self._reader.feed(chunk)))


def framed(link: Any, **more: Any) -> Sign:
    """Of a link whose `frame` is of fixed length, at each of its rates; `more`: see Sign."""
    return Sign(bauds=link.bauds, ear=lambda: Framed(link.frame), **more)
