"""When a camera's driver counts as hanging: sooner once there were pictures than while it opens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera.capture import Capture
from drivers.camera.frames import Frame, NewestFrame, SourceLost
from drivers.camera.messages import LIMITS
from drivers.camera.settings import CameraSettings
from drivers.camera.sources import V4lCamera, read_photograph
from tests.drivers.camera.pictures import drawn

WAIT_S = 10.0


class Hanging:
    """A live source whose driver returns `pictures` times, and then not until it is let go."""

    live = True

    def __init__(self, pictures: int) -> None:
        self._left = pictures
        self._go = threading.Event()
        self.hangs = threading.Event()

    def read(self) -> Frame:
        if not self._left:
            self.hang()
        self._left -= 1
        return Frame(np.full((8, 8), self._left, np.uint8))

    def hang(self) -> None:
        """As a call into a driver that does not return."""
        self.hangs.set()
        assert self._go.wait(WAIT_S)
        raise SourceLost("let go")

    def let_go(self) -> None:
        """At the end of the test."""
        self._go.set()

    def close(self) -> None:
        """Nothing is held open."""


@contextmanager
def capturing(source: Hanging, *, opens: bool = True) -> Iterator[Capture]:
    """A capture whose driver hangs: in a read, or already while it opens."""

    def opener() -> Hanging:
        if not opens:
            source.hang()
        return source

    capture = Capture(opener, NewestFrame(), report=lambda *_: None, ended=lambda _: None, limits=LIMITS)
    capture.start()
    try:
        assert source.hangs.wait(WAIT_S)
        yield capture
    finally:
        capture.leave()
        source.let_go()
        capture.join(WAIT_S)


def test_a_driver_that_gave_pictures_hangs_after_three_seconds() -> None:
    with capturing(Hanging(pictures=2)) as capture:
        now_s = time.monotonic()
        assert not capture.stuck(now_s)
        assert capture.stuck(now_s + LIMITS.picture_s)
        assert LIMITS.picture_s == 3.0


@pytest.mark.parametrize("opens", [True, False], ids=["no first picture", "does not open"])
def test_opening_may_take_longer(opens: bool) -> None:
    with capturing(Hanging(pictures=0), opens=opens) as capture:
        now_s = time.monotonic()
        assert not capture.stuck(now_s + 2 * LIMITS.picture_s)
        assert capture.stuck(now_s + LIMITS.opening_s)


class FakeV4l:
    """OpenCV's capture by a script: how long each read takes, and whether there is a picture."""

    def __init__(self, *script: tuple[float, bool]) -> None:
        self._script = iter(script)
        self.now_s = 100.0
        self.exposures: list[tuple[int, float]] = []
        self.exposes = True

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's name
        return True

    def set(self, number: int, value: float) -> bool:
        if number in (cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE):
            self.exposures.append((number, value))
            return self.exposes
        return True

    def get(self, number: int) -> float:
        return 200.0 if number == cv2.CAP_PROP_EXPOSURE else 0.0

    def release(self) -> None:
        """Nothing is held open."""

    def read(self) -> tuple[bool, object]:
        took_s, good = next(self._script)
        self.now_s += took_s
        return good, np.zeros((8, 8), np.uint8) if good else None


def v4l(fake: FakeV4l) -> V4lCamera:
    """A camera at a node that there is everywhere."""
    return V4lCamera(CameraSettings(path="/dev/null"), lambda _: None, lambda *_: fake, lambda: fake.now_s)


def test_a_camera_that_stalls_is_lost_before_its_process_is_given_up() -> None:
    fake = FakeV4l((0.1, True), (0.1, False), (0.1, True), (2.0, False), (2.0, False))
    camera = v4l(fake)
    assert [camera.read().gray.size for _ in range(2)] == [64, 64], "one read that fails is no stall"
    began_s = fake.now_s
    with pytest.raises(SourceLost, match=r"/dev/null gave no picture \(tries: 1\)"):
        camera.read()
    assert fake.now_s - began_s < LIMITS.picture_s


def test_its_first_picture_may_take_longer() -> None:
    assert v4l(FakeV4l((2.0, False), (2.0, False), (0.1, True))).read().gray.size == 64
    with pytest.raises(SourceLost, match="tries: 3"):
        v4l(FakeV4l(*[(2.0, False)] * 3)).read()


def test_the_exposure_is_taken_down_by_stops_and_given_back() -> None:
    fake = FakeV4l()
    camera = v4l(fake)
    automatic, exposure = cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE
    camera.expose(-1)
    camera.expose(-3)
    camera.expose(0)
    assert fake.exposures == [
        *[(automatic, 1), (exposure, 100.0)],
        *[(automatic, 1), (exposure, 25.0)],
        (automatic, 3),
    ]
    camera.expose(-1)
    camera.close()
    assert fake.exposures[-1] == (automatic, 3), "the next program finds it as it was"


def test_a_camera_whose_exposure_cannot_be_set_is_told_once() -> None:
    fake, notices = FakeV4l(), list[str]()
    fake.exposes = False
    camera = V4lCamera(CameraSettings(path="/dev/null"), notices.append, lambda *_: fake, lambda: fake.now_s)
    notices.clear()
    camera.expose(-1)
    camera.expose(-2)
    assert notices == ["/dev/null: the exposure can't be set, so bright screens may burn out"]


def test_a_drawing_on_nothing_is_as_on_paper(tmp_path: Path) -> None:
    code = drawn("ON PAPER")
    drawing = np.zeros((*code.shape, 4), np.uint8)  # black everywhere; what is no module is transparent
    drawing[..., 3] = np.where(code == 0, 255, 0)
    assert cv2.imwrite(str(tmp_path / "drawing.png"), drawing)
    gray = read_photograph(tmp_path / "drawing.png")
    assert ((gray == 0) == (code == 0)).all()
    assert gray.max() == 255


@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_a_picture_of_16_bits_is_read(name: str, tmp_path: Path) -> None:
    code = drawn("DEEP")
    assert cv2.imwrite(str(tmp_path / name), code.astype(np.uint16) * 257)
    assert np.abs(read_photograph(tmp_path / name).astype(int) - code).max() <= 1


def test_a_camera_named_by_id_is_opened_wherever_it_is_now(tmp_path: Path) -> None:
    """`/dev/v4l/by-id/…` is a link; OpenCV wants the node, which is another one after each plugging in."""
    by_id, asked = tmp_path / "usb-camera-video-index0", list[str]()

    def capture(path: str, _backend: int) -> FakeV4l:
        asked.append(path)
        return FakeV4l()

    for node in ("/dev/null", "/dev/zero"):
        by_id.unlink(missing_ok=True)
        by_id.symlink_to(node)
        V4lCamera(CameraSettings(path=str(by_id)), lambda _: None, capture).close()
    assert asked == ["/dev/null", "/dev/zero"]
    by_id.unlink()
    with pytest.raises(SourceLost, match="is the camera plugged in"):
        V4lCamera(CameraSettings(path=str(by_id)), lambda _: None, capture)
