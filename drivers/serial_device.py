"""A device on a serial port: opened for us alone, read by one thread, opened again when it has gone.

What the bytes mean is the business of a link, which is pure (`drivers.protocols`) and new with each connection.
"""

import errno
import logging
import termios
from collections.abc import Callable, Sequence
from typing import ClassVar, Final, Protocol, runtime_checkable

import serial

from drivers.errors import DeviceLost
from drivers.readings import DeviceState, Reading
from drivers.tally import Counted, Tally, TallyKeeper
from drivers.threaded import RETRY, Retry, ThreadedDevice, monotonic_ms

logger = logging.getLogger("menshen.serial")
raw = logging.getLogger("menshen.serial.raw")
READ_S: Final = 0.1  # the longest wait for a byte: how soon silence and `stop` are noticed, and a question is asked
WRITE_S: Final = 0.2
CHUNK: Final = 4_096  # bytes at most at once
TAKEN: Final = "another program has it open"
UNPLUGGED: Final = "it was unplugged, or another program reads from it"
_NO_DATA: Final = "returned no data"  # pyserial says so, and no number
PROBE_MS: Final = 800  # a module that says nothing valid for this long is tried at its next rate


class Link(Protocol):
    """One connection's protocol, made with the time it began. Times in monotonic ms."""

    @property
    def bauds(self) -> Sequence[int]:
        """The rates that the model may have, the likeliest first."""

    greeting: ClassVar[bytes]
    """Sent when the port was opened, and again with each change of rate."""

    @property
    def count(self) -> Counted:
        """What it has seen."""

    personal: ClassVar[bool]
    """What comes says who is there (a card's number): it never goes into a log."""

    def ask(self, now_ms: int) -> bytes:
        """What to send now, or b"": asked before each wait for bytes. A device that streams needs nothing."""

    def feed(self, chunk: bytes, now_ms: int) -> Sequence[Reading]:
        """The readings that this chunk completes: all bytes that had come by now, and so perhaps none. Never raises."""

    def health(self, now_ms: int) -> tuple[DeviceState, str]:
        """OK; STARTING, when nothing can be said yet; or STALE and why."""


@runtime_checkable
class Answering(Protocol):
    """What a link has besides, when a device that has been found may take long until it is well."""

    def is_answered(self) -> bool:
        """The rate is right: of late, what came was this model's."""


@runtime_checkable
class Watched(Protocol):
    """What a link has besides, when what it reads has to change while somebody is before it: else the sensor hangs."""

    def somebody(self, *, near: bool) -> None:
        """Whether somebody is known to be there, from now on."""


@runtime_checkable
class Private(Protocol):
    """What a link has besides, when what comes is a person, whole: not even who watches the port is shown the bytes."""

    private: ClassVar[bool]


class SerialDevice(ThreadedDevice):
    """Runs a link over a port. LOST while the port cannot be opened or read, else as the link says."""

    def __init__(
        self,
        name: str,
        port: str,
        link: Callable[[int], Link],
        *,
        parity: str = serial.PARITY_NONE,
        retry: Retry = RETRY,
    ) -> None:
        super().__init__(name, logger, retry)
        self._port = port
        self._parity = parity
        self._new_link = link
        self._keeper = TallyKeeper()
        self._rate = 0  # which of the link's rates was right last

    @property
    def tally(self) -> Tally:
        """What it has to show for itself. From any thread."""
        return self._keeper.tally

    def _live(self) -> None:
        path, link = self._path(), self._new_link(monotonic_ms())
        try:
            with serial.Serial(
                path, self._baud(link), parity=self._parity, timeout=READ_S, write_timeout=WRITE_S, exclusive=True
            ) as port:
                self._converse(port, link)
        except (OSError, termios.error) as error:  # SerialException is an OSError; termios.error is not
            raise DeviceLost(f"{path}: {in_words(error)}") from error

    def _path(self) -> str:
        """What to open."""
        return self._port

    def _converse(self, port: serial.Serial, link: Link) -> None:
        self._keeper.opened()
        self._send(port, link.greeting)
        probe_ms = monotonic_ms() + PROBE_MS
        while not self._stopping.is_set():
            self._send(port, link.ask(monotonic_ms()))
            chunk, now_ms = self._read(port)
            self._log(chunk, link)
            if isinstance(link, Watched):
                link.somebody(near=self.near(now_ms))
            readings = link.feed(chunk, now_ms)
            self._keeper.looked(link.count, now_ms)
            state, detail = link.health(now_ms)
            if state is not DeviceState.STARTING:
                self._become(state, detail)
            for reading in readings:
                self._post(reading)
            if state is DeviceState.OK or (isinstance(link, Answering) and link.is_answered()):
                probe_ms = now_ms + PROBE_MS
            elif now_ms >= probe_ms and len(link.bauds) > 1:
                self._rate += 1
                port.baudrate = self._baud(link)
                self._send(port, link.greeting)
                probe_ms = now_ms + PROBE_MS

    def _baud(self, link: Link) -> int:
        return link.bauds[self._rate % len(link.bauds)]

    def _send(self, port: serial.Serial, data: bytes) -> None:
        if data:
            raw.debug("%s > %s at %d baud", self.name, data.hex(" "), port.baudrate)
            self.tap(">", data, len(data))
            port.write(data)

    def _read(self, port: serial.Serial) -> tuple[bytes, int]:
        """Everything that has come, after waiting for a first byte; and a time by which it had. The time is taken before
        the rest is read, so that a thread that was held up never takes its own delay for the device's silence."""
        first = port.read(1)
        now_ms = monotonic_ms()
        return first + port.read(min(port.in_waiting, CHUNK - 1)), now_ms

    def _log(self, chunk: bytes, link: Link) -> None:
        if chunk:
            self.tap("<", None if isinstance(link, Private) else chunk, len(chunk))
        if chunk and raw.isEnabledFor(logging.DEBUG):
            raw.debug("%s < %s", self.name, f"{len(chunk)} bytes" if link.personal else chunk.hex(" "))


def in_words(error: Exception) -> str:
    """Why a port cannot be opened or read, and what to do."""
    # pyserial hides termios.error's number in its text
    said = (*error.args, *(error.__context__.args if error.__context__ is not None else ()))
    number = next((each for each in said if isinstance(each, int)), 0)
    return {
        errno.ENOENT: "there is no such port: is it plugged in?",
        errno.EACCES: "no permission: the gate's user must be in the group of the port (dialout)",
        errno.EAGAIN: TAKEN,
        errno.EBUSY: TAKEN,
        errno.ENOTTY: "is no serial port",
        errno.EIO: UNPLUGGED,
        errno.ENODEV: UNPLUGGED,
        errno.ENXIO: UNPLUGGED,
    }.get(number, UNPLUGGED if _NO_DATA in str(error) else str(error))
