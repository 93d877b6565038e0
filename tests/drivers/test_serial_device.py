"""Drivers on serial ports, over real ptys with the simulators at their far end.

The cases of `Bed` run over a real module as well: name its port in MENSHEN_TEST_THERMOMETER or MENSHEN_TEST_CARD_READER
(then lay a card on the reader). Without, these are skipped.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from drivers.catalogue import MODELS, Bench
from drivers.protocols.gy_mcu90615 import FIRST_MS, Command, GyMcu90615Link, command, encode
from drivers.protocols.rdm6300 import Rdm6300Link
from drivers.protocols.rdm6300 import encode as card_frame
from drivers.protocols.stillness import HOUR_MS, Still
from drivers.readings import CardRead, DeviceState, DeviceStatus, Temperature
from drivers.serial_device import CHUNK, PROBE_MS, UNPLUGGED, SerialDevice
from drivers.settings import NoSettings, PortSettings, SimulatedThermometerSettings
from drivers.simulators.card_reader import SimulatedCardReader
from drivers.simulators.line import LineFault
from drivers.simulators.serial_device import SimulatedSerialDevice
from drivers.simulators.thermometer import SimulatedThermometer
from drivers.threaded import Retry
from tests.drivers.listening import Listener, take_name

BRISK = Retry(first_s=0.02, longest_s=0.1)
CARD, OTHER = "000414CD7E", "1F00644BB6"
ROOM = SimulatedThermometerSettings(room_c=24.0)


class Thermometer(Listener):
    """A simulated thermometer under test."""

    def __init__(self, *, baud: int = 9_600, automatic: bool = True) -> None:
        self.simulator = SimulatedThermometer("forehead", ROOM, baud=baud, automatic=automatic)
        self.device = SimulatedSerialDevice("forehead", self.simulator, GyMcu90615Link, retry=BRISK)
        super().__init__(self.device)

    @property
    def readings(self) -> list[Temperature]:
        return [one for one in self.heard if isinstance(one, Temperature)]

    def until_reading_near(self, celsius: float) -> None:
        before = len(self.readings)
        self.until(lambda: any(abs(one.object_c - celsius) < 0.5 for one in self.readings[before:]))


class Reader(Listener):
    """A simulated card reader under test."""

    def __init__(self) -> None:
        self.simulator = SimulatedCardReader("reader")
        self.device = SimulatedSerialDevice("reader", self.simulator, Rdm6300Link, retry=BRISK)
        super().__init__(self.device)

    @property
    def cards(self) -> list[str]:
        return [one.uid for one in self.heard if isinstance(one, CardRead)]


@pytest.fixture
def thermometer() -> Iterator[Thermometer]:
    with Thermometer() as listening:
        yield listening


@pytest.fixture
def reader() -> Iterator[Reader]:
    with Reader() as listening:
        listening.until_state(DeviceState.OK)
        yield listening


# over a simulator, and over a real module


@pytest.fixture(params=["simulator", "hardware"])
def any_thermometer(request: pytest.FixtureRequest) -> Any:
    if request.param == "simulator":
        return MODELS["simulated-gy-mcu90615"].build("t", ROOM, Bench())
    port = os.environ.get("MENSHEN_TEST_THERMOMETER")
    if not port:
        pytest.skip("no thermometer: MENSHEN_TEST_THERMOMETER names no port")
    return MODELS["gy-mcu90615"].build("t", PortSettings(port=port), Bench())


@pytest.fixture(params=["simulator", "hardware"])
def any_reader(request: pytest.FixtureRequest) -> Any:
    if request.param == "simulator":
        device = MODELS["simulated-rdm6300"].build("r", NoSettings(), Bench())
        device.simulator.hold(CARD)
        return device
    port = os.environ.get("MENSHEN_TEST_CARD_READER")
    if not port:
        pytest.skip("no card reader: MENSHEN_TEST_CARD_READER names no port")
    return MODELS["rdm6300"].build("r", PortSettings(port=port), Bench())


def test_a_thermometer_is_found_and_gives_plausible_readings(any_thermometer: Any) -> None:
    with Listener(any_thermometer) as listening:
        listening.until_state(DeviceState.OK)
        listening.until(lambda: sum(isinstance(one, Temperature) for one in listening.heard) >= 5)
        readings = [one for one in listening.heard if isinstance(one, Temperature)]
        assert all(0 < one.ambient_c < 50 for one in readings)
        assert any_thermometer.state is DeviceState.OK


def test_a_card_that_lies_there_is_read_once(any_reader: Any) -> None:
    with Listener(any_reader) as listening:
        listening.until(lambda: any(isinstance(one, CardRead) for one in listening.heard))
        (card,) = [one for one in listening.heard if isinstance(one, CardRead)]
        assert card.technology == "em4100"
        assert len(bytes.fromhex(card.uid)) == 5


# the port


def test_a_port_that_is_not_there_is_lost_with_its_cause_and_found_once_it_is(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    far = SimulatedThermometer("far", ROOM)
    far.start()
    try:
        with Listener(SerialDevice("forehead", str(port), GyMcu90615Link, retry=BRISK)) as listening:
            lost = listening.until_state(DeviceState.LOST)
            assert lost.detail == f"{port}: there is no such port: is it plugged in?"
            port.symlink_to(far.path)
            listening.until_state(DeviceState.OK)
        assert [one.state for one in listening.heard if isinstance(one, DeviceStatus)] == [
            DeviceState.LOST,
            DeviceState.OK,
        ]
    finally:
        far.stop()


@pytest.mark.parametrize(("port", "cause"), [("/dev/null", "is no serial port"), ("/tmp", "Is a directory")])  # noqa: S108  a folder that is there
def test_what_is_no_serial_port(port: str, cause: str) -> None:
    with Listener(SerialDevice("x", port, Rdm6300Link, retry=BRISK)) as listening:
        assert cause in listening.until_state(DeviceState.LOST).detail


def test_the_port_is_ours_alone(thermometer: Thermometer) -> None:
    thermometer.until_state(DeviceState.OK)
    with Listener(SerialDevice("second", thermometer.simulator.path, GyMcu90615Link, retry=BRISK)) as second:
        assert "another program has it open" in second.until_state(DeviceState.LOST).detail
    with pytest.raises(serial.SerialException):
        serial.Serial(thermometer.simulator.path, exclusive=True)


def test_a_driver_that_was_never_started_can_be_stopped() -> None:
    SerialDevice("x", "/dev/null", Rdm6300Link).stop()
    SimulatedSerialDevice("y", SimulatedCardReader("y"), Rdm6300Link).stop()


def test_a_stopped_driver_lets_go_of_port_and_thread(thermometer: Thermometer) -> None:
    thermometer.until_state(DeviceState.OK)
    port = thermometer.simulator.path
    thermometer.device.stop()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("forehead")]
    assert not Path(port).exists()


class GoneWhileOpening(serial.Serial):
    """A port whose device is unplugged while it is opened: pyserial lets a termios.error through."""

    unplug: Callable[[], None]

    def _reset_input_buffer(self) -> None:
        self.unplug()
        super()._reset_input_buffer()  # type: ignore[misc]  # pyserial's types leave it out


class GoneWhileReading(serial.Serial):
    """A port whose device is unplugged between two reads: pyserial lets a plain OSError through."""

    unplug: Callable[[], None]

    @property
    def in_waiting(self) -> int:
        self.unplug()
        return super().in_waiting


@pytest.mark.parametrize("port", [GoneWhileOpening, GoneWhileReading])
def test_unplugged_at_the_worst_moment(port: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Thermometer()
    monkeypatch.setattr(port, "unplug", staticmethod(listening.simulator.unplug), raising=False)
    monkeypatch.setattr(serial, "Serial", port)
    with listening:
        assert listening.until_state(DeviceState.LOST).detail.startswith("/dev/pts/")
        monkeypatch.setattr(serial, "Serial", port.__base__)
        listening.simulator.plug()
        listening.until_state(DeviceState.OK)


# the thermometer


def test_every_rate_is_tried_before_it_is_called_stale() -> None:
    assert PROBE_MS * len(GyMcu90615Link.bauds) < FIRST_MS


@pytest.mark.parametrize("baud", [9_600, 115_200])
@pytest.mark.parametrize("automatic", [True, False])
def test_a_module_is_found_at_either_rate_streaming_or_not(baud: int, automatic: bool) -> None:
    with Thermometer(baud=baud, automatic=automatic) as listening:
        listening.until_state(DeviceState.OK)
        listening.until_reading_near(24.0)


def test_a_forehead_comes_and_goes(thermometer: Thermometer) -> None:
    thermometer.simulator.approach(36.5)
    thermometer.until_reading_near(36.5)
    thermometer.simulator.leave()
    thermometer.until_reading_near(24.0)


def test_garbage_makes_it_stale_and_never_a_reading(thermometer: Thermometer) -> None:
    thermometer.until_state(DeviceState.OK)
    thermometer.simulator.fault(LineFault.GARBAGE)
    stale = thermometer.until_state(DeviceState.STALE)
    assert stale.detail.startswith("no reading for 1 s")
    assert all(abs(one.object_c - 24) < 0.5 for one in thermometer.readings)
    thermometer.simulator.fault(LineFault.NONE)
    thermometer.until_state(DeviceState.OK, count=2)


def test_a_broken_wire_is_stale_then_well_again(thermometer: Thermometer) -> None:
    thermometer.until_state(DeviceState.OK)
    thermometer.simulator.fault(LineFault.SILENT)
    assert "nothing comes any more" in thermometer.until_state(DeviceState.STALE).detail
    thermometer.simulator.fault(LineFault.NONE)
    thermometer.until_state(DeviceState.OK, count=2)


SOON = Still(near=8, warm=8, alone_ms=HOUR_MS)


@pytest.mark.parametrize("baud", [9_600, 115_200])
def test_one_that_hangs_while_somebody_is_there_is_stale_as_it_is_and_well_with_its_next_other_reading(
    monkeypatch: pytest.MonkeyPatch, baud: int
) -> None:
    """At its rate, and opened as it was: it is not looked for at another."""
    monkeypatch.setattr(GyMcu90615Link, "still", SOON)
    thermometer, came = Thermometer(baud=baud), threading.Semaphore(0)
    thermometer.device.near = lambda _now_ms: True
    thermometer.device.tap = lambda direction, _data, _length: came.release() if direction == "<" else None
    with thermometer:
        thermometer.until_state(DeviceState.OK)
        thermometer.simulator.freeze()
        stale = thermometer.until_state(DeviceState.STALE)
        assert stale.detail.startswith("frozen: the very same reading came 8 times with somebody before it")
        before, noise = len(thermometer.readings), thermometer.device.tally.noise
        while came.acquire(blocking=False):
            pass
        for _ in range(PROBE_MS // 100 + 4):
            assert came.acquire(timeout=10)
        assert (len(thermometer.readings), thermometer.device.tally.noise) == (before, noise)
        thermometer.simulator.freeze(frozen=False)
        thermometer.until_state(DeviceState.OK, count=2)
        thermometer.until(lambda: len(thermometer.readings) > before)
        assert thermometer.device.tally.reopens == 0


def test_a_line_that_repeats_the_same_bytes_is_told_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GyMcu90615Link, "still", SOON)
    thermometer = Thermometer()
    thermometer.device.near = lambda _now_ms: True
    with thermometer:
        thermometer.until_state(DeviceState.OK)
        thermometer.simulator.fault(LineFault.STUCK)
        assert thermometer.until_state(DeviceState.STALE).detail.startswith("frozen: ")
        thermometer.simulator.fault(LineFault.NONE)
        thermometer.until_state(DeviceState.OK, count=2)


def test_unplugged_in_the_middle_of_a_frame_and_plugged_in_under_another_name(
    thermometer: Thermometer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "menshen.serial")
    thermometer.until_state(DeviceState.OK)
    before = thermometer.simulator.path
    thermometer.simulator.inject(encode(42.0, 24.0)[:5])
    thermometer.simulator.unplug()
    assert thermometer.until_state(DeviceState.LOST).detail == f"{before}: {UNPLUGGED}"
    others = take_name(before)
    thermometer.simulator.plug()
    assert thermometer.simulator.path != before
    thermometer.until_state(DeviceState.OK, count=2)
    assert all(one.object_c < 30 for one in thermometer.readings)
    for fd in others:
        os.close(fd)
    levels = [record.levelname for record in caplog.records if record.name == "menshen.serial"]
    assert levels.count("WARNING") == 1  # once when it goes, however often it was tried


def test_a_flood_neither_blocks_nor_grows(thermometer: Thermometer) -> None:
    thermometer.until_state(DeviceState.OK)
    for _ in range(20):
        thermometer.simulator.inject(b"\x5a\x5a\x45\x04" * (CHUNK // 8))
    thermometer.simulator.approach(36.5)
    thermometer.until_reading_near(36.5)


def test_the_host_sends_what_the_manual_says() -> None:
    """A strict far end: it answers the stream command, and fails the test on any other byte."""
    master, slave = os.openpty()
    heard = bytearray()
    with Listener(SerialDevice("forehead", os.ttyname(slave), GyMcu90615Link, retry=BRISK)) as listening:
        while len(heard) < 3:
            heard += os.read(master, 16)
        assert bytes(heard) == bytes.fromhex("A5 45 EA") == command(Command.STREAM)
        os.write(master, bytes.fromhex("5A 5A 45 04 0E 47 0A FA 56"))
        listening.until(lambda: Temperature(36.55, 28.10) in listening.heard)
    os.close(slave)
    os.close(master)


# the card reader


def test_a_card_is_read_once_and_again_after_it_was_away(reader: Reader) -> None:
    reader.simulator.hold(CARD)
    reader.until(lambda: reader.cards == [CARD])
    reader.simulator.remove()
    reader.simulator.hold(OTHER)
    reader.until(lambda: reader.cards == [CARD, OTHER])
    reader.simulator.remove()


def test_ghosts_are_no_cards(reader: Reader) -> None:
    reader.simulator.inject(b"\x02000000000000\x03" * 5 + card_frame(OTHER) + b"\x02\xff")
    reader.simulator.hold(CARD)
    reader.until(lambda: bool(reader.cards))
    assert reader.cards == [CARD]


def test_a_reader_that_speaks_garbage_says_so(reader: Reader) -> None:
    reader.simulator.fault(LineFault.GARBAGE)
    for _ in range(3):
        reader.simulator.inject(bytes(200))
    assert "only garbage" in reader.until_state(DeviceState.STALE).detail
    reader.simulator.fault(LineFault.NONE)
    reader.simulator.hold(CARD)
    reader.until(lambda: reader.cards == [CARD])
    assert reader.device.state is DeviceState.OK


def test_a_reader_that_is_unplugged_and_plugged_in(reader: Reader) -> None:
    reader.simulator.unplug()
    reader.until_state(DeviceState.LOST)
    reader.simulator.plug()
    reader.until_state(DeviceState.OK, count=2)
    reader.simulator.hold(CARD)
    reader.until(lambda: reader.cards == [CARD])


# raw bytes


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_raw_bytes_can_be_logged_alone(level: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(level, "menshen.serial.raw")
    with Thermometer() as listening:
        listening.until_state(DeviceState.OK)
    said = [record.getMessage() for record in caplog.records if record.name == "menshen.serial.raw"]
    assert any("< 5a 5a 45 04" in line for line in said) is (level == logging.DEBUG)
    assert any("> a5 45 ea at 9600 baud" in line for line in said) is (level == logging.DEBUG)


def test_a_card_s_number_is_not_among_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Reader() as reader:
        reader.simulator.hold(CARD)
        reader.until(lambda: reader.cards == [CARD])
    assert "reader < " in caplog.text
    assert CARD not in caplog.text
    assert CARD.encode().hex(" ") not in caplog.text
