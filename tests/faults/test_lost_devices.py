"""Devices that vanish, fall silent, talk nonsense or die: each is reported once and is back by itself; the others go on."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.settings import SimulatedThermometerSettings
from drivers.simulators.card_reader import SimulatedCardReader
from drivers.simulators.line import LineFault, SerialLine
from drivers.simulators.thermometer import SimulatedThermometer
from menshen.demo.cast import CARDS
from tests.installation import Installation

CAMERA = '\n[devices.camera]\nmodel = "simulated-camera"\nuse = "entry-camera"\n'
RAISED = "SELECT detail, count(*), min(cleared) FROM alarms_alarm WHERE kind = 'device-lost' GROUP BY detail"


class Socket:
    """Where an instrument is plugged in: its port has a name that stays, as below /dev/serial/by-id."""

    def __init__(self, name: Path, line: SerialLine) -> None:
        self.name = name
        self._line = line

    def plug(self) -> None:
        """Plug it in."""
        self._line.plug()
        self.name.symlink_to(self._line.path)

    def unplug(self) -> None:
        """Pull it out."""
        self.name.unlink()
        self._line.unplug()


@pytest.fixture
def ports() -> Iterator[Path]:
    """A folder below /dev, where serial ports are."""
    folder = Path(tempfile.mkdtemp(prefix="menshen-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


class Bench:
    """A thermometer and a card reader on wires that the test holds in its hands."""

    def __init__(self, ports: Path) -> None:
        self.thermometer = SimulatedThermometer("thermometer", SimulatedThermometerSettings())
        self.reader = SimulatedCardReader("card-reader")
        self.thermometer_socket = Socket(ports / "thermometer", self.thermometer)
        self.reader_socket = Socket(ports / "card-reader", self.reader)
        for line, socket in ((self.thermometer, self.thermometer_socket), (self.reader, self.reader_socket)):
            line.start()
            socket.name.symlink_to(line.path)

    def close(self) -> None:
        """Pull everything out."""
        self.thermometer.stop()
        self.reader.stop()

    def wire(self, text: str) -> str:
        """The gate's file with these two, a camera, and visits that a card alone begins and decides."""
        for name, model in (("thermometer", "gy-mcu90615"), ("card-reader", "rdm6300")):
            socket = self.thermometer_socket if name == "thermometer" else self.reader_socket
            text = text.replace(f'model = "simulated-{model}"', f'model = "{model}"\nport = "{socket.name}"')
        text = text.replace("presence_sensor = true", "presence_sensor = false")
        text = text.replace("[policy.portal]", "[policy.portal]\nrelease_s = 1.0")
        return text.replace("[policy.visit]", '[policy.steps]\nresident = ["credential"]\n\n[policy.visit]') + CAMERA


@pytest.fixture
def bench(ports: Path) -> Iterator[Bench]:
    bench = Bench(ports)
    yield bench
    bench.close()


def visit(day: Installation, bench: Bench, card: str = "resident") -> None:
    """Somebody is let in by their card."""
    bench.reader.hold(CARDS[card])
    day.hear_until("decision", outcome="granted")
    released = day.hear_until("door", state="released")
    assert released["visit"]
    bench.reader.remove()
    day.hear_until("door", state="locked")


def lost(day: Installation, device: str) -> None:
    day.hear_until("alarm", kind="device-lost", action="raised", detail=device)


def found(day: Installation, device: str) -> None:
    """Hear, unless it was heard already, that it is back."""
    while (told := [line["action"] for line in day.lines if line.get("detail") == device]) and told[-1] != "cleared":
        day.hear()


def children(pid: int, module: str) -> list[int]:
    """The process's living children that run this module."""
    pids = [int(text) for tasks in Path(f"/proc/{pid}/task").glob("*/children") for text in tasks.read_text().split()]
    return [child for child in pids if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")]


def test_they_are_reported_once_and_come_back(install: Callable[..., Installation], bench: Bench) -> None:
    day = install()
    day.configure(visits=None, change=bench.wire)
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    day.hear_until("ready")
    visit(day, bench)

    bench.thermometer_socket.unplug()
    lost(day, "thermometer")
    visit(day, bench)
    bench.thermometer_socket.plug()
    found(day, "thermometer")
    for fault in (LineFault.GARBAGE, LineFault.SILENT):
        bench.thermometer.fault(fault)
        lost(day, "thermometer")
        visit(day, bench)
        bench.thermometer.fault(LineFault.NONE)
        found(day, "thermometer")

    bench.reader_socket.unplug()
    lost(day, "card-reader")
    bench.reader_socket.plug()
    found(day, "card-reader")
    visit(day, bench)
    bench.reader.fault(LineFault.GARBAGE)
    bench.reader.hold(CARDS["resident-2"])
    lost(day, "card-reader")
    bench.reader.fault(LineFault.NONE)
    bench.reader.remove()
    found(day, "card-reader")
    visit(day, bench)

    gate = day.running["gate"].process.pid
    for device, module in (("camera", "drivers.camera.process"), ("speaker", "drivers.sound.process")):
        (before,) = children(gate, module)
        os.kill(before, signal.SIGKILL)
        lost(day, device)
        visit(day, bench)
        found(day, device)
        (after,) = children(gate, module)
        assert after != before

    day.wait_until_told()
    times = {"thermometer": 3, "card-reader": 2, "camera": 1, "speaker": 1}
    raised = [line["detail"] for line in day.lines if line.get("kind") == "device-lost" and line["action"] == "raised"]
    assert {device: raised.count(device) for device in set(raised)} == times
    day.wait_until("the office clears them", lambda: all(row[2] for row in day.ask_office(RAISED)))
    assert {row[0]: row[1] for row in day.ask_office(RAISED)} == times
    visits = day.ask_journal("SELECT count(*) FROM records WHERE kind = 'visit'")
    assert visits == [(sum(line["what"] == "decision" for line in day.lines),)] == [(8,)]
    assert day.tally().whole
