"""A simulated scanner that types: a pipe with a keyboard's events, which cannot be grabbed, and so remembers that it was.

What the kernel does with a real one (its grab, and the event nodes) is not in it.
"""

import fcntl
import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from drivers.held_up import as_code
from drivers.hid_scanner import HidScanner
from drivers.interfaces import Post
from drivers.protocols.hid_keys import EVENT, encode
from drivers.threaded import RETRY, Retry

ROOM: Final = (
    1 << 20
)  # bytes of events that the pipe holds: whatever a QR holds, twice a key and with Shift (fs.pipe-max-size)


class SimulatedKeyboard:
    """What people can do with the scanner."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="menshen-hid-"))
        self._lock = threading.Lock()
        self._writer = -1
        self._plugged = 0
        self.path = str(self._folder / "unplugged")
        self.grabs = 0

    def plug(self) -> None:
        """Plug it in; its name may be another one."""
        with self._lock:
            if self._writer < 0:
                self._plugged += 1
                self.path = str(self._folder / f"event{self._plugged}")
                os.mkfifo(self.path, 0o600)
                self._writer = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, ROOM)

    def unplug(self) -> None:
        """Pull it out."""
        with self._lock:
            if self._writer >= 0:
                os.close(self._writer)
                self._writer = -1
                Path(self.path).unlink()

    def cut_wire(self) -> None:
        """Its cable is cut."""
        self.unplug()

    def mend(self) -> None:
        """It is whole again, and plugged in."""
        self.plug()

    def close(self) -> None:
        """Unplug it and leave nothing behind."""
        self.unplug()
        shutil.rmtree(self._folder, ignore_errors=True)

    def grab(self, _device: int) -> None:
        """In the place of the kernel's."""
        self.grabs += 1

    def show(self, content: str) -> None:
        """Hold up a code of this content: it is typed, once. Raises WrongUse for what no QR can hold."""
        as_code(content)
        self.send(encode(content))

    def clear(self) -> None:
        """Take it away, of which a keyboard says nothing."""

    def send(self, events: bytes) -> None:
        """Have these events typed, whole ones or not. What nobody hears is lost."""
        with self._lock:
            if self._writer >= 0:
                with suppress(BlockingIOError):  # nobody has listened for long: as a keyboard's, they are lost
                    os.write(self._writer, events)

    def half(self, content: str) -> None:
        """Type the first half of a code."""
        events = encode(content)
        self.send(events[: len(events) // (2 * EVENT.size) * EVENT.size])


class SimulatedHidScanner(HidScanner):
    """The real driver; `simulator` is what people act on. It is plugged in when the device starts."""

    def __init__(self, name: str, *, retry: Retry = RETRY) -> None:
        self.simulator = SimulatedKeyboard()
        super().__init__(name, self.simulator.path, grab=self.simulator.grab, retry=retry)

    def start(self, post: Post) -> None:
        """Plug it in, then start as with any."""
        self.simulator.plug()
        super().start(post)

    def stop(self) -> None:
        """Stop the driver, then the simulator."""
        super().stop()
        self.simulator.close()

    def _path(self) -> str:
        return self.simulator.path
