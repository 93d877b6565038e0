"""`menshen devices`: the five commands, against a made machine and against devices simulated in another process."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial
from click.testing import CliRunner, Result

from drivers.catalogue import MODELS, Bench
from drivers.connected import Kind, System
from drivers.holding import Holder, holder
from drivers.models.modbus import registers_of
from drivers.protocols.gy_mcu90615 import GyMcu90615Link
from drivers.protocols.modbus import SIMULATED
from drivers.protocols.stillness import HOUR_MS, Still
from drivers.readings import (
    CardRead,
    CardUnread,
    CodeHint,
    CodeRead,
    DeviceState,
    DeviceStatus,
    Hint,
    Level,
    Temperature,
)
from drivers.settings import SimulatedThermometerSettings
from drivers.simulators.identity_card import SimulatedIdentityCard
from drivers.simulators.standalone import PERSON
from menshen.cli import main
from menshen.devices.listing import Used, missing
from menshen.devices.simulating import by_hand, section
from menshen.devices.watching import Watched, built, in_words, raw_in_words, screen, settings_of
from tests.drivers.listening import Listener
from tests.drivers.machine import raspberry_pi
from tests.drivers.models import REAL, settings
from tests.gateway.config.files import devices, sections

WAIT_S = 20
FOREHEAD = "/dev/shm/forehead"  # noqa: S108  a link of the page's


def run(*words: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(main, ["devices", *words])


class Elsewhere:
    """`menshen devices simulate` in another process."""

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-m", "menshen", "devices", "simulate", *words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = self.process.stdout.readline().strip()

    def do(self, words: str) -> str:
        """Say what happens; what it answers."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        return self.process.stderr.readline().strip()


@contextmanager
def elsewhere(*words: str) -> Iterator[Elsewhere]:
    """Until Ctrl-C."""
    there = Elsewhere(*words)
    try:
        yield there
    finally:
        there.process.send_signal(signal.SIGINT)
        assert there.process.wait(WAIT_S) == 0
        for pipe in (there.process.stdin, there.process.stdout, there.process.stderr):
            if pipe is not None:
                pipe.close()


# list


def gate_file(folder: Path) -> Path:
    path = folder / "gate.toml"
    path.write_text(
        sections(portal='kind = "open"')
        + devices("thermometer", "reader", "presence", "contact", "button", "lock", "camera")
        + '[devices.forehead]\nmodel = "gy-mcu90615"\nuse = "thermometer"\n'
        'port = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"\n'
        '[devices.cards]\nmodel = "rdm6300"\nuse = "entry-reader"\nport = "/dev/ttyUSB9"\n'
        '[devices.codes]\nmodel = "camera"\nuse = "entry-camera"\npath = "/dev/video0"\n'
        '[devices.someone]\nmodel = "gpio-input"\nuse = "presence"\npin = 17\n'
        '[devices.passing]\nmodel = "gpio-input"\nuse = "beam"\npin = 27\n'
        '[devices.voice]\nmodel = "loudspeaker"\nuse = "speaker"\ndevice = "plughw:CARD=Device"\n',
        "utf-8",
    )
    return path


def test_list_says_what_to_write_and_who_uses_it(tmp_path: Path) -> None:
    raspberry_pi(tmp_path / "pi")
    answer = run("list", "--root", str(tmp_path / "pi"), "--config", str(gate_file(tmp_path)), "--json")
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    by = {row["value"]: row["used_by"] for row in told["connected"] if row["value"]}
    assert by["/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"] == ["forehead"]
    # the file calls it /dev/video0, which is the same
    assert by["/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920_5F2A3B4C-video-index0"] == ["codes"]
    assert by["plughw:CARD=Device"] == ["voice"]
    assert by["2 to 27"] == ["someone (pin 17)", "passing (pin 27)"]
    assert by["/dev/serial0"] == []
    assert told["missing"] == [{"device": "cards", "kind": "serial port", "value": "/dev/ttyUSB9"}]


def test_list_for_people(tmp_path: Path) -> None:
    raspberry_pi(tmp_path / "pi")
    answer = run("list", "--root", str(tmp_path / "pi"), "--config", str(gate_file(tmp_path)))
    lines = answer.stdout.splitlines()
    ftdi = 'port = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"'
    assert [line.split("\t")[1:4:2] for line in lines if ftdi in line] == [[ftdi, "forehead"]]
    assert any(line.startswith("GPIO chip\tpin = 2 to 27\t") for line in lines)
    assert lines[-1] == "not connected: serial port /dev/ttyUSB9, which [devices.cards] names"


def test_list_of_nothing_says_what_to_check(tmp_path: Path) -> None:
    answer = run("list", "--root", str(tmp_path))
    assert answer.exit_code == 0
    assert "dtparam=i2c_arm=on" in answer.stdout
    assert json.loads(run("list", "--root", str(tmp_path), "--json").stdout) == {"connected": [], "missing": []}
    told = run("list", "--root", str(tmp_path), "--config", str(gate_file(tmp_path))).output
    assert "not connected: pin 17, which [devices." in told


def test_list_of_this_machine() -> None:
    answer = run("list")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout


# models


def test_models_are_all_there() -> None:
    rows = [line.split("\t") for line in run("models").stdout.splitlines()]
    assert {row[0] for row in rows} == set(REAL)
    assert all(all(row) for row in rows)


def test_models_of_a_kind_and_whole() -> None:
    told = json.loads(run("models", "card reader", "--json").stdout)
    assert {each["model"] for each in told} == {name for name in REAL if MODELS[name].kind == "card reader"}
    assert all(each["wiring"]["source"] and each["source"] for each in told)
    assert "no kind has 'toaster'" in run("models", "toaster").output


# simulate


def test_another_program_opens_what_is_simulated(tmp_path: Path) -> None:
    link = tmp_path / "thermometer"
    with elsewhere("gy-mcu90615", "--link", str(link), "--waits", "--do", "approach 37.5") as there:
        assert os.path.realpath(link) == there.port
        with serial.Serial(there.port, 9_600, timeout=5) as port:
            seen = [asked(port)]
            while seen[-1] < 37 and len(seen) < 5_000:  # he comes near within 0.2 s
                seen.append(asked(port))
        assert abs(seen[-1] - 37.5) < 0.7
    assert not link.is_symlink()


def asked(port: serial.Serial) -> float:
    """One reading, °C, as hardware notes 1.1 have it."""
    port.write(bytes.fromhex("A5 15 BA"))
    frame = port.read(9)
    assert frame[:4] == bytes.fromhex("5A 5A 45 04")
    return int.from_bytes(frame[4:6], "big") / 100


def test_our_own_driver_reads_it_and_it_is_acted_on(tmp_path: Path) -> None:
    with elsewhere("gy-mcu90615", "--link", str(tmp_path / "sim")) as there:
        device = MODELS["gy-mcu90615"].build("t", settings("gy-mcu90615", port=there.port), Bench())
        device._port = str(tmp_path / "sim")  # no path below /dev, but the same
        with Listener(device) as listening:
            listening.until_state(DeviceState.OK)
            assert there.do("approach 38.4") == "somebody of 38.4 °C, 3 cm away"
            listening.until(lambda: any(isinstance(one, Temperature) and one.object_c > 38 for one in listening.heard))
            assert there.do("unplug") == "unplugged"
            listening.until_state(DeviceState.LOST)
            assert there.do("plug").startswith("plugged in: /dev/pts/")
            listening.until_state(DeviceState.OK, count=2)
            assert "nothing that can be done" in there.do("dance")


def test_probe_finds_it_and_watch_shows_it() -> None:
    with elsewhere("cjmcu-90614", "--baud", "9600", "--do", "approach 36.5") as there:
        found = run("probe", there.port, "--hurry", "0.2", "--hold", "0", "--json")
        assert json.loads(found.stdout)["found"][0] | {"messages": 3} == {
            "model": "cjmcu-90614", "confidence": "sure", "baud": 9600, "messages": 3, "why": ""
        }  # fmt: skip
        shown = run("watch", "--model", "cjmcu-90614", "--port", there.port, "--raw", "--seconds", "2")
        assert "> 66 66 01 56  |ff·V|" in shown.stdout
        assert "< 66 66 01 04 " in shown.stdout
        assert "36.5" in shown.stdout
        assert "last valid frame: " in shown.stdout
        told = run("watch", "--model", "cjmcu-90614", "--port", there.port, "--json", "--seconds", "2")
        last = [each for each in map(json.loads, told.stdout.splitlines()) if each["kind"] == "tally"][-1]
        assert last["state"] == "ok"
        assert last["frames"] > 3
        assert last["since_valid_s"] < 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mlx90614"], 'model = "simulated-mlx90614"'),
        (["gpio-input"], 'model = "simulated-input"'),
        (["simulated-wiegand"], 'is inside the gate alone: write model = "simulated-wiegand"'),
        (["gpio-input"], 'write model = "simulated-input"'),
        (["picamera"], 'has no simulator of its own: the gate\'s drawn camera is model = "simulated-camera"'),
        (["folder"], "a folder stands in for a camera as it is: menshen devices watch --model folder --port PATH"),
        (["video"], "a video stands in for a camera as it is"),
        (["toaster"], "there is no model 'toaster'"),
        (["rdm6300", "--baud", "19200"], "this model has one rate"),
        (["gy-mcu90615", "--baud", "4800"], "gy-mcu90615 has no 4800 baud; it has 9600, 115200"),
        (["rdm6300", "--link", "/dev/null"], "is no link"),
    ],
)
def test_what_cannot_be_simulated_says_why(words: list[str], said: str) -> None:
    answer = run("simulate", *words)
    assert answer.exit_code == 1
    assert said in answer.output


def test_what_to_write_for_the_simulated_modbus_sensor_reads_it() -> None:
    """Told at its start, by `watch`, and on the page: the same, and it is what the simulator has."""
    told = section("modbus-thermometer", FOREHEAD)
    written = tomllib.loads(told[told.index("  [") : told.index("or: ")])
    page = (Path(__file__).parents[2] / "docs" / "devices.md").read_text("utf-8")
    (shown,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert written["devices"]["thermometer"] == tomllib.loads(shown)["devices"]["forehead"]
    more = dict(each.split("=") for each in by_hand("modbus-thermometer").split() if "=" in each)
    assert registers_of(settings_of("modbus-thermometer", FOREHEAD, more)) == SIMULATED
    without = run("watch", "--model", "modbus-thermometer", "--port", FOREHEAD)
    assert by_hand("modbus-thermometer") in without.output
    assert section("gy-mcu90615", "/dev/pts/3") == ""


def test_a_port_that_is_there_under_a_name_of_one_s_own_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    named = [Used("a", Kind.SERIAL, "/there"), Used("b", Kind.SERIAL, "/gone"), Used("c", Kind.GPIO, "/there")]
    assert [each.device for each in missing([], named, System(tmp_path))] == ["b", "c"]


# probe


def test_probe_says_what_is_wrong_with_a_port(tmp_path: Path) -> None:
    answer = run("probe", str(tmp_path / "ttyUSB0"))
    assert (answer.exit_code, "there is no such port" in answer.output) == (1, True)
    assert "there is no such bus" in run("probe", "/dev/i2c-99").output


@contextmanager
def held_file(path: str) -> Iterator[None]:
    """Another process has it as its standard input."""
    with open(path, "rb") as file, subprocess.Popen(["sleep", "60"], stdin=file) as process:  # noqa: PTH123
        try:
            yield
        finally:
            process.kill()


@contextmanager
def held(path: str, *words: str) -> Iterator[int]:
    """Another process with these words has it open; its id."""
    code = "import sys, serial; port = serial.Serial(sys.argv[1], exclusive=True); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, path, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.stdin.close() if process.stdin else None


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """Of a thermometer."""
    with elsewhere("gy-mcu90615") as there:
        yield there.port


def test_a_port_that_the_gate_has_names_it_and_where_to_look_instead(port: str) -> None:
    with held(port, "menshen", "gate", "run", "--config", "x") as pid:
        probed = run("probe", port)
        assert f"The gate that runs here has it (process {pid})" in probed.output
        watched = run("watch", "--model", "gy-mcu90615", "--port", port)
        assert watched.exit_code == 1
        for where in (f"process {pid}", "guard's page", "menshen wire tail", "systemctl stop menshen-gate"):
            assert where in watched.output


def test_a_port_that_another_program_has_names_it(port: str) -> None:
    with held(port, "minicom", "--password=hunter2") as pid:
        called = Path(f"/proc/{pid}/comm").read_text().strip()
        said = run("probe", port).output
        assert f"Process {pid} ({called}) has it open" in said
        assert "hunter2" not in said and "minicom" not in said, "what another user's process was told is nobody's"
        assert "hunter2" not in repr(holder(port))
        found = holder(port)
        assert found is not None
        assert (found.pid, found.is_gate) == (pid, False)
    assert holder("/dev/nothing-of-this-name") is None


@pytest.mark.parametrize(
    ("command", "is_gate"),
    [
        ("/opt/menshen/.venv/bin/python /opt/menshen/.venv/bin/menshen gate run --config gate.toml", True),
        ("python -m menshen gate run", True),
        ("menshen gate check", False),
        ("", False),
    ],
)
def test_a_gate_is_known_by_its_command(command: str, is_gate: bool) -> None:
    assert Holder(1, "python", command).is_gate is is_gate


def test_what_is_no_serial_port_is_refused_and_nobody_who_has_it_open_is_named() -> None:
    with held_file("/dev/null"):
        answer = run("probe", "/dev/null")
    assert answer.exit_code == 1
    assert answer.output.strip().endswith("Error: /dev/null: is no serial port")


# watch


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give NAME and --config FILE"),
        (["--model", "toaster"], "there is no model 'toaster'"),
        (["--model", "gpio-input", "--port", "/dev/x"], "has no port"),
        (["--model", "gpio-input", "--set", "pin=99"], "out of range"),
        (
            ["--model", "modbus-thermometer", "--port", "/dev/x", "--set", "object_register=40001"],
            "object_register = 0, and",
        ),
        (["--model", "gm65", "--port", "/dev/x", "--set", "colour=red"], "unknown key"),
        (["--model", "gpio-output", "--set", "pin=17"], "says nothing that could be watched"),
    ],
)
def test_watch_says_what_it_was_not_told(words: list[str], said: str) -> None:
    answer = run("watch", *words)
    assert answer.exit_code in (1, 2)
    assert said in answer.output


def test_watch_takes_a_device_of_a_gate(tmp_path: Path) -> None:
    answer = run("watch", "cards", "--config", str(gate_file(tmp_path)), "--seconds", "0.3")
    assert "lost: /dev/ttyUSB9: there is no such port" in answer.stdout
    assert "it has forehead, cards" in run("watch", "door", "--config", str(gate_file(tmp_path))).output


def test_of_an_identity_card_only_what_the_settings_allow_is_shown() -> None:
    """Everything that `watch` would print, of a real driver over a pty."""
    for fields, shown in (([], False), (["name"], True)):
        line = SimulatedIdentityCard("card")
        line.start()
        told = settings("identity-card", port=line.path, fields=fields)
        device: Any = MODELS["identity-card"].build("card", told, Bench())
        came = threading.Event()
        watched = Watched("card", "identity-card", raw=True, changed=lambda: None)

        def post(reading: Any, watched: Watched = watched, came: threading.Event = came) -> None:
            watched.post(reading)
            if isinstance(reading, CardRead):
                came.set()

        device.tap = watched.tap
        device.start(post)
        line.hold(dict(PERSON))
        assert came.wait(WAIT_S)
        device.stop()
        line.stop()
        everything = "\n".join(text for _, text in watched.fresh())
        assert "bytes (a person's: not shown)" in everything
        assert ("张三" in everything) is shown
        assert "11010519491231002X" not in everything
        assert "19491231".encode("utf-16-le").hex(" ") not in everything


def test_who_watches_is_somebody_before_the_thermometer_and_sees_that_it_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a pty, and its sensor hangs."""
    monkeypatch.setattr(GyMcu90615Link, "still", Still(near=12, warm=12, alone_ms=HOUR_MS))
    device = built("forehead", "simulated-gy-mcu90615", SimulatedThermometerSettings())
    assert device.near(0)
    watched = Watched("forehead", "simulated-gy-mcu90615", raw=False, changed=lambda: None)
    with Listener(device) as listening:
        listening.until(lambda: any(isinstance(one, Temperature) for one in listening.heard))
        device.simulator.freeze()
        said = listening.until_state(DeviceState.STALE)
        assert said.detail.startswith("frozen: the very same reading came 12 times with somebody before it")
        for reading in listening.heard:
            watched.post(reading)
    assert watched.state is DeviceState.STALE
    assert watched.readings[-1].endswith(" equal readings")


def test_readings_in_words() -> None:
    assert in_words(Temperature(36.5, 24.0)) == "36.50 °C (sensor 24.00 °C)"
    assert in_words(Temperature(35.0, None, 36.6)) == "35.00 °C, body 36.60 °C (does not tell its surroundings)"
    assert in_words(CardRead("24D34F59", "iso14443a")) == "card 24D34F59 (iso14443a)"
    assert in_words(CardUnread("its number has a wrong check digit")).endswith(": its number has a wrong check digit")
    assert in_words(Level(True)) == "active"
    assert in_words(CodeHint(Hint.CLOSER)) == "something like a code, which cannot be read: closer"
    assert in_words(DeviceStatus(DeviceState.LOST, "gone")) == "lost: gone"


def test_a_code_is_shown_by_its_beginning_alone_and_steers_no_terminal() -> None:
    text = "MP1:\x1b[31m" + "SECRET" * 20
    said = in_words(CodeRead(text.encode(), text, "qr", "zxing"))
    assert said.startswith("code of 129 bytes: MP1:\\x1b[31mSEC…")
    assert "SECRET" not in said
    assert in_words(CodeRead(b"\xff\xfe\x00", "", "", "gm65")) == "code of 3 bytes: ff fe 00 (kind not told, gm65)"


def test_bytes_in_words() -> None:
    assert raw_in_words("<", b"\x5aZ\n\xff", 4) == "< 5a 5a 0a ff  |ZZ··|"
    assert raw_in_words("<", None, 1295) == "< 1295 bytes (a person's: not shown)"
    assert raw_in_words("<", bytes(100), 100).count("00 ") == 64 - 1 + 1


def test_a_screen_is_made_of_it() -> None:
    from io import StringIO

    from rich.console import Console

    from drivers.tally import Tally

    watched = Watched("forehead", "gy-mcu90615", raw=True, changed=lambda: None)
    watched.post(Temperature(36.5, 24.0))
    watched.post(DeviceStatus(DeviceState.STALE, "no reading for 1 s: [red]nothing[/] came"))
    watched.tap("<", b"ZZ", 2)
    sink = StringIO()
    Console(file=sink, width=100).print(screen(watched, Tally(3, 1, 7, 2, None)))
    text = sink.getvalue()
    for part in ("forehead (gy-mcu90615)", "stale", "[red]nothing[/] came", "36.50 °C", "none yet; 3 frames, 1 bad", "< 5a 5a"):  # fmt: skip
        assert part in text
