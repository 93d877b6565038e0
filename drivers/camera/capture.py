"""The capture thread: reads pictures, sees that they change, and reopens what was lost."""

import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing

from drivers.camera.exposure import Exposure
from drivers.camera.frames import Exposing, NewestFrame, Source, SourceEnded, SourceLost
from drivers.camera.messages import Limits
from drivers.camera.view import FrameWatch
from drivers.readings import DeviceState

Report = Callable[[DeviceState, str], None]


class Capture(threading.Thread):
    """Keeps `slot` filled from the source that `opens` gives. `report` is told of every state, `ended` of the end."""

    def __init__(
        self,
        opens: Callable[[], Source],
        slot: NewestFrame,
        *,
        report: Report,
        ended: Callable[[str], None],
        limits: Limits,
    ) -> None:
        super().__init__(name="capture", daemon=True)
        self._opens = opens
        self._slot = slot
        self._report = report
        self._ended = ended
        self._limits = limits
        self._watch = FrameWatch(int(limits.frozen_s * 1000))
        self._leaving = threading.Event()
        self._due_s: float | None = None  # by when the driver must have returned
        self._good = False

    def stuck(self, now_s: float) -> bool:
        """Whether a camera has neither opened nor answered for too long: its driver hangs."""
        due_s = self._due_s
        return due_s is not None and now_s > due_s

    def leave(self) -> None:
        """End the thread after its present picture."""
        self._leaving.set()

    def run(self) -> None:
        """Open, read, and open again with backoff."""
        retry_s = self._limits.retry_first_s
        while not self._leaving.is_set():
            self._good = False
            self._due_s = time.monotonic() + self._limits.opening_s
            try:
                with closing(self._opens()) as source:
                    self._pump(source)
            except SourceEnded as end:
                self._due_s = None
                self._slot.wait_until_seen()
                self._ended(str(end))
                return
            except SourceLost as lost:
                self._due_s = None
                self._report(lost.state, str(lost))
            retry_s = self._limits.retry_first_s if self._good else min(retry_s * 2, self._limits.retry_longest_s)
            self._leaving.wait(retry_s)

    def _pump(self, source: Source) -> None:
        exposure = Exposure() if isinstance(source, Exposing) else None
        while not self._leaving.is_set():
            limit_s = self._limits.picture_s if self._good else self._limits.opening_s
            self._due_s = time.monotonic() + limit_s if source.live else None
            frame = source.read()
            mark = zlib.crc32(frame.gray.data)
            if source.live and not self._watch.alive(mark, time.monotonic_ns() // 1_000_000):
                raise SourceLost("the same picture for ever: the camera hangs or is covered", DeviceState.STALE)
            self._good = True
            self._report(DeviceState.OK, "")
            self._slot.put(frame, wait=not source.live)
            stops = exposure.after(frame.gray, time.monotonic_ns() // 1_000_000) if exposure else None
            if stops is not None and isinstance(source, Exposing):
                source.expose(stops)
