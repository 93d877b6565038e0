"""Cameras, and what stands in for one."""

from typing import Final

from drivers.camera.settings import (
    CameraSettings,
    FolderSettings,
    PicameraSettings,
    SimulatedCameraSettings,
    VideoSettings,
)
from drivers.interfaces import CodeScanner
from drivers.model import Kind, Model, Twin
from drivers.simulators.bench import Bench
from drivers.wiring import Level, Wiring


def _build(name: str, settings: CameraSettings | FolderSettings | VideoSettings, _bench: Bench) -> CodeScanner:
    from drivers.camera.device import CameraDevice

    return CameraDevice(name, settings)


def _build_twin(name: str, settings: SimulatedCameraSettings, _bench: Bench) -> CodeScanner:
    from drivers.camera.device import SimulatedCamera

    return SimulatedCamera(name, settings)


def _takes(content: str) -> None:
    from drivers.held_up import as_code

    as_code(content)


def _camera_path(settings: CameraSettings) -> tuple[str, ...]:
    return (f"camera {settings.path}",)


def _camera_number(settings: PicameraSettings) -> tuple[str, ...]:
    return (f"Pi camera {settings.number}",)


CAMERA: Final = Model(
    name="camera",
    kind=Kind.CODE_SCANNER,
    what="A camera, or photographs or a video in its place: posts CodeRead, once for a code that is held up",
    unit="the bytes of a QR code",
    source="ISO/IEC 18004; hardware notes 5",
    settings=CameraSettings,
    build=_build,
    claims=_camera_path,
    wiring=Wiring(
        summary="USB camera (UVC)",
        joins={"USB": "any USB port; a camera of 1280 by 720 on one of its own, not behind a hub with others"},
        power="from USB",
        level=Level.USB,
        example={"path": '"/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"'},
        use="entry-camera",
        notes=("The gate's user must be in the group video.",),
        source="hardware notes 5",
    ),
    twin=Twin(settings=SimulatedCameraSettings, build=_build_twin, takes=_takes),
)

PICAMERA: Final = Model(
    name="picamera",
    kind=Kind.CODE_SCANNER,
    what="A camera on the Pi's own connector (CSI), by Picamera2: posts CodeRead, once for a code that is held up",
    unit="the bytes of a QR code",
    source="hardware notes 5; Picamera2's manual. Not tried on a Pi",
    settings=PicameraSettings,
    build=_build,
    claims=_camera_number,
    wiring=Wiring(
        summary="Raspberry Pi camera on the ribbon (CSI)",
        joins={"CSI": "the Pi's camera connector, with the Pi switched off; a Pi 5 and a Zero take the narrow ribbon"},
        power="from the connector",
        level="CSI",
        example={"number": "0"},
        use="entry-camera",
        notes=(
            "Needs python3-picamera2 of the system and an environment that sees it: docs/camera.md.",
            "A ribbon longer than 30 cm picks up noise: a USB camera where the cabinet is further away.",
        ),
        source="hardware notes 5; the ribbon is general knowledge",
    ),
)

FOLDER: Final = Model(
    name="folder",
    kind=Kind.CODE_SCANNER,
    what="A camera, or photographs or a video in its place: posts CodeRead, once for a code that is held up",
    unit="the bytes of a QR code",
    source="ISO/IEC 18004; hardware notes 5",
    settings=FolderSettings,
    build=_build,
    wiring=Wiring(
        summary="a folder of photographs: nothing to connect",
        joins={},
        power="none",
        level="none",
        example={"path": '"photographs"'},
        use="entry-camera",
        source="this project",
    ),
)

VIDEO: Final = Model(
    name="video",
    kind=Kind.CODE_SCANNER,
    what="A camera, or photographs or a video in its place: posts CodeRead, once for a code that is held up",
    unit="the bytes of a QR code",
    source="ISO/IEC 18004; hardware notes 5",
    settings=VideoSettings,
    build=_build,
    wiring=Wiring(
        summary="a video file: nothing to connect",
        joins={},
        power="none",
        level="none",
        example={"path": '"day.mp4"'},
        use="entry-camera",
        source="this project",
    ),
)
