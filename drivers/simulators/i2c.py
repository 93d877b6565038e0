"""A simulated I²C bus with an MLX90614 on it: what the kernel would give and raise, without a kernel."""

import errno
import random
import threading
from enum import StrEnum
from typing import Final

from drivers.i2c_device import I2cDevice
from drivers.protocols.mlx90614 import ADDRESS, ERROR, LENGTH, OBJECT, Mlx90614Link, encode, pec
from drivers.simulators.forehead import HELD_CM, Physics, Surroundings
from drivers.threaded import RETRY, Retry, monotonic_ms

READY_MS: Final = 250  # after power


class BusFault(StrEnum):
    """What can be wrong with a bus."""

    NONE = "none"
    CUT = "cut"  # nobody answers
    STUCK = "stuck"  # a line shorted to ground
    GARBAGE = "garbage"  # a loose wire, or too long ones
    HIGH = "high"  # data is never pulled down: all ones
    SENSOR = "sensor"  # the sensor sets its error bit


class Mlx90614Model:
    """The sensor. Pure: times in monotonic ms are arguments."""

    def __init__(self, settings: Surroundings, address: int = ADDRESS) -> None:
        self.physics = Physics(settings)
        self.fault = BusFault.NONE
        self._address = address
        self._random = random.Random(0)
        self._on_ms = 0

    def power_on(self, now_ms: int) -> None:
        """It was plugged in."""
        self._on_ms = now_ms
        self.physics.power_on(now_ms)

    def transfer(self, address: int, sent: bytes, length: int, now_ms: int) -> bytes:
        """See Bus.transfer. Raises OSError, as the kernel does."""
        if self.fault is BusFault.STUCK:
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")
        if self.fault is BusFault.CUT or address != self._address or now_ms - self._on_ms < READY_MS:
            raise OSError(errno.EREMOTEIO, "Remote I/O error")
        answer = (self._answer(sent[0], now_ms) + b"\xff" * length)[:length]
        if self.fault is BusFault.GARBAGE:
            return self._random.randbytes(length)
        return b"\xff" * length if self.fault is BusFault.HIGH else answer

    def _answer(self, command: int, now_ms: int) -> bytes:
        object_c, ambient_c = self.physics.noisy(now_ms)
        answer = encode(command, object_c if command == OBJECT else ambient_c, self._address)
        if self.fault is not BusFault.SENSOR:
            return answer
        word = bytes((answer[0], answer[1] | ERROR))
        return (word + bytes((pec(self._address, command, word),)))[:LENGTH]


class SimulatedBus:
    """Implements Bus, with people at the other end; from any thread."""

    def __init__(self, model: Mlx90614Model) -> None:
        self._model = model
        self._lock = threading.Lock()

    def transfer(self, address: int, sent: bytes, length: int) -> bytes:
        """See Bus.transfer."""
        with self._lock:
            return self._model.transfer(address, sent, length, monotonic_ms())

    def close(self) -> None:
        """See Bus.close."""

    def approach(self, person_c: float, distance_cm: float = HELD_CM) -> None:
        """A person of this temperature (°C) comes near, to this distance."""
        with self._lock:
            self._model.physics.approach(person_c, distance_cm, monotonic_ms())

    def leave(self) -> None:
        """The person goes away."""
        with self._lock:
            self._model.physics.leave(monotonic_ms())

    def freeze(self, *, frozen: bool = True) -> None:
        """The sensor hangs, and its last words are read again and again; or it measures again."""
        with self._lock:
            self._model.physics.frozen = frozen

    def fault(self, fault: BusFault) -> None:
        """Damage the bus or the sensor, or mend them with BusFault.NONE."""
        with self._lock:
            self._model.fault = fault

    def cut_wire(self) -> None:
        """Nobody answers any more."""
        self.fault(BusFault.CUT)

    def stick(self) -> None:
        """A line is shorted to ground."""
        self.fault(BusFault.STUCK)

    def mend(self) -> None:
        """The wires are sound again, and it has power again."""
        self.plug()

    def unplug(self) -> None:
        """Pull the sensor out."""
        self.fault(BusFault.CUT)

    def plug(self) -> None:
        """Plug it in: it powers up."""
        with self._lock:
            self._model.fault = BusFault.NONE
            self._model.power_on(monotonic_ms())


class SimulatedI2cThermometer(I2cDevice):
    """The driver of an MLX90614, on a simulated bus; `simulator` is what people act on."""

    def __init__(self, name: str, settings: Surroundings, *, retry: Retry = RETRY) -> None:
        model = Mlx90614Model(settings)
        model.power_on(monotonic_ms())
        self.simulator = SimulatedBus(model)
        super().__init__(name, "a simulated bus", ADDRESS, Mlx90614Link, open_bus=lambda _: self.simulator, retry=retry)
