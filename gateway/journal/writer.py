"""The journal's thread: the only one that touches the writing connection.

It takes what waits, writes it in one transaction, and answers. When a write fails, nothing has advanced: the records stay
in order in memory, whoever waits for them is told once, and the same records are tried again until they are on disk.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gateway.core.moment import Moment
from gateway.journal.errors import JournalError
from gateway.journal.files import RESERVE_BYTES, ROOM_BYTES, Reserve
from gateway.journal.mailbox import Item, Job, Loss, Mailbox, Note, Task
from gateway.journal.schema import is_damage, is_full, sqlite_errors
from gateway.journal.store import Store, Telling
from sync.contract.records import Refused, encode_body, kind_of
from sync.log.view import Head

logger = logging.getLogger("menshen.journal")
NOTES_S: Final = 1.0  # notes wait this long for a commit to ride with
RETRY_S: Final = (0.1, 5.0)  # first and longest pause between tries
RESERVE_S: Final = 5.0  # how often a reserve that was given up is asked for again
Listener = Callable[[], None]


class Writer:
    """The thread, what it has taken and not yet written, and its present trouble."""

    def __init__(self, path: Path, store: Store, mailbox: Mailbox, group_limit: int) -> None:
        self._path = path
        self._store = store
        self._mailbox = mailbox
        self._limit = group_limit
        self._reserve = Reserve(path, ".reserve", RESERVE_BYTES)
        self._room = Reserve(path, ".reserve-room", ROOM_BYTES)
        self._waiting: deque[Job | Loss] = deque()
        self._notes: dict[str, object] = {}
        self._notes_due: float | None = None
        self._retry_at = 0.0
        self._pause_s = 0.0  # between tries; 0 while writing works
        self._reserve_due = 0.0
        self._closing = False
        self.failed: str | None = None
        self.commits = 0
        self.listeners: list[Listener] = []
        self.opened: Task = Task(self._open)
        self.thread = threading.Thread(target=self._run, name="journal", daemon=True)

    # the thread

    def _run(self) -> None:
        self._perform(self.opened)
        if self.opened.future.exception() is not None:
            return
        try:
            while not self._closing:
                self._sort(self._mailbox.take(self._limit, self._timeout()))
                self._write()
            self._finish()
        except Exception as error:
            logger.exception("the journal's thread ends on a fault of its own; nothing more is recorded")
            self._give_up(JournalError(f"the journal's thread has ended: {error}"))

    def _timeout(self) -> float | None:
        if self._pause_s:
            return max(0.0, self._retry_at - time.monotonic())
        due = [self._notes_due] if self._notes_due is not None else []
        if not (self._reserve.held and self._room.held):
            due.append(self._reserve_due)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _sort(self, items: Sequence[Item]) -> None:
        for item in items:
            match item:
                case Job():
                    self._waiting.append(item)
                case Loss():
                    self._add_loss(item)
                case Note():
                    self._notes.update(item.values)
                    self._notes_due = self._notes_due or time.monotonic() + NOTES_S
                case Task():
                    self._write()  # in the order of asking
                    self._perform(item)

    def _add_loss(self, loss: Loss) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, Loss):
            last.now, last.count = loss.now, last.count + loss.count
            last.changes.update(loss.changes)
        else:
            self._waiting.append(loss)

    def _perform(self, task: Task) -> None:
        try:
            result = self._work(task)
        except JournalError as error:
            task.future.set_exception(error)
        except (sqlite3.Error, OSError) as error:
            task.future.set_exception(JournalError(f"{self._path}: {error}"))
        except Exception as error:  # noqa: BLE001  whoever asked gets it
            task.future.set_exception(error)
        else:
            task.future.set_result(result)

    def _work(self, task: Task) -> Any:
        """Do it; on a full disk once more with the room that is kept for that: it may be what makes room."""
        try:
            with sqlite_errors():
                return task.work()
        except (sqlite3.Error, OSError) as error:
            if not (self._is_full(error) and (self._room.give_up() or self._reserve.give_up())):
                raise
        self._reserve_due = time.monotonic() + RESERVE_S
        with sqlite_errors():
            return task.work()

    # writing

    def _write(self) -> None:
        if self._pause_s and time.monotonic() < self._retry_at:
            self._tell_waiting(JournalError(self.failed or "the journal cannot be written"))
            return
        while self._waiting or (self._notes and (self._notes_due or 0) <= time.monotonic()):
            group = list(islice(self._waiting, self._limit))
            try:
                self._commit(group)
            except (sqlite3.Error, OSError) as error:
                self._on_failure(error)
                return
            for _ in group:
                self._waiting.popleft()
            self._answer(group)
        self._take_reserve()

    def _commit(self, group: Sequence[Job | Loss]) -> None:
        if not self._store.is_open:
            self._open_store()
        self._store.commit([entry if isinstance(entry, Job) else _told(entry) for entry in group], self._notes)
        self.commits += 1
        if self._notes:
            self._notes, self._notes_due = {}, None

    def _answer(self, group: Sequence[Job | Loss]) -> None:
        jobs = [entry for entry in group if isinstance(entry, Job)]
        self._tell(jobs, None)  # first: somebody waits for it
        self._mailbox.settle(jobs)
        if self._pause_s:
            self._pause_s = 0.0
            logger.warning("%s: writing again, up to record %d", self._path, self._store.head.seq)
        self._notify()
        self._store.remember_now_and_then()

    # trouble

    def _on_failure(self, error: sqlite3.Error | OSError) -> None:
        reason = f"{self._path}: cannot write: {error}"
        if self._is_full(error):
            reason = f"{self._path}: the disk is full: free some space"
        if not self._pause_s:
            logger.error("%s; %d records wait in memory", reason, len(self._waiting))
        self._pause_s = min(max(RETRY_S[0], 2 * self._pause_s), RETRY_S[1])
        self._retry_at = time.monotonic() + self._pause_s
        self._set_failed(reason)
        self._tell_waiting(JournalError(reason))
        if self._is_full(error) and self._reserve.give_up():
            self._retry_at = time.monotonic()
            self._reserve_due = self._retry_at + RESERVE_S
        elif is_damage(error):
            self._replace_damaged(str(error))

    def _is_full(self, error: sqlite3.Error | OSError) -> bool:
        # on a full disk some of SQLite's steps fail with nothing but "disk I/O error"
        return is_full(error) or (not is_damage(error) and self._reserve.is_needed())

    def _replace_damaged(self, damage: str) -> None:
        try:
            self._store.replace_damaged(damage)
        except (sqlite3.Error, OSError, JournalError):
            logger.exception("%s: no new log could be opened", self._path)
            return
        self._retry_at = time.monotonic()
        self._log_replaced()

    def _take_reserve(self) -> None:
        held = self._reserve.held and self._room.held
        if self._pause_s or (self.failed is None and held):
            return
        if not held:
            if time.monotonic() < self._reserve_due:
                return
            self._reserve_due = time.monotonic() + RESERVE_S
            self._room.take()
            if not self._reserve.take():
                self._set_failed(f"{self._path}: the disk is nearly full, and the reserve is in use: free some space")
                return
        self._set_failed(None)

    def _set_failed(self, reason: str | None) -> None:
        if reason != self.failed:
            self.failed = reason
            self._notify()

    def _tell_waiting(self, error: JournalError) -> None:
        self._tell([entry for entry in self._waiting if isinstance(entry, Job)], error)

    def _tell(self, jobs: Sequence[Job], error: JournalError | None) -> None:
        for job in jobs:
            if job.done is not None:
                done, job.done = job.done, None
                try:
                    done(error)
                except Exception:
                    logger.exception("whoever waited for a %s record failed on its answer", job.kind)

    def _notify(self) -> None:
        for listener in self.listeners:
            try:
                listener()
            except Exception:
                logger.exception("a listener of the journal failed")

    def _give_up(self, error: JournalError) -> None:
        self.failed = str(error)
        self._mailbox.close(Task(lambda: None))
        self._sort_out(self._mailbox.take(1_000_000, 0), error)
        self._tell_waiting(error)
        self._notify()

    def _sort_out(self, items: Sequence[Item], error: JournalError) -> None:
        for item in items:
            if isinstance(item, Task):
                item.future.set_exception(error)
            elif isinstance(item, Job):
                self._waiting.append(item)

    # tasks

    def _open(self) -> None:
        try:
            self._open_store()
            self._notes = self._tried()
            self._commit(())
        except sqlite3.Error as error:
            if not self._is_full(error):
                raise
            if not self._store.is_open:
                self._store.stand_by()
                self._notes = self._tried()
            self._on_failure(error)  # the gate starts all the same, and says so

    def _tried(self) -> dict[str, object]:
        # Nothing new: that the disk takes a write at all is found out at the start, not with the first visit.
        return {"known_ms": self._store.known_ms}

    def _open_store(self) -> None:
        try:
            self._store.open()
        except sqlite3.Error as error:
            if not (self._is_full(error) and self._reserve.give_up()):
                raise
            self._store.open()
        if self._store.recovered is not None:
            logger.error("%s: %s", self._path, self._store.recovered)
        self._take_reserve()

    def replace(self, reason: str, detail: str, now: Moment | None, held: Head | None) -> None:
        """Open a new log; see `Journal.replace_log`."""
        self._commit(())  # the notes belong to the old log
        self._store.replace(reason, detail, now, held)
        self._log_replaced()

    def _log_replaced(self) -> None:
        logger.warning("%s", self._store.recovered)
        self._notes.pop("acked_seq", None)
        self._notes.pop("acked_hash", None)
        self._notify()

    def trim(self, now: Moment, keep_days: int, limit: int) -> int:
        """Delete old records; see `Journal.trim`."""
        self._commit(())  # what was acknowledged a moment ago
        return self._store.trim(now, keep_days, limit)

    def drop_bodies(self, seqs: Sequence[int], told: Job) -> None:
        """See `Journal.drop_bodies`."""
        self._store.drop_bodies(seqs, told)
        self.commits += 1
        self._notify()

    def pack(self, first: int, last: int) -> None:
        """See `Journal.pack`."""
        self._store.pack(first, last)

    def trim_acknowledged(self, limit: int, tell: Telling) -> int:
        """See `Journal.trim_acknowledged`."""
        self._commit(())
        count = self._store.trim_acknowledged(limit, tell)
        if count:
            self.commits += 1
            self._notify()
        return count

    def finish(self, known_ms: int) -> None:
        """The last task: end the thread after what still waits, and the time."""
        self._notes["known_ms"] = known_ms
        self._closing = True

    def _finish(self) -> None:
        self._retry_at = 0.0
        self._notes_due = 0.0
        self._write()
        if self._waiting:
            logger.error("%s: %d records could not be written and are lost", self._path, len(self._waiting))
        self._store.close()


def _told(loss: Loss) -> Job:
    body = Refused(what="records", reason="journal-full", detail=f"{loss.count} records were lost before this one")
    return Job(kind_of(body), loss.now, encode_body(body), list(loss.changes.values()), None)
