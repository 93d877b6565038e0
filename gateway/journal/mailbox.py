"""What waits for the journal's thread. Putting never blocks; what does not fit is counted and told, never just lost."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from gateway.core.effects import StateChange
from gateway.core.moment import Moment
from gateway.journal.errors import JournalError

MAX_JOBS: Final = 10_000
MAX_BYTES: Final = 8 * 1024 * 1024

Done = Callable[[JournalError | None], None]


@dataclass(slots=True)
class Job:
    """A record to be written."""

    kind: str
    now: Moment
    body: bytes
    changes: Sequence[StateChange]
    done: Done | None


@dataclass(slots=True)
class Loss:
    """Records that did not fit, in a row: how many, the last one's moment, and what they changed in the durable state."""

    now: Moment
    count: int = 0
    changes: dict[str, StateChange] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """One more."""
        self.now = job.now
        self.count += 1
        self.changes.update((change.key, change) for change in job.changes)


@dataclass(slots=True)
class Note:
    """Columns of the one meta row that may ride with the next commit."""

    values: dict[str, object]


class Task:
    """Something else for the journal's thread to do, and where its result goes."""

    __slots__ = ("future", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.future: Future[object] = Future()


Item = Job | Loss | Note | Task


class Mailbox:
    """Many may put; one thread takes. Jobs count against the bounds until they are settled, that is on disk."""

    def __init__(self, max_jobs: int = MAX_JOBS, max_bytes: int = MAX_BYTES) -> None:
        self._items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._max_jobs = max_jobs
        self._max_bytes = max_bytes
        self._jobs = 0
        self._bytes = 0
        self._loss: Loss | None = None  # the newest item, while more is lost right behind it
        self._closed = False
        self.lost = 0

    def offer(self, job: Job) -> JournalError | None:
        """Put a record; the reason when it was not taken."""
        with self._lock:
            if self._closed:
                return JournalError("the journal is closed")
            if self._jobs >= self._max_jobs or self._bytes + len(job.body) > self._max_bytes:
                self._lose(job)
                return JournalError(
                    f"{self._jobs} records ({self._bytes} bytes) wait to be written and no more are kept in memory:"
                    f" this one is lost, {self.lost} in all; free the disk or replace it"
                )
            self._jobs += 1
            self._bytes += len(job.body)
            self._loss = None
            self._items.put(job)
        return None

    def put(self, item: Note | Task) -> None:
        """Put something else. Raises JournalError once closed."""
        with self._lock:
            if self._closed:
                raise JournalError("the journal is closed")
            self._items.put(item)

    def close(self, last: Task) -> bool:
        """Take no more after `last`. False when it was closed already."""
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            self._items.put(last)
        return True

    def take(self, limit: int, timeout: float | None) -> list[Item]:
        """What has come, at most `limit`, waiting up to `timeout` seconds (None: for ever) for the first."""
        items: list[Item] = []
        try:
            items.append(self._items.get(timeout=timeout))
        except queue.Empty:
            return items
        while len(items) < limit and not self._items.empty():  # nobody else takes
            items.append(self._items.get())
        if self._loss is not None:
            with self._lock:
                self._loss = None  # it may be among these: what is lost from now on is a new one
        return items

    def settle(self, jobs: Sequence[Job]) -> None:
        """These are on disk."""
        with self._lock:
            self._jobs -= len(jobs)
            for job in jobs:
                self._bytes -= len(job.body)

    def _lose(self, job: Job) -> None:
        if self._loss is None:
            self._loss = Loss(job.now)
            self._items.put(self._loss)
        self._loss.add(job)
        self.lost += 1
