"""A simulated day into a journal, as a gate would have written it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.core.effects import Append
from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError
from gateway.rehearsal.day import Day

AT_ONCE: Final = 2000  # records that wait for the disk before the day goes on
WAIT_S: Final = 60.0


@contextmanager
def into_journal(path: Path, day: Day) -> Iterator[None]:
    """Write what the day records into a new journal; on leaving, all of it is on disk. Raises JournalError."""
    if path.exists():
        raise JournalError(f"{path}: is there already; name another file")
    boot = sha256(f"{day.scenario.version} simulated".encode()).digest()[:16]
    with Journal.open(path, boot=boot, now=day.midnight) as journal:
        writer = _Writer(journal)
        day.gate.written.append(writer.written)
        yield
        writer.settle()


class _Writer:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._count = 0

    def written(self, append: Append, now: Moment) -> None:
        self._count += 1
        if self._count % AT_ONCE:
            self._journal.append(append.body, now, append.changes)
        else:
            self._wait(append, now)

    def settle(self) -> None:
        """Everything is on disk. Raises JournalError."""
        self._journal.checkpoint()  # waits its turn behind all records
        if self._journal.failed is not None:
            raise JournalError(f"the journal cannot be written: {self._journal.failed}")

    def _wait(self, append: Append, now: Moment) -> None:
        done = threading.Event()
        failed: list[JournalError] = []

        def answered(error: JournalError | None) -> None:
            failed.extend([error] if error is not None else [])
            done.set()

        self._journal.append(append.body, now, append.changes, answered)
        if not done.wait(WAIT_S) or failed:
            raise JournalError(f"the journal cannot be written: {failed[0] if failed else 'the disk does not answer'}")
