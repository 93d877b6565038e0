"""The driver of an MLX90614: over a simulated bus, and over smbus2 with the kernel's end of its ioctl in our hands."""

import ctypes
import errno
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import smbus2.smbus2

from drivers.i2c_device import I2cDevice, SystemBus
from drivers.protocols.mlx90614 import ADDRESS, Mlx90614Link
from drivers.protocols.stillness import HOUR_MS, Still
from drivers.readings import DeviceState, Temperature
from drivers.settings import SimulatedThermometerSettings
from drivers.simulators.i2c import BusFault, Mlx90614Model, SimulatedI2cThermometer
from drivers.threaded import Retry, monotonic_ms
from tests.drivers.listening import Listener

BRISK = Retry(first_s=0.02, longest_s=0.1)
ROOM = SimulatedThermometerSettings(room_c=24.0)


class Sensor(Listener):
    """An MLX90614 under test."""

    def __init__(self) -> None:
        self.device = SimulatedI2cThermometer("forehead", ROOM, retry=BRISK)
        self.simulator = self.device.simulator
        super().__init__(self.device)

    @property
    def readings(self) -> list[Temperature]:
        return [one for one in self.heard if isinstance(one, Temperature)]


@pytest.fixture
def sensor() -> Iterator[Sensor]:
    with Sensor() as listening:
        listening.until_state(DeviceState.OK)
        yield listening


def test_a_person_comes_and_goes(sensor: Sensor) -> None:
    sensor.simulator.approach(36.6)
    sensor.until(lambda: abs(sensor.readings[-1].object_c - 36.6) < 0.5)
    sensor.simulator.leave()
    sensor.until(lambda: sensor.readings[-1].object_c < 25)
    assert all(23 < one.object_c < 37 for one in sensor.readings)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (BusFault.GARBAGE, "is its wire sound?"),
        (BusFault.HIGH, "is its wire sound?"),
        (BusFault.SENSOR, "its error bit is set"),
    ],
)
def test_what_is_wrong_is_stale_and_never_a_reading(sensor: Sensor, fault: BusFault, words: str) -> None:
    sensor.simulator.fault(fault)
    assert words in sensor.until_state(DeviceState.STALE).detail
    assert all(abs(one.object_c - 24) < 1 for one in sensor.readings)
    sensor.simulator.fault(BusFault.NONE)
    sensor.until_state(DeviceState.OK, count=2)


@pytest.mark.parametrize(
    ("fault", "words"), [(BusFault.CUT, "nothing answers"), (BusFault.STUCK, "is a line shorted?")]
)
def test_a_sensor_that_does_not_answer_is_lost_and_found_again(sensor: Sensor, fault: BusFault, words: str) -> None:
    sensor.simulator.fault(fault)
    detail = sensor.until_state(DeviceState.LOST).detail
    assert detail.startswith("a simulated bus, address 0x5a: ")
    assert words in detail
    sensor.simulator.plug()
    sensor.until_state(DeviceState.OK, count=2)


def test_a_sensor_that_hangs_is_stale_while_somebody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mlx90614Link, "still", Still(near=8, warm=8, alone_ms=HOUR_MS))
    sensor = Sensor()
    sensor.device.near = lambda _now_ms: True
    with sensor:
        sensor.until_state(DeviceState.OK)
        sensor.simulator.freeze()
        assert sensor.until_state(DeviceState.STALE).detail.startswith("frozen: ")
        before = len(sensor.readings)
        sensor.simulator.freeze(frozen=False)
        sensor.until_state(DeviceState.OK, count=2)
        sensor.until(lambda: len(sensor.readings) > before)


@pytest.mark.parametrize(("path", "words"), [("/dev/i2c-none", "is I²C switched on"), ("/dev/null", "is no I²C bus")])
def test_a_bus_that_is_none(path: str, words: str) -> None:
    descriptors = Path("/proc/self/fd")
    before = len(list(descriptors.iterdir()))
    with Listener(I2cDevice("x", path, ADDRESS, Mlx90614Link, retry=BRISK)) as listening:
        assert words in listening.until_state(DeviceState.LOST).detail
    assert len(list(descriptors.iterdir())) <= before


class Kernel:
    """The kernel's end: I2C_RDWR of a write and a read, as <linux/i2c-dev.h> has it."""

    I2C_FUNCS, I2C_RDWR = 0x0705, 0x0707

    def __init__(self) -> None:
        self.model = Mlx90614Model(ROOM)
        self.model.power_on(monotonic_ms() - 1_000)
        self.wrong = 0

    def ioctl(self, fd: int, request: int, argument: Any) -> int:
        if request == self.I2C_FUNCS:
            argument.value = 1
            return 0
        assert request == self.I2C_RDWR
        assert argument.nmsgs == 2
        sent, answer = argument.msgs[0], argument.msgs[1]
        assert (sent.flags, answer.flags) == (0, 1)
        assert sent.addr == answer.addr
        if self.wrong:
            raise OSError(self.wrong, "as the kernel says")
        said = self.model.transfer(sent.addr, ctypes.string_at(sent.buf, sent.len), answer.len, monotonic_ms())
        ctypes.memmove(answer.buf, said, len(said))
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    assert smbus2.smbus2.ioctl is fcntl.ioctl
    monkeypatch.setattr(smbus2.smbus2, "ioctl", made.ioctl)
    return made


def test_over_smbus2_it_says_what_the_notes_say(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "i2c-1"
    path.touch()
    with Listener(I2cDevice("forehead", str(path), ADDRESS, Mlx90614Link, retry=BRISK)) as listening:
        listening.until_state(DeviceState.OK)
        kernel.model.physics.approach(36.6, 3.0, monotonic_ms())
        listening.until(
            lambda: any(isinstance(one, Temperature) and abs(one.object_c - 36.6) < 0.5 for one in listening.heard)
        )
        kernel.wrong = errno.EREMOTEIO
        assert "nothing answers" in listening.until_state(DeviceState.LOST).detail
        kernel.wrong = 0
        listening.until_state(DeviceState.OK, count=2)


def test_smbus2_gives_the_bytes_as_they_came(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "i2c-1").touch()
    bus = SystemBus(str(tmp_path / "i2c-1"))
    kernel.model.fault = BusFault.HIGH
    assert bus.transfer(ADDRESS, b"\x07", 3) == b"\xff\xff\xff"
    bus.close()
