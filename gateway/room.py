"""Room on the disk: what is given up when it becomes scarce, in which order, and that it is told.

Theory of operation. Records that the office has acknowledged go first, the oldest first, whatever their age. When that is not
enough, bodies of records that it does not have yet are given up: of the kinds in `FIRST`, in that order, and of no other. A visit
or an alarm that the office does not have is never given up; should the disk become full all the same, it is the portal's policy
(`when_journal_fails`) that decides who comes in. What is given up keeps its number, kind, time and hash, so the chain and the road
stay whole; how much it was, and why, is a record written with it.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError
from sync.contract.records import Dropped

logger = logging.getLogger("menshen.journal")
FIRST: Final = ("door", "device", "passage", "card-seen")
"""What may be given up before the office has it: the visit says what it was about, or the state does."""
MB: Final = 1024 * 1024
TRIM_ROWS: Final = 200  # deleted at a time
MOST_TRIMS: Final = 50  # at one look
WINDOW: Final = 20_000  # records looked through at one look
MOST_DROPPED: Final = 5_000  # bodies given up at one look
PAGES: Final = 256  # given back at a time
MOST_PAGES: Final = 4_096  # at one look


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: how large the records may be, and how much of the disk stays free."""

    largest: int
    least_free: int


class Room:
    """Looks after it. One thread at a time. `tell(state, detail)` hears `stale` and `ok` when it becomes scarce and when it is
    over; `free` gives the bytes that are free on the journal's disk."""

    def __init__(
        self,
        journal: Journal,
        limits: Limits,
        now: Callable[[], Moment],
        tell: Callable[[str, str], None],
        free: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._limits = limits
        self._now = now
        self._tell = tell
        self._free = free
        self._looked = dict.fromkeys(FIRST, 0)  # up to which record each kind was looked for
        self._scarce = ""

    def look(self) -> None:
        """Make room where it is scarce. Raises JournalError."""
        scarce = self._reason()
        if scarce:
            self._trim(scarce)
            if self._reason():
                self._drop(scarce)
        self._give_back()
        if bool(scarce) is not bool(self._scarce):
            self._tell("stale" if scarce else "ok", scarce)
        self._scarce = scarce

    def _reason(self) -> str:
        if self._free() < self._limits.least_free:
            return "disk-nearly-full"
        return "journal-too-large" if self._journal.used_bytes() > self._limits.largest else ""

    def _trim(self, reason: str) -> None:
        trimmed = 0
        for _ in range(MOST_TRIMS):
            now = self._journal.trim_acknowledged(TRIM_ROWS)
            trimmed += now
            if now < TRIM_ROWS or not self._reason():
                break
            self._journal.give_back(PAGES)
        if trimmed:
            logger.warning("%s: %d records that the office has were deleted before their time", reason, trimmed)

    def _drop(self, reason: str) -> None:
        """Of the first kind that there is anything of."""
        acked, head = self._journal.acked.seq, self._journal.head().seq
        for kind in FIRST:
            after = max(self._looked[kind], acked)
            while after < head:
                upto = min(after + WINDOW, head)
                found = [seq for seq, each in self._journal.kinds(after, upto) if each == kind][:MOST_DROPPED]
                if found:
                    self._looked[kind] = found[-1]
                    self._give_up(reason, kind, found)
                    return
                self._looked[kind] = after = upto

    def _give_up(self, reason: str, kind: str, seqs: Sequence[int]) -> None:
        told = Dropped(reason=reason, kinds={kind: len(seqs)}, first=seqs[0], last=seqs[-1])
        self._journal.drop_bodies(seqs, told, self._now())
        logger.warning("%s: the bodies of %d records of kind %s were given up", reason, len(seqs), kind)

    def _give_back(self) -> None:
        for _ in range(MOST_PAGES // PAGES):
            if not self._journal.give_back(PAGES):
                return


def free_on(path: Path) -> int:
    """Bytes that are free on the disk of a file. Raises JournalError."""
    try:
        disk = os.statvfs(path.parent)
    except OSError as error:
        raise JournalError(f"{path.parent}: cannot be looked at: {error.strerror}") from error
    return disk.f_bavail * disk.f_frsize
