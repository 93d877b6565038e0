"""A device that lives in a process of its own: started, listened to, killed and restarted when it falls silent.

The child finds one end of a Unix socket of packets as its standard input: one message a packet, both ways, so that
nothing needs framing and the end of the file tells either side that the other has gone. Children end with their parent.
"""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import DriverError
from drivers.interfaces import Post
from drivers.readings import DeviceState, DeviceStatus, Reading
from drivers.tally import Count, Tally, TallyKeeper
from drivers.threaded import monotonic_ms

logger = logging.getLogger("menshen.child")
MAX_PACKET = 64 * 1024  # bytes; longer ones are cut short and then refused as malformed
_ROOT = Path(__file__).resolve().parents[1]


class ChildMisbehaved(DriverError):
    """The child said something that is no message: it is killed and restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long, in seconds: until the first word (`first_s`), between two words (`silent_s`), for an orderly end
    (`end_s`), and between a death and the next start (from `retry_first_s`, doubling to `retry_longest_s`)."""

    first_s: float = 20.0
    silent_s: float = 3.0
    end_s: float = 0.8
    retry_first_s: float = 0.5
    retry_longest_s: float = 10.0
    healthy_s: float = 60.0  # a life this long starts the backoff anew


PATIENCE = Patience()


class ChildProcess:
    """Keeps `python -m module` running. `greet` gives what each new child is told first, `hear` takes every packet it
    sends (raising ChildMisbehaved), `lost` is told in words why one ended; both run on the supervising thread."""

    def __init__(
        self,
        name: str,
        module: str,
        *,
        greet: Callable[[], Iterable[bytes]],
        hear: Callable[[bytes], None],
        lost: Callable[[str], None],
        patience: Patience = PATIENCE,
    ) -> None:
        self._name = name
        self._module = module
        self._greet = greet
        self._hear = hear
        self._lost = lost
        self._patience = patience
        self._waiting: deque[bytes] = deque(maxlen=64)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        # The child asks the kernel to die with the thread that started it, so one thread does nothing but supervise.
        self._thread = threading.Thread(target=self._run, name=f"{name}-child", daemon=True)

    @property
    def pid(self) -> int | None:
        """The living child's process id."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the child and keep it running until `stop`."""
        self._thread.start()

    def send(self, message: bytes) -> None:
        """Have a message sent, in order; never blocks. The oldest go when a child takes none."""
        self._waiting.append(message)
        self._rouse()

    def stop(self) -> None:
        """End the child and the thread, within 2 s."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._rouse()
        if self._thread.ident is not None:
            self._thread.join(2.0)
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def _rouse(self) -> None:
        with self._lock:
            if self._wake >= 0:
                os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        wait_s = self._patience.retry_first_s
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                cause = self._live()
            except OSError as error:
                cause = f"could not be started: {error}"
            if self._stopping.is_set():
                break
            if time.monotonic() - began > self._patience.healthy_s:
                wait_s = self._patience.retry_first_s
            self._lost(cause)
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, self._patience.retry_longest_s)

    def _live(self) -> str:
        """One child's life; returns the cause of its end in words."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                process = self._spawn(theirs)
            self._process = process
            try:
                ours.settimeout(1.0)
                cause = self._converse(ours)
            finally:
                ours.close()
                self._process = None
                code = self._end(process)
        return cause or _ending(code)

    def _spawn(self, stdin: socket.socket) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
        return subprocess.Popen(
            [sys.executable, "-P", "-m", self._module],
            stdin=stdin.fileno(),
            stdout=subprocess.DEVNULL,
            env={**_without_secrets(os.environ), "PYTHONPATH": path},
        )

    def _converse(self, ours: socket.socket) -> str:
        """Talk until the child ends ("") or must be ended (why)."""
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        deadline = time.monotonic() + self._patience.first_s
        try:
            for message in self._greet():
                ours.send(message)
            while not self._stopping.is_set():
                self._send_waiting(ours)
                ready = {fd for fd, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
                if self._wake in ready:
                    os.eventfd_read(self._wake)
                if ours.fileno() in ready:
                    packet = ours.recv(MAX_PACKET)
                    if not packet:
                        return ""
                    self._hear(packet)
                    deadline = time.monotonic() + self._patience.silent_s
                elif time.monotonic() >= deadline:
                    return self._kill("fell silent")
        except TimeoutError:
            return self._kill("takes no messages")
        except ChildMisbehaved as error:
            return self._kill(f"misbehaved: {error}")
        except ConnectionError:
            pass  # it ended: its exit code says how
        return ""

    def _send_waiting(self, ours: socket.socket) -> None:
        while self._waiting:
            ours.send(self._waiting.popleft())

    def _kill(self, cause: str) -> str:
        if self._process is not None:
            self._process.kill()
        return f"{cause}, killed"

    def _end(self, process: subprocess.Popen[bytes]) -> int:
        """The end of its standard input tells the child to end; one that does not is killed."""
        try:
            return process.wait(self._patience.end_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """What a child may know: passwords are its parent's."""
    return {name: value for name, value in environ.items() if "PASSWORD" not in name}


def _ending(code: int) -> str:
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


class ChildDevice:
    """Implements Device but for `_greet` and `_hear`, with a process of its own. `called`: what it is to people."""

    def __init__(self, name: str, module: str, called: str, logger: logging.Logger, patience: Patience) -> None:
        self.name = name
        self._called = called
        self._logger = logger
        self._state = DeviceState.STARTING
        self._post: Post = _nowhere
        self._keeper = TallyKeeper()
        self._child = ChildProcess(name, module, greet=self._begin, hear=self._hear, lost=self._died, patience=patience)

    @property
    def state(self) -> DeviceState:
        """Where the device stands now."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process's id while it lives."""
        return self._child.pid

    @property
    def tally(self) -> Tally:
        """What it has to show for itself; `reopens`: restarts of the process. From any thread."""
        return self._keeper.tally

    def start(self, post: Post) -> None:
        """Start the process and keep it running until `stop`."""
        self._post = post
        self._child.start()

    def stop(self) -> None:
        """End the process, within 2 s."""
        self._child.stop()

    def _begin(self) -> Iterable[bytes]:
        self._keeper.opened()
        return self._greet()

    def _count(self, good: int) -> None:
        """So many valid frames have come of this process by now."""
        self._keeper.looked(Count(good), monotonic_ms())

    def _greet(self) -> Iterable[bytes]:
        """What each new process is told first."""
        raise NotImplementedError

    def _hear(self, packet: bytes) -> None:
        """Take a packet of the process. Raises ChildMisbehaved."""
        raise NotImplementedError

    def _died(self, cause: str) -> None:
        self._become(DeviceState.LOST, f"the {self._called}'s process {cause}")

    def _become(self, state: DeviceState, detail: str) -> None:
        if state is self._state:
            return
        self._state = state
        level = logging.INFO if state is DeviceState.OK else logging.WARNING
        self._logger.log(level, "%s: %s %s", self.name, state, detail)
        self._post(DeviceStatus(state, detail))


def _nowhere(reading: Reading) -> None:
    """Before `start` nobody listens."""
