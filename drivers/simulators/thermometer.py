"""Simulated infrared thermometers on a serial line: one that streams, in general, and the GY-MCU90615 as the first."""

from typing import Any, ClassVar, Final

from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.gy_mcu90615 import HOST_FRAME, Command, encode
from drivers.simulators.forehead import APART_MS, HELD_CM, NEAR_MS, OWN_HEAT_C, TOO_LOW_C, Physics, Surroundings
from drivers.simulators.line import Instrument, SerialLine
from drivers.threaded import monotonic_ms

__all__ = [
    "APART_MS",
    "EVERY_MS",
    "NEAR_MS",
    "OWN_HEAT_C",
    "TOO_LOW_C",
    "SimulatedThermometer",
    "StreamModel",
    "ThermometerModel",
]

EVERY_MS: Final = 100


class ThermometerInstrument(Instrument):
    """An instrument that people can stand before."""

    physics: Physics


class StreamModel(ThermometerInstrument):
    """A module that streams, or waits to be asked. `baud` and `automatic`: as it is set at first; what the host changes of
    these holds from the next power cycle on. A model declares `host`, `physics_of`, `_obey` and `_frame`."""

    host: ClassVar[Frame[Any]]
    physics_of: ClassVar[type[Physics]] = Physics

    def __init__(self, settings: Surroundings, *, baud: int = 9_600, automatic: bool = True) -> None:
        self.physics = self.physics_of(settings)
        self.baud = baud
        self._next_baud = baud
        self._automatic = automatic
        self._streaming = False
        self._every_ms = EVERY_MS
        self._next_ms = 0
        self._once = 0
        self._heard = FrameReader(self.host)

    def approach(self, person_c: float, distance_cm: float, now_ms: int) -> None:
        """See Physics.approach."""
        self.physics.approach(person_c, distance_cm, now_ms)

    def leave(self, now_ms: int) -> None:
        """See Physics.leave."""
        self.physics.leave(now_ms)

    def values(self, now_ms: int) -> tuple[float, float]:
        """See Physics.values."""
        return self.physics.values(now_ms)

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self.baud = self._next_baud
        self._streaming = self._automatic
        self.physics.power_on(now_ms)
        self._next_ms = now_ms
        self._once = 0
        self._heard = FrameReader(self.host)

    def hear(self, data: bytes, now_ms: int) -> None:
        """See Instrument.hear."""
        for asked in self._heard.feed(data):
            self._obey(asked, now_ms)

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say. Frames that nobody took in time are not made up for."""
        frames, self._once = self._once, 0
        if self._streaming and now_ms >= self._next_ms:
            frames += 1
            self._next_ms += self._every_ms * ((now_ms - self._next_ms) // self._every_ms + 1)
        return b"".join(self._frame(now_ms) for _ in range(frames))

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return self._next_ms if self._streaming else None

    def _stream(self, now_ms: int) -> None:
        self._streaming, self._next_ms = True, max(self._next_ms, now_ms)

    def _obey(self, asked: Any, now_ms: int) -> None:
        """Do what the host asked."""
        raise NotImplementedError

    def _frame(self, now_ms: int) -> bytes:
        """One frame of what it measures now."""
        raise NotImplementedError


class ThermometerModel(StreamModel):
    """A GY-MCU90615 or GY-MCU90614."""

    host: ClassVar[Frame[Any]] = HOST_FRAME

    def _obey(self, asked: Command, now_ms: int) -> None:
        match asked:
            case Command.STREAM:
                self._stream(now_ms)
            case Command.ONCE:
                self._once += 1
            case Command.BAUD_9600:
                self._next_baud = 9_600
            case Command.BAUD_115200:
                self._next_baud = 115_200
            case Command.AUTOMATIC_ON | Command.AUTOMATIC_OFF:
                self._automatic = asked is Command.AUTOMATIC_ON

    def _frame(self, now_ms: int) -> bytes:
        return encode(*self.physics.noisy(now_ms))


class InstrumentLine(SerialLine):
    """A thermometer's model on its line, and what people can do with it."""

    def __init__(self, name: str, model: ThermometerInstrument) -> None:
        self._model = model
        super().__init__(name, model)

    def approach(self, person_c: float, distance_cm: float = HELD_CM) -> None:
        """A person of this temperature (°C) comes near, to this distance."""
        with self._lock:
            self._model.physics.approach(person_c, distance_cm, monotonic_ms())

    def leave(self) -> None:
        """The person goes away."""
        with self._lock:
            self._model.physics.leave(monotonic_ms())

    def freeze(self, *, frozen: bool = True) -> None:
        """The sensor hangs, and its module goes on saying what it said last; or it measures again."""
        with self._lock:
            self._model.physics.frozen = frozen


class SimulatedThermometer(InstrumentLine):
    """A GY-MCU90615 on its line."""

    def __init__(self, name: str, settings: Surroundings, *, baud: int = 9_600, automatic: bool = True) -> None:
        super().__init__(name, ThermometerModel(settings, baud=baud, automatic=automatic))
