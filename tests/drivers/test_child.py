"""A child process is started, listened to, killed and restarted: every case with a real process."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from drivers.child import ChildMisbehaved, ChildProcess, Patience
from tests.drivers.processes import Watched

WAIT_S = 20.0
PUPPET = "tests.drivers.puppet"
BRISK = Patience(silent_s=0.5, end_s=0.3, retry_first_s=0.02, retry_longest_s=0.1)


class Parent:
    """Keeps what is heard and why children were lost."""

    def __init__(
        self, *greeting: bytes, module: str = PUPPET, patience: Patience = BRISK, refuses: bytes = b"\0"
    ) -> None:
        self.heard: list[bytes] = []
        self.lost: list[str] = []
        self._refuses = refuses
        self._changed = threading.Condition()
        self.child = ChildProcess(
            "puppet", module, greet=lambda: greeting, hear=self._hear, lost=self._lose, patience=patience
        )

    def _hear(self, packet: bytes) -> None:
        with self._changed:
            self.heard.append(packet)
            self._changed.notify_all()
        if packet == self._refuses:
            raise ChildMisbehaved("it said what it must not")

    def _lose(self, cause: str) -> None:
        with self._changed:
            self.lost.append(cause)
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_S), f"heard {self.heard}, lost {self.lost}"

    def until_heard(self, packets: Sequence[bytes]) -> None:
        """Wait until exactly these were heard."""
        self.until(lambda: self.heard == list(packets))


@contextmanager
def running(parent: Parent) -> Iterator[Parent]:
    """Start, and stop at the end."""
    parent.child.start()
    try:
        yield parent
    finally:
        parent.child.stop()


def test_messages_go_both_ways_in_order_after_the_greeting() -> None:
    with running(Parent(b"say greeting")) as parent:
        for number in range(20):
            parent.child.send(f"say {number}".encode())
        parent.until_heard([b"greeting", *(str(number).encode() for number in range(20))])
        assert parent.lost == []


def test_what_is_sent_before_the_start_is_kept_and_the_oldest_go() -> None:
    parent = Parent(b"say greeting")
    for number in range(70):
        parent.child.send(f"say {number}".encode())
    with running(parent):
        parent.until_heard([b"greeting", *(str(number).encode() for number in range(6, 70))])


def test_one_that_ends_is_started_again_and_greeted_again() -> None:
    with running(Parent(b"say hello")) as parent:
        parent.until_heard([b"hello"])
        parent.child.send(b"exit 3")
        parent.until_heard([b"hello", b"hello"])
        assert parent.lost == ["ended with exit code 3"]


def test_one_that_is_killed_from_outside_is_started_again() -> None:
    with running(Parent(b"say hello")) as parent:
        parent.until_heard([b"hello"])
        assert parent.child.pid is not None
        os.kill(parent.child.pid, signal.SIGKILL)
        parent.until_heard([b"hello", b"hello"])
        assert parent.lost == ["ended by SIGKILL"]


def test_one_that_falls_silent_is_killed() -> None:
    with running(Parent(b"say hello")) as parent:
        parent.until_heard([b"hello"])
        silent = Watched(parent.child.pid)
        parent.child.send(b"hang")
        parent.until(lambda: len(parent.lost) == 1)
        assert parent.lost == ["fell silent, killed"]
        assert silent.ends()


def test_one_that_is_stopped_in_its_tracks_is_killed() -> None:
    with running(Parent(b"say hello")) as parent:
        parent.until_heard([b"hello"])
        stopped = Watched(parent.child.pid)
        os.kill(stopped.pid, signal.SIGSTOP)
        assert stopped.ends()
        parent.until_heard([b"hello", b"hello"])


def test_one_that_says_nothing_at_all_is_killed() -> None:
    with running(Parent(b"hang", patience=Patience(first_s=0.5, end_s=0.2, retry_first_s=0.05))) as parent:
        parent.until(lambda: len(parent.lost) == 2)
        assert set(parent.lost) == {"fell silent, killed"}
        assert parent.heard == []


def test_one_that_talks_nonsense_is_killed() -> None:
    with running(Parent(b"say nonsense", refuses=b"nonsense")) as parent:
        parent.until(lambda: len(parent.lost) >= 2)
        assert set(parent.lost) == {"misbehaved: it said what it must not, killed"}


def test_one_that_takes_no_messages_is_killed() -> None:
    with running(Parent(b"deaf")) as parent:
        parent.until(lambda: bool(parent.heard))
        while not parent.lost:
            parent.child.send(b"x" * 60_000)
            heard = len(parent.heard)
            parent.until(lambda: len(parent.heard) > heard or bool(parent.lost))  # noqa: B023  called before the loop goes on
        assert parent.lost[0] == "takes no messages, killed"


def test_one_that_cannot_run_is_tried_again_and_the_parent_lives() -> None:
    with running(Parent(module="tests.drivers.there_is_none")) as parent:
        parent.until(lambda: len(parent.lost) == 3)
        assert set(parent.lost) == {"ended with exit code 1"}


def test_stop_ends_it_and_may_be_asked_at_any_time() -> None:
    parent = Parent(b"say hello")
    parent.child.stop()  # before the start
    parent = Parent(b"say hello")
    with running(parent):
        parent.until_heard([b"hello"])
        child = Watched(parent.child.pid)
        parent.child.stop()
        assert child.ends()
        parent.child.stop()
        parent.child.send(b"say too late")
    assert parent.lost == []
    assert parent.child.pid is None


def test_stop_kills_one_that_does_not_end() -> None:
    with running(Parent(b"cling")) as parent:
        parent.until_heard([b"clinging"])
        clinging = Watched(parent.child.pid)
    assert clinging.ends(0)


ORPHANAGE = """
import sys, threading
from drivers.child import ChildProcess
child = ChildProcess(
    "puppet", sys.argv[1], greet=lambda: (b"say hello",), hear=lambda _: print(child.pid, flush=True), lost=print
)
child.start()
threading.Event().wait()
"""


def test_a_child_ends_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANAGE, PUPPET], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = Watched(int(parent.stdout.readline()))
        parent.kill()
        assert child.ends()
