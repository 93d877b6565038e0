"""What each model of camera can be told, with unit, range and meaning beside it once."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

PHOTOGRAPHS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".gif"})
"""What the names of photographs end with, in lower case."""


def _pixels(meaning: str) -> Meta:
    return Meta(description=meaning, ge=160, le=3840, extra={"unit": "px"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraSettings:
    """A USB camera under V4L2."""

    path: Annotated[
        str,
        Meta(description="Its device, best by a name that stays: /dev/v4l/by-id/…", pattern=r"^/dev/", max_length=255),
    ]
    width: Annotated[int, _pixels("Width of the picture asked for")] = 1280
    height: Annotated[int, _pixels("Height of the picture asked for")] = 720
    fps: Annotated[int, Meta(description="Pictures a second asked for", ge=1, le=60, extra={"unit": "1/s"})] = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class PicameraSettings:
    """A camera on the Pi's own connector (CSI), through Picamera2, which is Debian's: `sudo apt install python3-picamera2`."""

    number: Annotated[
        int, Meta(description="Which of the Pi's cameras, as `rpicam-hello --list-cameras` counts", ge=0, le=7)
    ] = 0
    width: Annotated[int, _pixels("Width of the picture asked for")] = 1280
    height: Annotated[int, _pixels("Height of the picture asked for")] = 720
    fps: Annotated[int, Meta(description="Pictures a second asked for", ge=1, le=60, extra={"unit": "1/s"})] = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSettings:
    """A folder of photographs, shown one after the other; subfolders too, in natural order."""

    path: Annotated[str, Meta(description="The folder", min_length=1, max_length=4096, extra={"path": True})]
    hold_s: Annotated[
        float, Meta(description="How long each photograph is shown", ge=0, le=60, extra={"unit": "s"})
    ] = 2.0
    loop: Annotated[bool, Meta(description="Begin again after the last one")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSettings:
    """A video file, played at its own speed."""

    path: Annotated[str, Meta(description="The file", min_length=1, max_length=4096, extra={"path": True})]
    loop: Annotated[bool, Meta(description="Begin again at the end")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCameraSettings:
    """A drawn scene: light, noise, and a code that is brought near, held and taken away."""

    width: Annotated[int, _pixels("Width of the picture")] = 640
    height: Annotated[int, _pixels("Height of the picture")] = 480
    fps: Annotated[int, Meta(description="Pictures a second", ge=1, le=60, extra={"unit": "1/s"})] = 10


AnyCameraSettings = CameraSettings | PicameraSettings | FolderSettings | VideoSettings | SimulatedCameraSettings

SETTINGS: dict[str, type[AnyCameraSettings]] = {
    "camera": CameraSettings,
    "picamera": PicameraSettings,
    "folder": FolderSettings,
    "video": VideoSettings,
    "simulated-camera": SimulatedCameraSettings,
}
"""Model name → its settings."""
