"""What the tests of devices in a process of their own share: somebody who listens, and waits without sleeping."""

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from drivers.child import Patience
from drivers.interfaces import Post
from drivers.readings import CodeRead, DeviceState, DeviceStatus, Reading

WAIT_S = 20.0
BRISK = Patience(silent_s=1.0, end_s=0.5, retry_first_s=0.05, retry_longest_s=0.2)


def take_name(path: str) -> list[int]:
    """Have a pty's name that has become free taken, be it by another process; file descriptors to close."""
    opened: list[int] = []
    while not Path(path).exists():
        opened += os.openpty()
    return opened


class Startable(Protocol):
    """A device with a process."""

    def start(self, post: Post) -> None: ...

    def stop(self) -> None: ...


class Listener(AbstractContextManager["Listener"]):
    """Starts a device, keeps what it posts, stops it."""

    def __init__(self, device: Startable) -> None:
        self._device = device
        self._changed = threading.Condition()
        self.heard: list[Reading] = []

    def __enter__(self) -> Self:
        self._device.start(self._post)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._device.stop()

    def _post(self, reading: Reading) -> None:
        with self._changed:
            self.heard.append(reading)
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; looked at again whenever something is posted."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_S), f"it never came true; heard: {self.heard}"

    def until_state(self, state: DeviceState, *, count: int = 1) -> DeviceStatus:
        """Wait until the device has said `count` times in all that it is in this state; the last time."""
        self.until(lambda: len(self.said(state)) >= count)
        return self.said(state)[count - 1]

    def said(self, state: DeviceState) -> list[DeviceStatus]:
        """Every time it came into this state."""
        return [one for one in self.heard if isinstance(one, DeviceStatus) and one.state is state]

    @property
    def codes(self) -> list[CodeRead]:
        """The codes read."""
        return [one for one in self.heard if isinstance(one, CodeRead)]

    @property
    def texts(self) -> list[str]:
        """Their texts."""
        return [code.text for code in self.codes]
