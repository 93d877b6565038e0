"""What all infrared thermometers have in common: what a frame means, and when a module can be believed.

A model is a declaration: its frame (where which quantity stands, and how it is checked), its rates, its greeting. Unit: °C.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from drivers.errors import BadFrame
from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import TENTHS, Still, Stillness
from drivers.readings import DeviceState, Temperature
from drivers.tally import Counted

STALE_MS: Final = 1_000
FIRST_MS: Final = 2_000  # until the first reading: two rates have been tried by then
SLOW: Final = 3  # frames a second: with fewer, no measurement comes together in time
MEASURE_MS: Final = 3_000
SKIN_C: Final = (28.0, 43.0)
"""What skin may be. A module makes a body's temperature of whatever is before it, a wall too: outside, that is none."""


@dataclass(frozen=True, slots=True)
class SensorFault:
    """A well-formed message whose values the sensor cannot measure, °C, or that says of itself that it is wrong. Never a
    reading."""

    object_c: float | None
    ambient_c: float | None
    says: str = ""

    def __str__(self) -> str:
        if self.says:
            return f"the sensor is at fault, it says: {self.says}"
        return f"the sensor is at fault, it says {self.object_c} °C and {self.ambient_c} °C for itself"


Measured = Temperature | SensorFault


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a frame a quantity stands."""

    at: int
    quantity: Quantity

    def read(self, frame: bytes) -> float:
        """°C. Raises BadFrame."""
        return self.quantity.decode(frame[self.at : self.at + self.quantity.size])


@dataclass(frozen=True, slots=True)
class TemperatureFrame:
    """A module's frame. `check` raises BadFrame; `body`: what the module itself makes of a forehead."""

    start: bytes
    length: int
    check: Callable[[bytes], None]
    object: Place
    ambient: Place
    body: Place | None = None

    def decode(self, frame: bytes) -> Measured:
        """A whole frame. Raises BadFrame."""
        self.check(frame)
        object_c, ambient_c = self.object.read(frame), self.ambient.read(frame)
        if not (self.object.quantity.holds(object_c) and self.ambient.quantity.holds(ambient_c)):
            return SensorFault(object_c, ambient_c)
        return Temperature(object_c, ambient_c, self._body(frame, object_c))

    def _body(self, frame: bytes, object_c: float) -> float | None:
        if self.body is None or not SKIN_C[0] <= object_c <= SKIN_C[1]:
            return None
        body_c = self.body.read(frame)
        return body_c if self.body.quantity.holds(body_c) else None

    @property
    def stream(self) -> Frame[Measured]:
        """As a stream of bytes is searched for it."""
        return Frame(self.start, self.length, self.decode)


def summed(body: bytes) -> bytes:
    """With the low 8 bits of its sum behind it."""
    return body + bytes((sum(body) & 0xFF,))


def check_sum(frame: bytes) -> None:
    """Raises BadFrame unless the last byte is the low 8 bits of the sum of all before it."""
    if sum(frame[:-1]) & 0xFF != frame[-1]:
        raise BadFrame(f"wrong sum: {frame.hex(' ')}")


class Belief:
    """Whether a thermometer can be believed, from `now_ms` on. `still`: how long it may say the same; `first_ms`: how long it
    may take to its first reading; `stale_ms`: from one to the next. `near`: whether somebody is known to be before it;
    `is_heard`: when its health was last asked for, its messages came, whatever they said."""

    def __init__(
        self, now_ms: int, counted: Counted, still: Still, first_ms: int = FIRST_MS, stale_ms: int = STALE_MS
    ) -> None:
        self.near = False
        self.is_heard = False
        self._opened_ms = now_ms
        self._first_ms = first_ms
        self._stale_ms = stale_ms
        self._counted = counted
        self._stillness = Stillness(still)
        self._heard_ms: int | None = None
        self._valid_ms: int | None = None
        self._noise_then = self._bad_then = 0  # how much there had been at the last message
        self._fault: SensorFault | None = None

    def take(self, messages: Sequence[Measured], now_ms: int) -> list[Temperature]:
        """The readings among these that can be believed: a sensor's fault is none, nor what it repeats once it is taken to hang."""
        believed = [message for message in messages if self._is_believed(message, now_ms)]
        if messages:
            self._heard_ms = now_ms
            self._noise_then, self._bad_then = self._counted.noise, self._counted.bad
        if any(isinstance(message, Temperature) for message in messages):
            self._valid_ms = now_ms
        return [message for message in believed if isinstance(message, Temperature)]

    def _is_believed(self, message: Measured, now_ms: int) -> bool:
        self._fault = message if isinstance(message, SensorFault) else None
        warm = isinstance(message, Temperature) and SKIN_C[0] <= message.measured_c <= SKIN_C[1]
        self._stillness.take(message, now_ms, near=self.near, warm=warm)
        return not self._stillness.why

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """STALE after so long without a reading, and once it is taken to hang, and why; STARTING until the first."""
        self.is_heard = self._heard_ms is not None and now_ms - self._heard_ms < self._stale_ms
        since_ms, limit_ms = self._opened_ms, self._first_ms
        if self._valid_ms is not None:
            since_ms, limit_ms = self._valid_ms, self._stale_ms
        if now_ms - since_ms >= limit_ms:
            return DeviceState.STALE, f"no reading for {limit_ms / 1000:g} s: {self._why()}"
        if self._valid_ms is not None and self._stillness.why:
            return DeviceState.STALE, self._stillness.why
        return (DeviceState.STARTING if self._valid_ms is None else DeviceState.OK), ""

    def _why(self) -> str:
        counted = self._counted
        noise, bad = counted.noise - self._noise_then, counted.bad - self._bad_then
        if self._fault is not None and (
            self.is_heard or not noise
        ):  # else what comes now is the reason, and no more its last word
            return str(self._fault) if self.is_heard else f"{self._fault}; nothing has come since"
        if noise:
            before = (
                f" ({counted.good} frames had come before: is its wire sound?)" if self._heard_ms is not None else ""
            )
            return f"{noise} bytes came that are no frame of this model, {bad} of them like one{before}"
        return f"nothing comes any more ({counted.good} frames had come)" if counted.good else "nothing came"


class Quicken:
    """Asks a module for a higher rate while its frames are too few to measure a person by: each of `requests` once, after 3 s,
    and nothing more once it is fast enough."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._requests = list(requests)
        self._since_ms: int | None = None
        self._then = 0

    def ask(self, good: int, now_ms: int) -> bytes:
        """What to send, with so many frames by now."""
        if self._since_ms is None or not self._requests or now_ms - self._since_ms < MEASURE_MS:
            return b""
        slow = (good - self._then) * 1_000 < SLOW * (now_ms - self._since_ms)
        self._since_ms = None  # it settles with its next frame
        if slow:
            return self._requests.pop(0)
        self._requests.clear()
        return b""

    def frame(self, good: int, now_ms: int) -> None:
        """A reading came, with so many frames by now."""
        if self._since_ms is None:
            self._since_ms, self._then = now_ms, good


class StreamLink:
    """One connection to a module that streams frames. A model declares `frame`, `bauds` and `greeting`; `still`: how long it may
    say the same; `faster`: what to ask when it streams too slowly."""

    frame: ClassVar[Frame[Measured]]
    bauds: ClassVar[Sequence[int]]
    greeting: ClassVar[bytes]
    personal: ClassVar[bool] = False
    still: ClassVar[Still] = TENTHS
    first_ms: ClassVar[int] = FIRST_MS
    faster: ClassVar[Sequence[bytes]] = ()

    def __init__(self, now_ms: int) -> None:
        self._reader = FrameReader(self.frame)
        self._belief = Belief(now_ms, self._reader, self.still, self.first_ms)
        self._quicken = Quicken(self.faster)

    @property
    def count(self) -> Counted:
        """What has come."""
        return self._reader

    def ask(self, now_ms: int) -> bytes:
        """It streams: there is nothing to ask, but to be faster."""
        return self._quicken.ask(self._reader.good, now_ms)

    def feed(self, chunk: bytes, now_ms: int) -> list[Temperature]:
        """The readings that this chunk completes."""
        readings = self._belief.take(self._reader.feed(chunk), now_ms)
        if readings:
            self._quicken.frame(self._reader.good, now_ms)
        return readings

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """See Belief.health."""
        return self._belief.health(now_ms)

    def is_answered(self) -> bool:
        """See Answering.is_answered: a module whose sensor is at fault, or hangs, has not another rate."""
        return self._belief.is_heard

    def somebody(self, *, near: bool) -> None:
        """See Watched.somebody."""
        self._belief.near = near
