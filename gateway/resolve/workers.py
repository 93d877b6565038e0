"""The workers between what was scanned and the core: a slow signature or server never holds up the deciding thread.

What only takes the gate's own means and what asks a server have workers apart, so that a server that is slow or down never
holds up a card, a pass or another reader. Nobody waits for somebody else's question: where all who ask are at work, the
scan is for the guard at once, as it is where more is scanned than can be resolved.
"""

import logging
import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.events import CredentialResolved, Verdict
from gateway.core.moment import Moment
from gateway.resolve.resolver import Resolver
from gateway.resolve.scheme import refused
from sync.contract.records import Direction

logger = logging.getLogger("menshen.resolve")

WAITING: Final = 32  # scans that may wait for the gate's own means
ASKING: Final = 4  # scans that may be asked about at a time
STOP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str  # what it is for the record when it cannot be resolved
    value: str
    resolve: Callable[[str, Moment], Verdict]
    reader: str
    direction: Direction
    now: Moment

    def resolved(self, verdict: Verdict) -> CredentialResolved:
        return CredentialResolved(verdict, self.reader, self.direction, self.now.mono_ms)

    def unresolved(self, reason: str) -> CredentialResolved:
        """It says nothing about the person: they are for the guard."""
        return self.resolved(refused(reason, self.kind, ""))


class ResolveWorkers:
    """A few threads that resolve in turn and post `CredentialResolved`. A text that is being asked about is not asked about
    again by the same reader: the one answer is for both."""

    def __init__(self, resolver: Resolver, post: Callable[[CredentialResolved], None], *, threads: int = 2) -> None:
        self._resolver = resolver
        self._own = _Lane("resolve", post, threads=threads, places=WAITING + threads)
        self._asking = _Lane("ask", post, threads=ASKING if resolver.asks_servers else 0, places=ASKING)

    def start(self) -> None:
        """Start the threads."""
        self._own.start()
        self._asking.start()

    def stop(self) -> None:
        """Finish what is queued and end."""
        self._own.stop()
        self._asking.stop()

    def text(self, text: str, reader: str, direction: Direction, now: Moment) -> None:
        """Resolve a scanned text."""
        if self._resolver.asks(text):
            self._asking.submit(_Job("health-code", text, self._resolver.text, reader, direction, now), once=True)
        else:
            self._own.submit(_Job("text", text, self._resolver.text, reader, direction, now))

    def card(self, uid: str, reader: str, direction: Direction, now: Moment) -> None:
        """Resolve a card's UID."""
        self._own.submit(_Job("card", uid, self._resolver.card, reader, direction, now))


class _Lane:
    """Threads of one queue. `places`: jobs that may wait or be under way."""

    def __init__(self, name: str, post: Callable[[CredentialResolved], None], *, threads: int, places: int) -> None:
        self._post = post
        self._places = threading.Semaphore(places)
        self._full = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._under_way: set[tuple[str, str]] = set()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=STOP_S)

    def submit(self, job: _Job, *, once: bool = False) -> None:
        """Have a job done, or refused at once. `once`: not beside the same one."""
        same = (job.reader, job.value)
        with self._lock:
            if once and same in self._under_way:
                return
            free = self._places.acquire(blocking=False)
            if free:
                self._under_way.add(same)
            before, self._full = self._full, not free
        if free:
            self._jobs.put(job)
            return
        if not before:
            logger.error("%s: more scans than can be resolved; they are for the guard", job.reader)
        self._post(job.unresolved("too-many"))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            answer = _resolve(job)
            with self._lock:
                self._under_way.discard((job.reader, job.value))
                self._places.release()
            self._post(answer)


def _resolve(job: _Job) -> CredentialResolved:
    try:
        return job.resolved(job.resolve(job.value, job.now))
    except Exception as error:  # noqa: BLE001  whatever fails, the next scan is read at once
        # its message and its chain may hold what was scanned
        logger.error("%s: resolving failed: %s", job.reader, _fault(error))
        return job.unresolved("resolver-failed")


def _fault(error: Exception) -> str:
    """What failed and where, and nothing of what it was given."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno} ({where.name})"
