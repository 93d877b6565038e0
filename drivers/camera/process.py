"""The camera's process: a capture thread that keeps the newest picture, a decoding thread, and a main thread that only
listens to the gate. It has no network, and ends with the gate: at the end of its standard input, or by the kernel.
"""

import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

import msgspec

from drivers.camera import settings as models
from drivers.camera.capture import Capture
from drivers.camera.cascade import Cascade
from drivers.camera.frames import Frame, NewestFrame, Source
from drivers.camera.hints import Hints
from drivers.camera.messages import (
    MAX_PACKET,
    Beat,
    Clear,
    Code,
    Ended,
    Fault,
    FromCamera,
    Hinted,
    Limits,
    Notice,
    Open,
    Show,
    Status,
    decode_order,
    encode,
)
from drivers.camera.view import InView
from drivers.no_dumps import forbid_core_dumps
from drivers.readings import DeviceState
from drivers.simulators.scene import LiveScene, SceneSource

logger = logging.getLogger("menshen.camera")
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class Reporter:
    """Sends reports to the gate; a state only when it changes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._state = DeviceState.STARTING

    def send(self, report: FromCamera) -> None:
        """Send one report."""
        with self._lock:
            self._connection.send(encode(report))

    def status(self, state: DeviceState, detail: str) -> None:
        """Report a state."""
        if state is not self._state:
            self._state = state
            self.send(Status(state, detail))

    def notice(self, text: str) -> None:
        """Report something worth a line in the log."""
        self.send(Notice(text[:500]))

    def ended(self, detail: str) -> None:
        """Report the end of a folder or video."""
        self.send(Ended(detail))


class Decoding(threading.Thread):
    """Takes the newest picture, reads it, tells each code once while it is held up, and gives signs of life."""

    def __init__(self, capture: Capture, slot: NewestFrame, reporter: Reporter, limits: Limits) -> None:
        super().__init__(name="decode", daemon=True)
        self._capture = capture
        self._slot = slot
        self._reporter = reporter
        self._limits = limits
        self._cascade = Cascade(reporter.notice)
        self._view = InView()
        self._hints = Hints()
        self._frames = 0
        self._failures: set[str] = set()

    def run(self) -> None:
        """Decode for ever."""
        beaten_s = 0.0
        while True:
            frame = self._slot.take(self._limits.beat_s)
            if frame is not None:
                self._look(frame)
            now_s = time.monotonic()
            if self._capture.stuck(now_s):
                self._reporter.status(DeviceState.LOST, "the camera's driver does not return: its process is restarted")
                os._exit(3)
            if now_s - beaten_s >= self._limits.beat_s:
                beaten_s = now_s
                self._reporter.send(Beat(self._frames))

    def _look(self, frame: Frame) -> None:
        self._frames += 1
        try:
            look = self._cascade.read(frame.gray, still=frame.still)
        except Exception as error:
            # One bad picture must not blind the reader; the same fault in every picture is told once.
            if repr(error) not in self._failures and len(self._failures) < 32:
                self._failures.add(repr(error))
                logger.exception("a picture could not be decoded")
            return
        if frame.cut:
            self._view.cut()
        now_ms = time.monotonic_ns() // 1_000_000
        for data in self._view.look(look.places, (each.box for each in look.unread), now_ms):
            self._reporter.send(Code(data, "qr", look.codes[data]))
        hint = self._hints.after(
            frame.gray, look.unread or look.unclear, read=bool(look.codes) or frame.still, now_ms=now_ms
        )
        if hint is not None:
            self._reporter.send(Hinted(hint))


def opener(order: Open, reporter: Reporter) -> tuple[Callable[[], Source], LiveScene | None]:
    """What opens the source that was asked for, and the scene when it is the drawn one."""
    settings = msgspec.json.decode(order.settings, type=models.SETTINGS[order.model])
    if isinstance(settings, models.SimulatedCameraSettings):
        scene, fps = LiveScene(settings), settings.fps
        return lambda: SceneSource(scene, fps), scene

    if isinstance(settings, models.PicameraSettings):
        return lambda: _picamera(settings, reporter), None

    def opens() -> Source:
        from drivers.camera import sources  # OpenCV costs 16 MB, and the drawn scene does without

        match settings:
            case models.CameraSettings():
                return sources.V4lCamera(settings, reporter.notice)
            case models.FolderSettings():
                return sources.PhotoFolder(settings, reporter.notice)
            case _:
                return sources.VideoFile(settings)

    return opens, None


def _picamera(settings: models.PicameraSettings, reporter: Reporter) -> Source:
    from drivers.camera.picamera import PiCamera

    return PiCamera(settings, reporter.notice)


def main() -> None:
    """Obey the gate until it goes."""
    forbid_core_dumps()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    _die_with_the_gate()
    connection = socket.socket(fileno=sys.stdin.fileno())
    order = decode_order.decode(connection.recv(MAX_PACKET))
    if not isinstance(order, Open):
        raise SystemExit("the first message must open a source")
    reporter = Reporter(connection)
    opens, scene = opener(order, reporter)
    slot = NewestFrame()
    capture = Capture(opens, slot, report=reporter.status, ended=reporter.ended, limits=order.limits)
    threading.excepthook = _give_up
    capture.start()
    Decoding(capture, slot, reporter, order.limits).start()
    while packet := connection.recv(MAX_PACKET):
        if scene is not None:
            _obey(packet, scene)
    os._exit(0)


def _obey(packet: bytes, scene: LiveScene) -> None:
    match decode_order.decode(packet):
        case Show(data):
            scene.show(data)
        case Clear():
            scene.clear()
        case Fault(fault):
            scene.fault = fault
        case Open():
            raise SystemExit("a source is open already")


def _die_with_the_gate() -> None:
    """The gate alone ends this process: by closing the connection, by its own death, or by SIGKILL."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _give_up(failed: threading.ExceptHookArgs) -> None:
    """A thread that died takes the process with it, so that the gate starts another."""
    if isinstance(failed.exc_value, ConnectionError):
        os._exit(0)  # the gate has gone
    logger.error("thread %s died", failed.thread and failed.thread.name, exc_info=failed.exc_value)
    os._exit(1)


if __name__ == "__main__":
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")  # s; by default a stalled camera blocks for 10
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(64 * 1024 * 1024))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    main()
