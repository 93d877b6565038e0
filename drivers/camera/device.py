"""The camera as the gate sees it: a code scanner. It imports no decoder and no picture library.

A decoder's bug meets a wall: capture and every decoder run in `drivers.camera.process`, which is killed and restarted
when it says nothing for 3 s, and gives itself up when the camera's driver does not return for as long.
"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Self

import msgspec

from drivers.camera.messages import (
    LIMITS,
    Beat,
    Clear,
    Code,
    Ended,
    Fault,
    Hinted,
    Limits,
    Notice,
    Open,
    SceneFault,
    Show,
    Status,
    decode_report,
    encode,
)
from drivers.camera.settings import (
    SETTINGS,
    AnyCameraSettings,
    FolderSettings,
    SimulatedCameraSettings,
    VideoSettings,
)
from drivers.child import PATIENCE, ChildDevice, ChildMisbehaved, Patience
from drivers.held_up import acceptable, as_code
from drivers.readings import CodeHint, CodeRead, DeviceStatus

logger = logging.getLogger("menshen.camera")
_NAMES = {kind: name for name, kind in SETTINGS.items()}


class CameraDevice(ChildDevice):
    """A CodeScanner over a camera, a folder of photographs or a video file, by the type of its settings."""

    def __init__(
        self, name: str, settings: AnyCameraSettings, *, patience: Patience = PATIENCE, limits: Limits = LIMITS
    ) -> None:
        super().__init__(name, "drivers.camera.process", "camera", logger, patience)
        self.ended = threading.Event()  # the folder or video has been shown to its end
        self._open = encode(Open(_NAMES[type(settings)], _as_json(settings), limits))

    def _greet(self) -> Iterable[bytes]:
        return (self._open,)

    def _hear(self, packet: bytes) -> None:
        try:
            report = decode_report.decode(packet)
        except msgspec.DecodeError as error:
            raise ChildMisbehaved(str(error)) from error
        match report:
            case Beat(frames):
                self._count(frames)
            case Code(data, symbology, decoder):
                self._read(data, symbology, decoder)
            case Hinted(hint):
                self._post(CodeHint(hint))
            case Status(state, detail):
                self._become(state, detail)
            case Notice(text):
                logger.warning("%s: %s", self.name, text)
            case Ended(detail):
                logger.info("%s: %s", self.name, detail)
                self.ended.set()
                self._post(DeviceStatus(self._state, detail))

    def _read(self, data: bytes, symbology: str, decoder: str) -> None:
        if not acceptable(data):
            raise ChildMisbehaved(f"a code of {len(data)} bytes")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = ""
        self._post(CodeRead(data, text, symbology, decoder))


class SimulatedCamera(CameraDevice):
    """A drawn scene on the real driver: a QR is brought near, held and taken away."""

    def __init__(
        self,
        name: str,
        settings: SimulatedCameraSettings,
        *,
        patience: Patience = PATIENCE,
        limits: Limits = LIMITS,
    ) -> None:
        super().__init__(name, settings, patience=patience, limits=limits)
        self._scene: tuple[bytes, ...] = ()

    @property
    def simulator(self) -> Self:
        """What people act on, as with any simulated device: the scene is drawn in the camera's own process."""
        return self

    def show(self, content: str | bytes) -> None:
        """Bring a QR of this content before the camera and hold it there. Raises WrongUse for what no QR can hold."""
        self._set(Show(as_code(content)))

    def clear(self) -> None:
        """Take it away."""
        self._set(Clear())

    def fault(self, fault: SceneFault) -> None:
        """Break the camera, or mend it with SceneFault.NONE."""
        self._child.send(encode(Fault(fault)))

    def cut_wire(self) -> None:
        """Its cable is cut."""
        self.fault(SceneFault.UNPLUG)

    def stick(self) -> None:
        """It gives the same picture for ever."""
        self.fault(SceneFault.FREEZE)

    def mend(self) -> None:
        """It is well again."""
        self.fault(SceneFault.NONE)

    def _set(self, order: Show | Clear) -> None:
        message = encode(order)
        self._scene = (message,)  # a process that is restarted sees the same scene
        self._child.send(message)

    def _greet(self) -> Iterable[bytes]:
        return (self._open, *self._scene)


def _as_json(settings: AnyCameraSettings) -> bytes:
    """The settings for the other process, whose working directory may change: a path in full."""
    if isinstance(settings, FolderSettings | VideoSettings):
        settings = replace(settings, path=str(Path(settings.path).absolute()))
    return msgspec.json.encode(settings)
