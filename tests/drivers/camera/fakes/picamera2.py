"""Picamera2, as far as the driver uses it, after its manual and its source (picamera2.py, request.py, job.py): in the same order, with
the same errors, and with YUV420 as it is there, rows as long as the buffer's. It looks at one code.
"""

from concurrent.futures import Future
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from drivers.simulators.scene import qr_modules

ALIGNED = 64  # bytes that a row of the buffer is a multiple of
CODE = b"SEEN BY A PI"


class Job(Future[Any]):
    """What is asked for without waiting."""

    def get_result(self, timeout: float | None = None) -> Any:
        """The result. Raises TimeoutError, and what went wrong."""
        return self.result(timeout)


class Picamera2:
    """`cameras`: how many there are; `stuck`: no picture comes any more."""

    cameras: ClassVar[int] = 1
    controls_of_the_model: ClassVar[tuple[str, ...]] = ("AeEnable", "ExposureTime", "AnalogueGain", "AfMode", "AfRange")
    opened: ClassVar[list[int]] = []
    made: ClassVar[list["Picamera2"]] = []

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        """One dict a camera, in their order."""
        return [
            {"Model": "imx708", "Location": 2, "Rotation": 180, "Id": f"/base/soc/i2c0mux/i2c@{number}/imx708@1a"}
            for number in range(Picamera2.cameras)
        ]

    def __init__(self, camera_num: int = 0) -> None:
        if camera_num in self.opened:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.opened.append(camera_num)
        self.made.append(self)
        self.number = camera_num
        self.stuck = False
        self.told: list[dict[str, Any]] = []
        self._config: dict[str, Any] | None = None
        self._started = False
        self._noise = np.random.default_rng(1)

    def create_video_configuration(self, main: dict[str, Any], controls: dict[str, Any]) -> dict[str, Any]:
        """A configuration, not yet in force."""
        return {"main": {"size": (640, 480), "format": "XBGR8888", **main}, "controls": controls, "buffer_count": 6}

    def configure(self, config: dict[str, Any]) -> None:
        """Put it in force: width and height come out even."""
        if self._started:
            raise RuntimeError("Camera must be stopped before configuring")
        width, height = (each // 2 * 2 for each in config["main"]["size"])
        stride = -(-width // ALIGNED) * ALIGNED
        self._config = {**config, "main": {**config["main"], "size": (width, height), "stride": stride}}

    def camera_configuration(self) -> dict[str, Any]:
        """The one in force."""
        assert self._config is not None
        return self._config

    @property
    def camera_controls(self) -> dict[str, tuple[Any, Any, Any]]:
        """Lowest, highest and default of each that this camera has."""
        return dict.fromkeys(self.controls_of_the_model, (0, 1, 0))

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Raises RuntimeError for one that there is not."""
        for name in controls:
            if name not in self.controls_of_the_model:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self.told.append(controls)

    def start(self) -> None:
        """Pictures come from now on."""
        if self._config is None:
            raise RuntimeError("Camera has not been configured")
        self._started = True

    def capture_array(self, name: str = "main", wait: bool | None = None) -> Job:
        """The next picture of a stream."""
        assert name == "main"
        assert wait is False
        return self._job(self._picture)

    def capture_metadata(self, wait: bool | None = None) -> Job:
        """What the next picture was taken with."""
        assert wait is False
        return self._job(lambda: {"ExposureTime": 8_000, "AnalogueGain": 2.0, "Lux": 300.0})

    def _job(self, result: Any) -> Job:
        if not self._started:
            raise RuntimeError("Camera is not started")
        job = Job()
        if not self.stuck:
            job.set_result(result())
        return job

    def _picture(self) -> npt.NDArray[np.uint8]:
        main = self.camera_configuration()["main"]
        assert main["format"] == "YUV420"
        (width, height), stride = main["size"], main["stride"]
        picture = np.full((height * 3 // 2, stride), 128, np.uint8)
        picture[:height, :width] = self._noise.integers(110, 140, (height, width))
        picture[:height, width:] = 255  # whatever lies there
        code = np.kron(qr_modules(CODE), np.ones((4, 4), np.uint8))
        picture[20 : 20 + code.shape[0], 20 : 20 + code.shape[1]] = code
        return picture

    def stop(self) -> None:
        """No more pictures."""
        self._started = False

    def close(self) -> None:
        """Somebody else may open it."""
        if self.number in self.opened:
            self.opened.remove(self.number)
