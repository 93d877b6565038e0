"""What devices with one thread have in common: it only reads and posts, and opens its device again when that has gone."""

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.errors import DeviceLost
from drivers.interfaces import Post
from drivers.readings import DeviceState, DeviceStatus, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How long to wait before a device is opened again, in seconds: `first_s`, doubling to `longest_s`; anew once it was
    well."""

    first_s: float = 0.5
    longest_s: float = 10.0


RETRY = Retry()
Tap = Callable[[str, bytes | None, int], None]
"""Told of all bytes: ">" sent or "<" come, the bytes (None where they are a person's), and how many."""
Near = Callable[[int], bool]
"""Whether somebody is known to be before the device at this time, monotonic ms, as other devices see it."""
STOP_S = 2.0
AGAIN_MS = 10_000
"""From one reason of a state to the next that is told."""
_NUMBER = re.compile(r"(?:\b(?:0x)?[0-9a-f]*[0-9][0-9a-f.]*\b ?)+")


def monotonic_ms() -> int:
    """Milliseconds of the monotonic clock."""
    return time.monotonic_ns() // 1_000_000


class ThreadedDevice:
    """Implements Device but for `_live`. `tap`: set before `start` by whoever wants to see the bytes; `near`: set before `start`
    by whoever knows. Both are called from the device's thread."""

    def __init__(self, name: str, logger: logging.Logger, retry: Retry) -> None:
        self.name = name
        self._logger = logger
        self._retry = retry
        self._wait_s = retry.first_s
        self._state = DeviceState.STARTING
        self._reason = ""
        self._told_ms = 0
        self._post: Post = _nowhere
        self.tap: Tap = _unheard
        self.near: Near = _nobody
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def state(self) -> DeviceState:
        """Where the device stands now."""
        return self._state

    def start(self, post: Post) -> None:
        """Open, and go on opening with backoff, on a thread of its own until `stop`."""
        self._post = post
        self._thread.start()

    def stop(self) -> None:
        """Close and end the thread, within 2 s."""
        self._stopping.set()
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                self._logger.error("%s: did not stop within %g s", self.name, STOP_S)

    def _live(self) -> None:
        """Open, then read and post until `_stopping` is set; close. Raises DeviceLost."""
        raise NotImplementedError

    def _wake(self) -> None:
        """Have a waiting `_live` look at `_stopping` at once."""

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._live()
            except DeviceLost as lost:
                self._gone(str(lost))
            except (
                Exception
            ) as error:  # a fault of ours, but a thread that ended would leave a device that says it is well
                self._logger.exception("%s: the driver failed", self.name)
                self._gone(f"the driver failed: {error!r}")

    def _gone(self, cause: str) -> None:
        self._become(DeviceState.LOST, cause)
        self._stopping.wait(self._wait_s)
        self._wait_s = min(self._wait_s * 2, self._retry.longest_s)

    def _become(self, state: DeviceState, detail: str = "") -> None:
        """Post a changed state, and another reason of the same one; log when the device goes, for which reasons, and when it comes back."""
        if state is self._state and not self._is_news(detail):
            return
        was_well = self._state in (DeviceState.STARTING, DeviceState.OK) or state is self._state
        self._state = state
        self._reason, self._told_ms = reason_of(detail), monotonic_ms()
        if state is DeviceState.OK:
            self._wait_s = self._retry.first_s
            self._logger.info("%s: ok", self.name)
        elif was_well:
            self._logger.warning("%s: %s: %s", self.name, state, detail)
        self._post(DeviceStatus(state, detail))

    def _is_news(self, detail: str) -> bool:
        """Whether it is another reason, and the last one was told some time ago: a fault that flickers is no flood."""
        return reason_of(detail) != self._reason and monotonic_ms() - self._told_ms >= AGAIN_MS


def reason_of(detail: str) -> str:
    """A detail without its numbers, which grow with every look."""
    return _NUMBER.sub("#", detail)


def _unheard(direction: str, data: bytes | None, length: int) -> None:
    """Nobody wants to see the bytes."""


def _nobody(_now_ms: int) -> bool:
    """Nobody is known to be there."""
    return False


def _nowhere(reading: Reading) -> None:
    """Before `start` nobody listens."""
