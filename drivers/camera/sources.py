"""Where pictures come from: a V4L2 camera, a folder of photographs, a video file, the drawn scene."""

import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.camera.frames import Frame, Gray, SourceEnded, SourceLost
from drivers.camera.picture_files import checked
from drivers.camera.settings import PHOTOGRAPHS, CameraSettings, FolderSettings, VideoSettings

cv2.setNumThreads(1)

_FAILURES = 3  # reads in a row that gave no picture
_STALLED_S = 1.5  # without a picture: one read that V4L2 gave up after 2 s is enough, once there was a picture
_PICTURE_BYTES = 32 * 1024 * 1024
_LONGEST_PX = 1920  # a larger photograph is made smaller: no camera at a gate gives more
_AUTO, _MANUAL = 3, 1  # V4L2_EXPOSURE_APERTURE_PRIORITY, V4L2_EXPOSURE_MANUAL
_BLANK: Gray = np.full((64, 64), 128, np.uint8)


class V4lCamera:
    """A USB camera (hardware notes, section 5)."""

    live = True

    def __init__(
        self,
        settings: CameraSettings,
        notice: Callable[[str], None],
        capture: Callable[[str, int], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._path = settings.path
        self._failures = 0
        self._delivers = False
        self._notice = notice
        self._exposes = True
        self._own_exposure: float | None = None  # 0.1 ms, while we choose
        self._check_node()
        open_capture = capture or cv2.VideoCapture
        self._capture = open_capture(str(Path(settings.path).resolve()), cv2.CAP_V4L2)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceLost(f"{settings.path} is there but does not open: is another program using it?")
        self._ask(settings, notice)

    def _ask(self, settings: CameraSettings, notice: Callable[[str], None]) -> None:
        ask = self._capture.set
        ask(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # before the size, which it bounds
        ask(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
        ask(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
        ask(cv2.CAP_PROP_FPS, settings.fps)
        ask(cv2.CAP_PROP_BUFFERSIZE, 1)
        given = (
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
        if given != (settings.width, settings.height):
            notice(f"asked for {settings.width}×{settings.height}, the camera gives {given[0]}×{given[1]}")

    def _check_node(self) -> None:
        try:
            mode = Path(self._path).stat().st_mode
        except OSError as error:
            raise SourceLost(f"{self._path}: {error.strerror or error}: is the camera plugged in?") from error
        if not stat.S_ISCHR(mode):
            raise SourceLost(f"{self._path} is no camera device")

    def read(self) -> Frame:
        """The next picture. Raises SourceLost when the node is gone, three reads in a row failed, or a camera that gave
        pictures has none for 2 s: well before a read counts as one that does not return."""
        began_s = self._clock()
        while True:
            good, picture = self._capture.read()
            if good and picture is not None and picture.size:
                self._failures, self._delivers = 0, True
                return Frame(_gray(picture))
            self._check_node()
            self._failures += 1
            stalled = self._delivers and self._clock() - began_s > _STALLED_S
            if stalled or self._failures >= _FAILURES:
                raise SourceLost(f"{self._path} gave no picture (tries: {self._failures})")

    def expose(self, stops: int) -> None:
        """Go to so many stops below what the camera chose itself, or with 0 let it choose. A camera that can't is told once
        and left alone."""
        if not self._exposes:
            return
        if stops and self._own_exposure is None:
            self._own_exposure = float(self._capture.get(cv2.CAP_PROP_EXPOSURE))
        if not stops:
            self._own_exposure = None
            self._exposes = bool(self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTO))
        else:
            exposure = max(1.0, (self._own_exposure or 0.0) * 2.0**stops)
            self._exposes = bool(
                self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
                and self._capture.set(cv2.CAP_PROP_EXPOSURE, exposure)
            )
        if not self._exposes:
            self._notice(f"{self._path}: the exposure can't be set, so bright screens may burn out")

    def close(self) -> None:
        """Let go of the device, its exposure its own again."""
        if self._own_exposure is not None:
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTO)
        self._capture.release()


class PhotoFolder:
    """Photographs in natural order, with a blank moment after each."""

    live = False

    def __init__(
        self, settings: FolderSettings, notice: Callable[[str], None], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._settings = settings
        self._notice = notice
        self._sleep = sleep
        self._shown = self._skipped = 0
        self._files = photographs(Path(settings.path))
        self._frames = self._show()

    def read(self) -> Frame:
        """The next photograph or the blank after it. Raises SourceEnded after the last."""
        frame = next(self._frames, None)
        if frame is None:
            raise SourceEnded(f"end of the folder: {self._shown} shown, {self._skipped} unreadable")
        return frame

    def close(self) -> None:
        """Nothing is held open."""

    def _show(self) -> Iterator[Frame]:
        going = True
        while going:
            shown = self._shown
            for file in self._files:
                try:
                    gray = read_photograph(file)
                except (OSError, ValueError) as error:
                    self._skipped += 1
                    self._notice(f"skipped {file.name}: {error}")
                    continue
                self._shown += 1
                yield Frame(gray, cut=True, still=True)
                self._sleep(self._settings.hold_s)
                yield Frame(_BLANK, cut=True)
            going = self._settings.loop and self._shown > shown


class VideoFile:
    """A video at its own speed; every picture counts."""

    live = False

    def __init__(self, settings: VideoSettings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = Path(settings.path)
        self._loop = settings.loop
        self._sleep = sleep
        if not self._path.is_file():  # OpenCV would take an address of the network too
            raise SourceLost(f"{self._path} is no file")
        self._capture = self._open()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._every_s = 1 / rate if 1 <= rate <= 120 else 1 / 25
        self._shown = 0
        self._next_s = time.monotonic()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise SourceLost(f"{self._path} is no video that can be read")
        return capture

    def read(self) -> Frame:
        """The next picture. Raises SourceEnded after the last."""
        good, picture = self._capture.read()
        again = not good and self._loop and self._shown > 0
        if again:
            self._capture.release()
            self._capture = self._open()
            good, picture = self._capture.read()
        if not good or picture is None:
            raise SourceEnded(f"end of the video: {self._shown} shown")
        self._shown += 1
        self._next_s = max(self._next_s + self._every_s, time.monotonic() - 1)
        self._sleep(max(0.0, self._next_s - time.monotonic()))
        return Frame(_gray(picture), cut=again)

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


def photographs(folder: Path) -> list[Path]:
    """The picture files below a folder, in natural order (image2 before image10). Raises SourceLost without any."""
    files = [file for file in folder.rglob("*") if file.suffix.lower() in PHOTOGRAPHS and file.is_file()]
    if not files:
        raise SourceLost(f"{folder} holds no photograph")
    return sorted(files, key=lambda file: _natural(file.relative_to(folder).as_posix()))


def read_photograph(file: Path) -> Gray:
    """A photograph in grey, made smaller when it is large. Raises OSError, or ValueError saying what is wrong."""
    size = file.stat().st_size
    if size == 0:
        raise ValueError("it is empty")
    if size > _PICTURE_BYTES:
        raise ValueError(f"{size} bytes are more than a photograph has")
    return picture_of(file.read_bytes())


def picture_of(data: bytes) -> Gray:
    """A picture file's bytes as read_photograph gives them. Raises ValueError saying what is wrong."""
    data = checked(data)
    picture = _decoded(data, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError("not readable as a picture")
    if picture.min() == picture.max():
        picture = _on_white(data, picture)
    return _as_gray(_no_larger(picture))


def _decoded(data: bytes, flags: int) -> Any:
    """As OpenCV decodes it; None where it cannot. Raises ValueError where it says why not."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ValueError(f"not readable as a picture: {error.err}") from error


def _no_larger(picture: Any) -> Any:
    longest = max(picture.shape[:2])
    if longest <= _LONGEST_PX:
        return picture
    size = [max(1, round(each * _LONGEST_PX / longest)) for each in (picture.shape[1], picture.shape[0])]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _on_white(data: bytes, picture: Any) -> Any:
    """A drawing that is one colour and transparent elsewhere, as on paper; any other picture as it was."""
    whole = _decoded(data, cv2.IMREAD_UNCHANGED)
    if whole is None or whole.ndim != 3 or whole.shape[2] != 4 or whole.dtype not in (np.uint8, np.uint16):
        return picture
    opaque = _no_larger(whole)[..., 3] / np.iinfo(whole.dtype).max
    return (_no_larger(picture) * opaque + 255 * (1 - opaque)).astype(np.uint8)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", name)]


def _gray(picture: Any) -> Gray:
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    return _as_gray(picture)


def _as_gray(picture: Any) -> Gray:
    return np.ascontiguousarray(picture, dtype=np.uint8)
