"""A camera on the Pi's own connector (CSI), by Picamera2: OpenCV cannot open one (opencv#22820).

Source: hardware notes 5; Picamera2's manual, "Still capture", "Camera controls and properties" and appendix A (YUV420: as many rows of
grey as the picture has, then half as many of colour, each as long as the buffer's and not the picture's). Exposure in µs.

Picamera2 comes as a Debian package of Raspberry Pi OS alone, since it has to fit the system's libcamera. So it is imported when such a
camera is opened, and what is missing is said in words. Not tried on a Pi: tested against a fake of what is used of it.
"""

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as NoPicture
from pathlib import Path
from typing import Any, Final

import numpy as np

from drivers.camera.frames import Frame, SourceLost
from drivers.camera.settings import PicameraSettings

PACKAGE: Final = "python3-picamera2"
_WAIT_S: Final = 2.0  # for a picture: as long as V4L2 waits
_CONTINUOUS, _FULL_RANGE = (
    2,
    2,
)  # libcamera's AfModeContinuous and AfRangeFull: a code is held nearer than a camera expects


def load() -> Any:
    """The class Picamera2. Raises SourceLost, saying what is to be installed."""
    try:
        from picamera2 import Picamera2  # type: ignore[import-not-found,unused-ignore]  # of the system, not of the lock
    except ImportError as error:
        raise SourceLost(_why(error)) from error
    except (ValueError, AttributeError) as error:  # how extensions fail that were built for another NumPy
        raise SourceLost(
            f"Picamera2 does not load beside NumPy {np.__version__} of this environment: {error}"
        ) from error
    return Picamera2


def _why(error: ImportError) -> str:
    said = f"Picamera2 is not there ({error}): sudo apt install {PACKAGE}"
    if not sees_system_packages():
        said += (
            "; and this virtual environment does not see Debian's packages: make it again with --system-site-packages"
        )
    return said


def sees_system_packages(prefix: str = sys.prefix, base: str = sys.base_prefix) -> bool:
    """Whether Debian's Python packages can be imported: outside a virtual environment, or in one that was made for it."""
    if prefix == base:
        return True
    try:
        lines = Path(prefix, "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return False
    values = {key.strip(): value.strip().lower() for key, _, value in (line.partition("=") for line in lines)}
    return values.get("include-system-site-packages") == "true"


class PiCamera:
    """Implements Source and Exposing."""

    live = True

    def __init__(
        self, settings: PicameraSettings, notice: Callable[[str], None], library: Callable[[], Any] = load
    ) -> None:
        self._name = f"Pi camera {settings.number}"
        self._notice = notice
        self._own: Mapping[str, Any] | None = None  # exposure and gain that the camera chose itself, while we choose
        self._exposes = True
        picamera2 = library()
        there = picamera2.global_camera_info()
        if settings.number >= len(there):
            raise SourceLost(
                f"{self._name}: there are {len(there)} cameras: is its cable in, and the Pi restarted since?"
            )
        try:
            self._camera = picamera2(settings.number)
        except (RuntimeError, IndexError, OSError) as error:
            raise SourceLost(f"{self._name} does not open: is another program using it? ({error})") from error
        try:
            self._size = self._begin(settings)
        except (RuntimeError, OSError) as error:
            self._camera.close()
            raise SourceLost(f"{self._name} does not start: {error}") from error

    def _begin(self, settings: PicameraSettings) -> tuple[int, int]:
        """Width and height that it gives."""
        camera = self._camera
        main = {"size": (settings.width, settings.height), "format": "YUV420"}
        camera.configure(camera.create_video_configuration(main=main, controls={"FrameRate": float(settings.fps)}))
        if "AfMode" in camera.camera_controls:
            camera.set_controls({"AfMode": _CONTINUOUS, "AfRange": _FULL_RANGE})
        camera.start()
        width, height = camera.camera_configuration()["main"]["size"]
        if (width, height) != (settings.width, settings.height):
            self._notice(f"asked for {settings.width}×{settings.height}, the camera gives {width}×{height}")
        return int(width), int(height)

    def read(self) -> Frame:
        """The next picture. Raises SourceLost when none comes for 2 s."""
        try:
            picture = self._camera.capture_array("main", wait=False).get_result(timeout=_WAIT_S)
        except NoPicture as error:
            raise SourceLost(f"{self._name} gave no picture for {_WAIT_S:g} s") from error
        except (RuntimeError, OSError) as error:
            raise SourceLost(f"{self._name}: {error}") from error
        width, height = self._size
        if picture.ndim != 2 or picture.shape[0] < height or picture.shape[1] < width:
            raise SourceLost(f"{self._name} gives pictures of {picture.shape}, and not {width}×{height} in YUV420")
        return Frame(np.ascontiguousarray(picture[:height, :width], dtype=np.uint8))

    def expose(self, stops: int) -> None:
        """Go to so many stops below what the camera chose itself, or with 0 let it choose. A camera that can't is told once
        and left alone."""
        if not self._exposes:
            return
        try:
            self._expose(stops)
        except (RuntimeError, OSError, KeyError, NoPicture) as error:
            self._exposes = False
            self._notice(f"{self._name}: the exposure can't be set, so bright screens may burn out ({error!r})")

    def _expose(self, stops: int) -> None:
        if not stops:
            self._own = None
            self._camera.set_controls({"AeEnable": True})
            return
        if self._own is None:
            self._own = self._camera.capture_metadata(wait=False).get_result(timeout=_WAIT_S)
        exposure = max(1, round(self._own["ExposureTime"] * 2.0**stops))
        gain = self._own["AnalogueGain"]
        self._camera.set_controls({"AeEnable": False, "ExposureTime": exposure, "AnalogueGain": gain})

    def close(self) -> None:
        """Let go of the camera. Its exposure is its own again with the next start."""
        self._camera.stop()
        self._camera.close()
