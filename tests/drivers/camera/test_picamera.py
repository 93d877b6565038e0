"""Cameras on the Pi's own connector, against a fake of Picamera2: there is neither a Pi nor libcamera here."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.camera import picamera
from drivers.camera.device import CameraDevice
from drivers.camera.frames import Exposing, SourceLost
from drivers.camera.picamera import PiCamera, load, sees_system_packages
from drivers.camera.settings import PicameraSettings
from drivers.readings import DeviceState
from tests.drivers.camera import fakes
from tests.drivers.camera.fakes.picamera2 import CODE, Picamera2
from tests.drivers.listening import BRISK, Listener

SMALL = PicameraSettings(width=320, height=240)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Picamera2]]:
    monkeypatch.setattr(Picamera2, "opened", [])
    monkeypatch.setattr(Picamera2, "made", [])
    monkeypatch.setattr(Picamera2, "cameras", 1)
    yield Picamera2


def opened(settings: PicameraSettings = SMALL, notices: list[str] | None = None) -> tuple[PiCamera, Picamera2]:
    camera = PiCamera(settings, ([] if notices is None else notices).append, lambda: Picamera2)
    return camera, Picamera2.made[-1]


@pytest.mark.usefixtures("library")
def test_a_picture_is_the_grey_of_its_yuv_without_the_buffer_s_padding() -> None:
    notices: list[str] = []
    camera, _ = opened(PicameraSettings(width=330, height=240), notices)
    gray = camera.read().gray
    assert gray.shape == (240, 330)
    assert gray.flags.c_contiguous
    assert gray[200:].max() < 145, "neither colours nor padding"
    assert notices == []


@pytest.mark.usefixtures("library")
def test_a_size_that_it_does_not_have_is_told() -> None:
    notices: list[str] = []
    camera, _ = opened(PicameraSettings(width=331, height=241), notices)
    assert camera.read().gray.shape == (240, 330)
    assert notices == ["asked for 331×241, the camera gives 330×240"]


@pytest.mark.usefixtures("library")
def test_it_focuses_by_itself_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened()[1].told == [{"AfMode": 2, "AfRange": 2}]
    Picamera2.opened.clear()
    monkeypatch.setattr(Picamera2, "controls_of_the_model", ("AeEnable", "ExposureTime", "AnalogueGain"))
    assert opened()[1].told == []


@pytest.mark.usefixtures("library")
def test_the_exposure_is_taken_down_by_stops_and_given_back() -> None:
    camera, fake = opened()
    fake.told.clear()
    assert isinstance(camera, Exposing)
    for stops in (-1, -3, 0):
        camera.expose(stops)
    assert fake.told == [
        {"AeEnable": False, "ExposureTime": 4_000, "AnalogueGain": 2.0},
        {"AeEnable": False, "ExposureTime": 1_000, "AnalogueGain": 2.0},
        {"AeEnable": True},
    ]


@pytest.mark.usefixtures("library")
def test_a_camera_whose_exposure_cannot_be_set_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picamera2, "controls_of_the_model", ())
    notices: list[str] = []
    camera, _ = opened(notices=notices)
    camera.expose(-1)
    camera.expose(-2)
    assert len(notices) == 1
    assert "Pi camera 0: the exposure can't be set" in notices[0]


@pytest.mark.usefixtures("library")
def test_no_picture_is_a_camera_lost_and_it_can_be_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picamera, "_WAIT_S", 0.01)
    camera, fake = opened()
    fake.stuck = True
    with pytest.raises(SourceLost, match="Pi camera 0 gave no picture"):
        camera.read()
    with pytest.raises(SourceLost, match="is another program using it"):
        opened()
    camera.close()
    opened()[0].read()


@pytest.mark.usefixtures("library")
def test_a_camera_that_is_not_there() -> None:
    with pytest.raises(SourceLost, match="Pi camera 3: there are 1 cameras: is its cable in"):
        opened(PicameraSettings(number=3))


@pytest.mark.usefixtures("library")
def test_one_that_does_not_start_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picamera2, "configure", lambda *_: None)
    with pytest.raises(SourceLost, match="does not start: Camera has not been configured"):
        opened()
    assert Picamera2.opened == []


# what is not installed


def test_without_picamera2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    monkeypatch.setattr(picamera, "sees_system_packages", lambda: False)
    with pytest.raises(SourceLost, match="sudo apt install python3-picamera2; and this virtual environment") as lost:
        load()
    assert "--system-site-packages" in str(lost.value)
    monkeypatch.setattr(picamera, "sees_system_packages", lambda: True)
    with pytest.raises(SourceLost, match=r"sudo apt install python3-picamera2$"):
        load()


def test_one_that_was_built_for_another_numpy_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(SourceLost, match=r"does not load beside NumPy .*: numpy.dtype size changed"):
        load()


@pytest.mark.parametrize(
    ("written", "sees"),
    [
        ("home = /usr/bin\ninclude-system-site-packages = true\n", True),
        ("include-system-site-packages = False", False),
        ("", False),
        (None, False),
    ],
)
def test_whether_an_environment_sees_the_system_s_packages(tmp_path: Path, written: str | None, sees: bool) -> None:
    if written is not None:
        (tmp_path / "pyvenv.cfg").write_text(written)
    assert sees_system_packages(str(tmp_path), "/usr") is sees
    assert sees_system_packages("/usr", "/usr")


# the whole device, with the library on its process's path


def test_a_code_is_read_by_the_whole_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent))
    with Listener(CameraDevice("pi", SMALL, patience=BRISK)) as listening:
        listening.until(lambda: bool(listening.codes))
        assert [code.data for code in listening.codes] == [CODE]
        listening.until_state(DeviceState.OK)


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the system's own packages may have it")
def test_the_whole_device_without_the_library_is_lost_and_says_why() -> None:
    with Listener(CameraDevice("pi", SMALL, patience=BRISK)) as listening:
        assert "sudo apt install python3-picamera2" in listening.until_state(DeviceState.LOST).detail
