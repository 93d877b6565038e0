"""The simulated camera's scene: light, noise, and a QR that is brought near, held with a tremor and taken away.

Pure: the time is an argument, and the picture is drawn from it. `SceneSource` puts it behind the camera's interface.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import sin

import numpy as np
import numpy.typing as npt
import zxingcpp

from drivers.camera.frames import Frame, Gray, SourceLost
from drivers.camera.messages import SceneFault
from drivers.camera.settings import SimulatedCameraSettings

NEAR_MS, AWAY_MS = 250, 200  # from where it comes into view to where it is held, and back
FAR = 3.0  # times as far away as where it is held
PAPER, INK = 210, 25  # grey levels
NOISE = 4.0  # grey levels, standard deviation
_ROOM = 64  # pixels by which the noise is shifted about


@dataclass(frozen=True, slots=True)
class _Held:
    modules: Gray
    since_ms: int
    away_ms: int | None = None  # since when it is being taken away


class Scene:
    """What the camera would see."""

    def __init__(self, width: int, height: int, seed: int = 0) -> None:
        self._width, self._height = width, height
        self._random = random.Random(seed)
        self._noise = _noise(self._random, height + _ROOM, width + _ROOM)
        across, down = np.linspace(0, 50, width), np.linspace(0, 30, height)
        self._backdrop = (70 + across[None, :] + down[:, None]).astype(np.int16)
        self._held: _Held | None = None
        self._data = b""

    def show(self, data: bytes, now_ms: int) -> None:
        """Bring a QR with these bytes near and hold it. The same one again changes nothing."""
        if self._data == data:
            return
        self._data = data
        self._held = _Held(qr_modules(data), now_ms)

    def clear(self, now_ms: int) -> None:
        """Take it away."""
        self._data = b""
        if self._held is not None and self._held.away_ms is None:
            self._held = _Held(self._held.modules, self._held.since_ms, now_ms)

    def picture(self, now_ms: int) -> Gray:
        """What the sensor gives at `now_ms`; never twice the same."""
        picture = self._backdrop + int(8 * sin(now_ms / 1700))  # the light wavers
        self._draw_code(picture, now_ms)
        right, below = self._random.randrange(_ROOM), self._random.randrange(_ROOM)
        picture += self._noise[below : below + self._height, right : right + self._width]
        return np.clip(picture, 0, 255).astype(np.uint8)

    def _draw_code(self, picture: npt.NDArray[np.int16], now_ms: int) -> None:
        held = self._held
        if held is None:
            return
        distance = _distance(held, now_ms)
        if distance is None:
            self._held = None
            return
        modules = held.modules.shape[0]
        size = int(min(0.8 * self._height, 6 * modules) / distance)
        left = (self._width - size) // 2 + int(4 * sin(now_ms / 310))
        top = (self._height - size) // 2 + int(3 * sin(now_ms / 230))
        rows = np.arange(size) * modules // max(1, size)
        light = held.modules[np.ix_(rows, rows)] > 0
        picture[top : top + size, left : left + size] = np.where(light, PAPER, INK)


def _noise(source: random.Random, height: int, width: int) -> npt.NDArray[np.int16]:
    """Noise of a sensor: the sum of three even ones is close to a normal one. (numpy.random would cost 6 MB.)"""
    even = np.frombuffer(source.randbytes(3 * height * width), np.uint8).reshape(3, height, width)
    total = even.sum(axis=0, dtype=np.int16) - np.int16(383)
    return np.asarray(total * (NOISE / 128), np.int16)  # an even byte deviates by 74, three of them by 128


def _distance(held: _Held, now_ms: int) -> float | None:
    """How far away it is, 1 where it is held; None when it has left."""
    near = FAR - (FAR - 1) * min(1.0, (now_ms - held.since_ms) / NEAR_MS)
    if held.away_ms is None:
        return near
    gone = (now_ms - held.away_ms) / AWAY_MS
    return None if gone >= 1 else max(near, 1 + (FAR - 1) * gone)


def qr_modules(data: bytes) -> Gray:
    """A QR as one pixel a module, 255 for light, with its quiet zone. What is no ASCII goes in as bytes."""
    content = data.decode("ascii") if data.isascii() else data
    code = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.QRCode)
    return np.array(code.to_image(scale=1, add_quiet_zones=True), dtype=np.uint8)


class SceneSource:
    """The scene as a camera: paced, and able to fail as cameras do."""

    live = True

    def __init__(
        self,
        scene: "LiveScene",
        fps: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scene = scene
        self._every_s = 1 / fps
        self._clock = clock
        self._sleep = sleep
        self._next_s = clock()
        if scene.fault is SceneFault.UNPLUG:
            raise SourceLost("the simulated camera is unplugged")

    def read(self) -> Frame:
        """The next picture. Raises SourceLost while it is unplugged."""
        self._next_s = max(self._next_s + self._every_s, self._clock() - 1)
        self._sleep(max(0.0, self._next_s - self._clock()))
        while self._scene.fault is SceneFault.HANG:
            self._sleep(self._every_s)
        if self._scene.fault is SceneFault.UNPLUG:
            raise SourceLost("the simulated camera was unplugged")
        return Frame(self._scene.picture(int(self._clock() * 1000)))

    def close(self) -> None:
        """Nothing is held open."""


class LiveScene:
    """A scene that one thread changes and another looks at."""

    def __init__(self, settings: SimulatedCameraSettings) -> None:
        self._scene = Scene(settings.width, settings.height)
        self._lock = threading.Lock()
        self._last: Gray | None = None
        self.fault = SceneFault.NONE

    def show(self, data: bytes) -> None:
        """See Scene.show."""
        with self._lock:
            self._scene.show(data, time.monotonic_ns() // 1_000_000)

    def clear(self) -> None:
        """See Scene.clear."""
        with self._lock:
            self._scene.clear(time.monotonic_ns() // 1_000_000)

    def picture(self, now_ms: int) -> Gray:
        """See Scene.picture; frozen, it is the last one for ever, also for a camera that is opened again."""
        with self._lock:
            if self._last is None or self.fault is not SceneFault.FREEZE:
                self._last = self._scene.picture(now_ms)
            return self._last
