"""The far end of a serial line: a real pty, with a model of an instrument at its other end.

The driver opens its path and knows nothing of this. As with a USB adapter, each plugging in may give it another name. Bytes
that are sent at another rate than the driver's, or with nobody listening, are lost as on a wire.
"""

import os
import random
import select
import termios
import threading
from contextlib import suppress
from enum import StrEnum
from typing import Final, Protocol

from drivers.threaded import STOP_S, monotonic_ms

UNPLUGGED: Final = "/dev/unplugged"
_LOOK_MS: Final = 30  # how often to look whether somebody has opened the port: poll(2) cannot tell


class Instrument(Protocol):
    """What is at the end of the line. Pure: times in monotonic ms are arguments."""

    baud: int

    def power_on(self, now_ms: int) -> None:
        """It was plugged in."""

    def hear(self, data: bytes, now_ms: int) -> None:
        """These bytes came from the host."""

    def say(self, now_ms: int) -> bytes:
        """What it has to say by now, and has not said."""

    def due_ms(self) -> int | None:
        """When it next has something to say; None: not before something happens."""


class LineFault(StrEnum):
    """What can be wrong with a line."""

    NONE = "none"
    SILENT = "silent"  # a broken wire
    GARBAGE = "garbage"  # a loose one
    STUCK = "stuck"  # the same bytes again and again: the device hangs


class SerialLine:
    """A thread that carries bytes between an instrument and whoever opens `path`. Plugged in by `start`."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        self._instrument = instrument
        self._random = random.Random(0)
        self._lock = threading.RLock()
        self._master = -1
        self._fault = LineFault.NONE
        self._said = b""
        self._path = UNPLUGGED
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"{name}-simulator", daemon=True)

    @property
    def path(self) -> str:
        """What the driver opens. While it is unplugged, there is nothing of that name."""
        return self._path

    def start(self) -> None:
        """Plug the instrument in."""
        self.plug()
        self._thread.start()

    def stop(self) -> None:
        """Unplug it and end the thread."""
        if self._stopping:
            return
        self.unplug()
        self._stopping = True
        self._rouse()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def plug(self) -> None:
        """Plug the instrument in: it powers up, and its port may have a new name."""
        with self._lock:
            if self._master >= 0:
                return
            self._master, slave = os.openpty()
            os.set_blocking(self._master, False)
            self._path = os.ttyname(slave)
            os.close(slave)
            self._instrument.power_on(monotonic_ms())
        self._rouse()

    def unplug(self) -> None:
        """Pull it out, in the middle of whatever it says."""
        with self._lock:
            if self._master >= 0:
                self._path = UNPLUGGED
                os.close(self._master)
                self._master = -1
        self._rouse()

    def fault(self, fault: LineFault) -> None:
        """Damage the line, or mend it with LineFault.NONE."""
        with self._lock:
            self._fault = fault

    def cut_wire(self) -> None:
        """Nothing comes any more."""
        self.fault(LineFault.SILENT)

    def stick(self) -> None:
        """It says the same again and again."""
        self.fault(LineFault.STUCK)

    def mend(self) -> None:
        """The line is sound again."""
        self.fault(LineFault.NONE)

    def inject(self, data: bytes) -> None:
        """Have these bytes on the line, besides what the instrument says; they have been sent when this returns."""
        with self._lock:
            if self._is_open():
                self._send(data)

    def _rouse(self) -> None:
        with self._lock:  # people may go on acting on what has been stopped
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while not self._stopping:
            self._wait()
            with self._lock:
                self._carry(monotonic_ms())

    def _wait(self) -> None:
        """Until the instrument has something to say, something came for it, or something was done to the line."""
        with self._lock:
            master = self._master if self._is_open() else -1
            due_ms = self._instrument.due_ms()
        wait_ms = None if due_ms is None else max(0, due_ms - monotonic_ms())
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if master >= 0:
            poll.register(master, select.POLLIN)
        elif self._master >= 0:
            wait_ms = _LOOK_MS
        if (self._wake, select.POLLIN) in poll.poll(wait_ms):
            os.eventfd_read(self._wake)

    def _is_open(self) -> bool:
        """Whether a driver has the port open."""
        return self._master >= 0 and not self._events() & select.POLLHUP

    def _events(self) -> int:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        return sum(event for _, event in poll.poll(0))

    def _carry(self, now_ms: int) -> None:
        """Bytes both ways. What the instrument says into the air is said all the same."""
        is_open = self._is_open()
        if is_open and self._events() & select.POLLIN:
            self._hear(now_ms)
        data = self._instrument.say(now_ms)
        if is_open and data:
            self._send(data)

    def _hear(self, now_ms: int) -> None:
        with suppress(OSError):  # the driver closed the port at this very moment: what it had said is lost
            heard = os.read(self._master, 4_096)
            if self._rates_agree():
                self._instrument.hear(heard, now_ms)

    def _send(self, data: bytes) -> None:
        if self._fault is LineFault.SILENT:
            return
        if self._fault is LineFault.GARBAGE or not self._rates_agree():
            data = self._random.randbytes(len(data))
        elif self._fault is LineFault.STUCK:
            data = self._said or data
        self._said = data
        with suppress(OSError):  # a driver that does not read, or closes just now, loses bytes, as at a UART
            os.write(self._master, data)

    def _rates_agree(self) -> bool:
        rate: int = termios.tcgetattr(self._master)[5]  # a pty's master tells what was set at the other end
        expected: int = getattr(termios, f"B{self._instrument.baud}")
        return rate == expected
