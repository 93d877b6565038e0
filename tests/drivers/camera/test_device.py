"""The camera with its real process: codes that are shown, a camera that fails in every way it can, folders and videos."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers.camera.device import CameraDevice, SimulatedCamera
from drivers.camera.messages import LIMITS, Hinted, Limits, SceneFault, encode
from drivers.camera.settings import (
    AnyCameraSettings,
    CameraSettings,
    FolderSettings,
    SimulatedCameraSettings,
    VideoSettings,
)
from drivers.child import PATIENCE, ChildMisbehaved, Patience
from drivers.errors import WrongUse
from drivers.held_up import REARM_MS
from drivers.readings import CodeHint, CodeRead, DeviceState, DeviceStatus, Hint, Reading
from tests.drivers.camera.pictures import PHOTOGRAPHS, drawn, expected_texts, film, save
from tests.drivers.listening import BRISK, Listener
from tests.drivers.processes import Watched

QUICK = Limits(beat_s=0.2, frozen_s=0.5, opening_s=600, picture_s=0.8, retry_first_s=0.05, retry_longest_s=0.2)
SMALL = SimulatedCameraSettings(width=320, height=240, fps=20)
TEXT = "MP1:6BFOXN-A PASS"


class Simulated(Listener):
    """A drawn scene under test."""

    def __init__(self, limits: Limits = QUICK) -> None:
        self.camera = SimulatedCamera("camera", SMALL, patience=BRISK, limits=limits)
        super().__init__(self.camera)


class Filed(Listener):
    """A folder or video under test."""

    def __init__(self, settings: AnyCameraSettings, limits: Limits = LIMITS, patience: Patience = PATIENCE) -> None:
        self.camera = CameraDevice("camera", settings, patience=patience, limits=limits)
        super().__init__(self.camera)

    def until_ended(self) -> str:
        """Wait until everything was shown and looked at; what was said of it."""
        self.until(lambda: any("end of the " in said.detail for said in self.said(DeviceState.OK)))
        assert self.camera.ended.is_set()
        return self.said(DeviceState.OK)[-1].detail


@contextmanager
def folder(path: Path, hold_s: float = 0) -> Iterator[Filed]:
    """A folder of photographs, shown once."""
    with Filed(FolderSettings(path=str(path), hold_s=hold_s)) as listener:
        yield listener


def read_all(path: Path) -> list[CodeRead]:
    """Every code that is read in a folder."""
    with folder(path) as listener:
        listener.until_ended()
    return listener.codes


# a code held up


def test_a_code_held_up_is_read_once_and_again_after_it_was_away() -> None:
    with Simulated() as it:
        it.camera.show(TEXT)
        it.until(lambda: len(it.codes) == 1)
        it.camera.show(TEXT)  # still there: nothing new
        it.camera.clear()
        others = 0
        away_s = time.monotonic()
        while time.monotonic() - away_s < 2 * REARM_MS / 1000:
            others += 1
            it.camera.show(f"another {others}")
            it.until(lambda: f"another {others}" in it.texts)  # noqa: B023  called before the loop goes on
        it.camera.show(TEXT)
        it.until(lambda: len(it.codes) == 2 + others)
        assert it.texts == [TEXT, *(f"another {number}" for number in range(1, others + 1)), TEXT]
        assert it.codes[0] == CodeRead(TEXT.encode(), TEXT, "qr", it.codes[0].decoder)
        assert it.codes[0].decoder.startswith("zxing-cpp")
        assert it.said(DeviceState.OK) == [DeviceStatus(DeviceState.OK)]


def test_text_that_is_no_ascii_comes_whole_and_bytes_that_are_no_text_have_none() -> None:
    with Simulated() as it:
        it.camera.show("门神 37.2 ℃")
        it.until(lambda: len(it.codes) == 1)
        it.camera.show(b"\xff\x00\x80binary\xfe")
        it.until(lambda: len(it.codes) == 2)
        assert it.texts == ["门神 37.2 ℃", ""]
        assert it.codes[1].data == b"\xff\x00\x80binary\xfe"


def test_what_no_code_can_hold_is_a_fault_of_ours() -> None:
    camera = SimulatedCamera("camera", SMALL)
    for content in ("", b"", "x" * 4297, b"\xff" * 3073):
        with pytest.raises(WrongUse, match="a QR cannot hold"):
            camera.show(content)


def test_what_is_wrong_with_a_code_that_cannot_be_read_is_told() -> None:
    heard: list[Reading] = []
    camera = CameraDevice("camera", SMALL)
    camera._post = heard.append
    camera._hear(encode(Hinted(Hint.CLOSER)))
    assert heard == [CodeHint(Hint.CLOSER)]


# a camera that fails


def test_a_camera_that_gives_the_same_picture_for_ever_is_noticed_and_returns() -> None:
    with Simulated() as it:
        it.until_state(DeviceState.OK)
        it.camera.fault(SceneFault.FREEZE)
        assert "same picture for ever" in it.until_state(DeviceState.STALE).detail
        it.camera.show(TEXT)
        it.camera.fault(SceneFault.NONE)
        it.until_state(DeviceState.OK, count=2)
        it.until(lambda: it.texts == [TEXT])
        assert len(it.said(DeviceState.STALE)) == 1, "opening it again is no recovery"


def test_an_unplugged_camera_is_lost_and_returns() -> None:
    with Simulated() as it:
        it.until_state(DeviceState.OK)
        process = it.camera.pid
        it.camera.fault(SceneFault.UNPLUG)
        assert "unplugged" in it.until_state(DeviceState.LOST).detail
        assert it.camera.state is DeviceState.LOST
        it.camera.fault(SceneFault.NONE)
        it.until_state(DeviceState.OK, count=2)
        assert it.camera.pid == process, "a lost camera costs no process"
        assert len(it.said(DeviceState.LOST)) == 1, "said once when it goes"


def test_a_driver_that_does_not_return_costs_the_process_and_the_scene_is_seen_again() -> None:
    with Simulated() as it:
        it.camera.show(TEXT)
        it.until(lambda: it.texts == [TEXT])
        hanging = Watched(it.camera.pid)
        it.camera.fault(SceneFault.HANG)
        assert "driver does not return" in it.until_state(DeviceState.LOST).detail
        assert hanging.ends()
        it.until_state(DeviceState.OK, count=2)
        it.until(lambda: it.texts == [TEXT, TEXT])
        assert it.camera.pid != hanging.pid


@pytest.mark.parametrize(
    "number, said", [(signal.SIGSTOP, "fell silent, killed"), (signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV")]
)
def test_a_process_that_hangs_or_dies_is_replaced(number: signal.Signals, said: str) -> None:
    with Simulated() as it:
        it.until_state(DeviceState.OK)
        victim = Watched(it.camera.pid)
        os.kill(victim.pid, number)
        assert said in it.until_state(DeviceState.LOST).detail
        assert victim.ends()
        it.camera.show(TEXT)
        it.until(lambda: it.texts == [TEXT])


def test_signals_meant_for_the_gate_do_not_end_the_camera() -> None:
    with Simulated() as it:
        it.until_state(DeviceState.OK)
        process = it.camera.pid
        assert process is not None
        os.kill(process, signal.SIGINT)
        os.kill(process, signal.SIGTERM)
        it.camera.show(TEXT)
        it.until(lambda: it.texts == [TEXT])
        assert it.camera.pid == process


def test_stopping_ends_the_process() -> None:
    with Simulated() as it:
        it.until_state(DeviceState.OK)
        process = Watched(it.camera.pid)
    assert process.ends(0)


@pytest.mark.parametrize("packet", [b"", b"\xc1", b"\x81\xa4type\xa5shout", bytes(range(64))])
def test_a_process_that_talks_nonsense_is_killed(packet: bytes) -> None:
    with pytest.raises(ChildMisbehaved):
        CameraDevice("camera", SMALL)._hear(packet)


@pytest.mark.parametrize(
    "path, said",
    [("/dev/no-such-camera", "is the camera plugged in?"), ("/dev/null", "does not open"), ("/dev/pts", "no camera")],
)
def test_a_camera_that_is_none_is_lost_and_says_why(path: str, said: str) -> None:
    with Filed(CameraSettings(path=path), QUICK) as it:
        assert said in it.until_state(DeviceState.LOST).detail


# photographs


REAL = (  # one that each stage reads, several codes on one, none on one
    "boof-monitor/image001.jpg",
    "boof-nominal/image003.jpg",
    "boof-rotations/image001.jpg",
    "boof-blurred/image015.jpg",
    "boof-shadows/image007.jpg",
    "neg-zxing-falsepositives/01.jpg",
    "zxing-qrcode-1/1.jpg",
)


def test_real_photographs_are_read_to_the_letter(tmp_path: Path) -> None:
    expected = [sorted(expected_texts(file)) for file in REAL]
    for number, file in enumerate(REAL):
        (tmp_path / f"{number}{Path(file).suffix}").symlink_to(PHOTOGRAPHS / file)
    read = read_all(tmp_path)
    assert {"zxing-cpp quick", "zxing-cpp evened", "zxing-cpp enlarged"} <= {code.decoder for code in read}
    unknown = "https://www.instagram.com/lethmik/"  # the manifest has one of the two codes on boof-blurred/image015.jpg
    assert sorted(code.text for code in read) == sorted([*(text for some in expected for text in some), unknown])


def test_a_photograph_that_only_zbar_reads(tmp_path: Path) -> None:
    pytest.importorskip("pyzbar.pyzbar", reason="the zbar library is not installed", exc_type=ImportError)
    texts = expected_texts("boof-glare/image017.jpg")
    (tmp_path / "glare.jpg").symlink_to(PHOTOGRAPHS / "boof-glare/image017.jpg")
    assert [(code.text, code.decoder) for code in read_all(tmp_path)] == [(texts[0], "pyzbar")]


def test_photographs_are_shown_in_natural_order_each_code_once(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    save(drawn("ten"), tmp_path / "10.png")
    save(drawn("two", "zwei"), tmp_path / "2.jpg")
    save(drawn("below"), tmp_path / "later" / "1.PNG")
    save(drawn("ten"), tmp_path / "11.png")
    (tmp_path / "notes.txt").write_text("no picture")
    with folder(tmp_path) as it:
        assert it.until_ended() == "end of the folder: 4 shown, 0 unreadable"
    assert sorted(it.texts[:2]) == ["two", "zwei"]
    assert it.texts[2:] == ["ten", "ten", "below"], "the same code on the next photograph is another visitor's"


def test_broken_picture_files_are_named_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(drawn("good"), tmp_path / "5.png")
    whole = (tmp_path / "5.png").read_bytes()
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "2.jpg").write_bytes(os.urandom(5000))
    (tmp_path / "3.png").write_bytes(whole[:60])
    (tmp_path / "4.png").symlink_to(tmp_path / "nowhere.png")
    huge = b"P5 100000 100000 255\n"  # claims 10 GB
    (tmp_path / "6.pgm").write_bytes(huge)
    with folder(tmp_path) as it:
        assert it.until_ended() == "end of the folder: 1 shown, 4 unreadable"
    assert it.texts == ["good"]
    for name in ("1.png", "2.jpg", "3.png", "6.pgm"):
        assert f"skipped {name}" in caplog.text


def test_a_photograph_larger_than_any_camera_gives_is_made_smaller_and_read(tmp_path: Path) -> None:
    save(drawn("large", module_px=100), tmp_path / "large.png")
    assert [code.text for code in read_all(tmp_path)] == ["large"]


@pytest.mark.parametrize("there", [True, False], ids=["empty", "gone"])
def test_a_folder_without_photographs_is_lost_until_there_are_some(there: bool, tmp_path: Path) -> None:
    path = tmp_path / "photographs"
    if there:
        path.mkdir()
    with Filed(FolderSettings(path=str(path), hold_s=0), QUICK) as it:
        assert it.until_state(DeviceState.LOST).detail == f"{path} holds no photograph"
        path.mkdir(exist_ok=True)
        save(drawn("at last"), path / "aside.tmp.png")
        it.until_ended()
        assert it.texts == ["at last"]


def test_a_folder_can_begin_again_after_the_last(tmp_path: Path) -> None:
    save(drawn("round"), tmp_path / "1.png")
    with Filed(FolderSettings(path=str(tmp_path), hold_s=0, loop=True)) as it:
        it.until(lambda: len(it.codes) >= 3)
        assert not it.camera.ended.is_set()


def test_a_relative_path_means_the_gates_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(drawn("here"), tmp_path / "1.png")
    monkeypatch.chdir(tmp_path)
    assert [code.text for code in read_all(Path())] == ["here"]


# videos


def test_a_video_is_read_at_its_end_and_told(tmp_path: Path) -> None:
    shown = drawn("on film", module_px=8)
    blank = shown * 0 + 128
    path = tmp_path / "visit.avi"
    film([blank] * 5 + [shown] * 10 + [blank] * 5, path)
    with Filed(VideoSettings(path=str(path))) as it:
        assert it.until_ended() == "end of the video: 20 shown"
        assert it.texts == ["on film"]


@pytest.mark.parametrize(
    "content, said", [(None, "is no file"), (b"", "no video that can be read"), (b"RIFF" * 999, "no video that can")]
)
def test_a_video_that_is_none_is_lost_and_says_why(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "visit.avi"
    if content is not None:
        path.write_bytes(content)
    with Filed(VideoSettings(path=str(path)), QUICK) as it:
        assert said in it.until_state(DeviceState.LOST).detail


# what is installed, and what is not loaded


def test_without_zbar_it_goes_on_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    library, pictures = tmp_path / "library", tmp_path / "pictures"
    library.mkdir()
    pictures.mkdir()
    (library / "pyzbar.py").write_text("raise ImportError('Unable to find zbar shared library')")
    monkeypatch.setenv("PYTHONPATH", str(library))
    for number in range(3):
        save(drawn(f"code {number}"), pictures / f"{number}.png")
        save(drawn("none") * 0 + 128, pictures / f"{number}-none.png")
    assert [code.text for code in read_all(pictures)] == ["code 0", "code 1", "code 2"]
    assert caplog.text.count("pyzbar is not installed, going on without it: Unable to find zbar shared library") == 1


def test_the_gates_process_loads_no_picture_library() -> None:
    check = "import sys, drivers.camera.device, drivers.camera.settings; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.split()
    assert "drivers.camera.device" in loaded
    assert not {"cv2", "numpy", "zxingcpp", "pyzbar"} & set(loaded)


ORPHANAGE = """
import threading
from drivers.camera.device import SimulatedCamera
from drivers.camera.settings import SimulatedCameraSettings
camera = SimulatedCamera("camera", SimulatedCameraSettings())
camera.start(lambda _: print(camera.pid, flush=True))
threading.Event().wait()
"""


def test_the_camera_ends_with_a_gate_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANAGE], stdout=subprocess.PIPE) as gate:
        assert gate.stdout is not None
        camera = Watched(int(gate.stdout.readline()))
        gate.kill()
        assert camera.ends()
