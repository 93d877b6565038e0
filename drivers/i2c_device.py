"""A device on an I²C bus, read by one thread at its own pace; what the bytes mean is the business of its link, which is pure."""

import errno
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from drivers.errors import DeviceLost
from drivers.readings import DeviceState, Reading
from drivers.tally import Counted, Tally, TallyKeeper
from drivers.threaded import RETRY, Retry, ThreadedDevice, monotonic_ms

logger = logging.getLogger("menshen.i2c")
raw = logging.getLogger("menshen.i2c.raw")
EVERY_S: Final = 0.1
POWER_S: Final = 0.25  # what a sensor needs after power


class Bus(Protocol):
    """One I²C bus."""

    def transfer(self, address: int, sent: bytes, length: int) -> bytes:
        """Write, then read so many bytes after a repeated start. Raises OSError."""

    def close(self) -> None:
        """Let go of it."""


class I2cLink(Protocol):
    """One sensor's protocol, made with the time it began. Times in monotonic ms."""

    @property
    def reads(self) -> Sequence[tuple[bytes, int]]:
        """What to send and how much to read, for one reading."""

    @property
    def count(self) -> Counted:
        """What it has seen."""

    def somebody(self, *, near: bool) -> None:
        """Whether somebody is known to be before it, from now on."""

    def take(self, answers: Sequence[bytes], now_ms: int) -> Sequence[Reading]:
        """The readings that these answers are. Never raises."""

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """OK; STARTING, when nothing can be said yet; or STALE and why."""


class SystemBus:
    """A bus of the system: /dev/i2c-1 and alike."""

    def __init__(self, path: str) -> None:
        from smbus2 import SMBus

        self._bus = SMBus()
        try:
            self._bus.open(path)
        except OSError:
            self._bus.close()  # what it opened and then found to be no bus, it would leave open
            raise

    def transfer(self, address: int, sent: bytes, length: int) -> bytes:
        """See Bus.transfer."""
        from smbus2 import i2c_msg

        answer = i2c_msg.read(address, length)
        self._bus.i2c_rdwr(i2c_msg.write(address, sent), answer)
        return bytes(answer)

    def close(self) -> None:
        """See Bus.close."""
        self._bus.close()


class I2cDevice(ThreadedDevice):
    """Runs a link over a bus. LOST while the bus cannot be opened or the sensor does not answer, else as the link says."""

    def __init__(
        self,
        name: str,
        bus: str,
        address: int,
        link: Callable[[int], I2cLink],
        *,
        open_bus: Callable[[str], Bus] = SystemBus,
        retry: Retry = RETRY,
    ) -> None:
        super().__init__(name, logger, retry)
        self._bus = bus
        self._address = address
        self._new_link = link
        self._open_bus = open_bus
        self._keeper = TallyKeeper()

    @property
    def tally(self) -> Tally:
        """What it has to show for itself. From any thread."""
        return self._keeper.tally

    def _live(self) -> None:
        try:
            bus = self._open_bus(self._bus)
            try:
                self._converse(bus)
            finally:
                bus.close()
        except OSError as error:
            raise DeviceLost(f"{self._bus}, address {self._address:#04x}: {in_words(error)}") from error

    def _converse(self, bus: Bus) -> None:
        self._keeper.opened()
        self._stopping.wait(POWER_S)
        link = self._new_link(monotonic_ms())
        while not self._stopping.is_set():
            answers = [self._transfer(bus, sent, length) for sent, length in link.reads]
            now_ms = monotonic_ms()
            link.somebody(near=self.near(now_ms))
            readings = link.take(answers, now_ms)
            self._keeper.looked(link.count, now_ms)
            state, detail = link.health(now_ms)
            if state is not DeviceState.STARTING:
                self._become(state, detail)
            for reading in readings:
                self._post(reading)
            self._stopping.wait(EVERY_S)

    def _transfer(self, bus: Bus, sent: bytes, length: int) -> bytes:
        answer = bus.transfer(self._address, sent, length)
        self.tap(">", sent, len(sent))
        self.tap("<", answer, len(answer))
        raw.debug("%s > %s < %s", self.name, sent.hex(" "), answer.hex(" "))
        return answer


def in_words(error: OSError) -> str:
    """Why a bus cannot be opened, or a device on it not be read, and what to do."""
    return {
        errno.ENOENT: "there is no such bus: is I²C switched on (raspi-config)?",
        errno.EACCES: "no permission: the gate's user must be in the group of the bus (i2c)",
        errno.EREMOTEIO: "nothing answers: is it wired, and powered?",
        errno.ENXIO: "nothing answers: is it wired, and powered?",
        errno.EIO: "nothing answers: is it wired, and powered?",
        errno.ETIMEDOUT: "the bus is stuck: is a line shorted?",
        errno.ENOTTY: "is no I²C bus",
        errno.EBUSY: "a driver of the system has it",
    }.get(error.errno or 0, str(error))
