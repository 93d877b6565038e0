"""What is done now and then: the journal is trimmed and its write-ahead log emptied when nobody is at the gate, and the
trust list's age is looked at."""

import logging
import threading
from collections.abc import Callable

from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError

logger = logging.getLogger("menshen.journal")
EVERY_S = 30.0  # how often it is looked whether something is due
TRIM_MS = 3_600_000  # the journal is trimmed this often
ROWS = 200  # rows deleted at a time
CHECKPOINT_COMMITS = 500  # commits after which the write-ahead log is emptied


class Upkeep:
    """A thread that looks after the journal while no visit is open. `also`: what else is looked at each time, visit or not;
    `room`: what makes room on the disk, after old records are gone."""

    def __init__(
        self,
        journal: Journal,
        now: Callable[[], Moment],
        idle: Callable[[], bool],
        also: Callable[[], None] = lambda: None,
        room: Callable[[], None] = lambda: None,
        *,
        keep_days: int,
    ) -> None:
        self._journal = journal
        self._now = now
        self._idle = idle
        self._also = also
        self._room = room
        self._keep_days = keep_days
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._trim_due = now().mono_ms
        self._emptied_at = journal.commits

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, before the journal is closed."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self._also()
            if self._idle():
                self.look()

    def look(self) -> None:
        """Do what is due. Trouble is told and tried again the next time."""
        try:
            self._trim()
            self._room()
            if self._journal.commits - self._emptied_at >= CHECKPOINT_COMMITS:
                self._emptied_at = self._journal.commits
                self._journal.checkpoint()
        except JournalError as error:
            logger.warning("the journal's upkeep failed, and is tried again: %s", error)

    def _trim(self) -> None:
        now = self._now()
        if now.mono_ms < self._trim_due:
            return
        while self._idle() and not self._stopping.is_set():
            if self._journal.trim(now, self._keep_days, ROWS) < ROWS:
                self._journal.remove_earlier(now, self._keep_days)
                self._trim_due = now.mono_ms + TRIM_MS
                return
