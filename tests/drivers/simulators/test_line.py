"""The line between a driver and a simulated instrument: a real pty, that is plugged in and out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from drivers.simulators.line import LineFault, SerialLine


class Echo:
    """An instrument that says what it hears, in capitals."""

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self.powered = 0
        self._heard = b""

    def power_on(self, now_ms: int) -> None:
        self.powered += 1

    def hear(self, data: bytes, now_ms: int) -> None:
        self._heard += data

    def say(self, now_ms: int) -> bytes:
        said, self._heard = self._heard.upper(), b""
        return said

    def due_ms(self) -> int | None:
        return None


class Line:
    """A line with an echo at its far end."""

    def __init__(self) -> None:
        self.echo = Echo(19_200)
        self.far = SerialLine("echo", self.echo)

    def open(self, baud: int = 19_200) -> serial.Serial:
        return serial.Serial(self.far.path, baud, timeout=10)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    made.far.start()
    yield made
    made.far.stop()


def test_bytes_both_ways_unchanged(line: Line) -> None:
    everything = bytes(byte for byte in range(256) if not chr(byte).islower())
    with line.open() as port:
        port.write(everything)
        assert port.read(len(everything)) == everything.upper()


def test_at_another_rate_there_is_only_noise(line: Line) -> None:
    with line.open(9_600) as port:
        line.far.inject(b"hello, world")
        heard = port.read(12)
        assert len(heard) == 12
        assert heard != b"hello, world"
        port.baudrate = 19_200
        port.write(b"abc")
        assert port.read(3) == b"ABC"


def test_a_fault_and_its_end(line: Line) -> None:
    with line.open() as port:
        line.far.fault(LineFault.GARBAGE)
        line.far.inject(b"0123456789")
        garbage = port.read(10)
        assert len(garbage) == 10
        assert garbage != b"0123456789"
        line.far.fault(LineFault.SILENT)
        line.far.inject(b"0123456789")
        line.far.fault(LineFault.NONE)
        line.far.inject(b"well")
        assert port.read(4) == b"well"


def test_what_is_said_while_nobody_listens_is_lost(line: Line) -> None:
    line.far.inject(b"nobody hears this")
    with line.open() as port:
        line.far.inject(b"this")
        assert port.read(4) == b"this"


def test_unplugged_the_driver_meets_an_error_and_the_path_is_gone(line: Line) -> None:
    with line.open() as port:
        line.far.unplug()
        with pytest.raises(OSError):
            port.read(1)
        assert not Path(line.far.path).exists()
        line.far.unplug()
    line.far.plug()
    line.far.plug()
    assert line.echo.powered == 2
    with line.open() as port:
        port.write(b"again")
        assert port.read(5) == b"AGAIN"


def test_a_driver_that_does_not_read_holds_nobody_up(line: Line) -> None:
    with line.open() as port:
        for _ in range(100):
            line.far.inject(bytes(4_096))
        assert port.read(4_096) == bytes(4_096)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_stopped_it_leaves_nothing_behind_and_people_may_go_on(line: Line) -> None:
    before = open_files()
    line.far.stop()
    line.far.stop()
    line.far.inject(b"x")
    line.far.unplug()
    assert open_files() < before
