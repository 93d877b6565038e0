"""Room on the disk: what is given up when it becomes scarce, in which order, and that it is told.

Theory of operation. Logs before this one, whose files lie beside it, go first, but for one that the office has asked for again. Then records that
it has acknowledged, the oldest first, whatever their age. When there are none
left, bodies of records that it does not have yet are given up: of the kinds in `FIRST`, in that order, and of no other. A visit
or an alarm that the office does not have is never given up; should the disk become full all the same, it is the portal's policy
(`when_journal_fails`) that decides who comes in. What is given up keeps its number, kind, time and hash, so the chain and the road
stay whole; how much it was, and why, is a record written with it, in one transaction: whatever becomes of the power, nothing goes
that is not told. Files of earlier logs are in no transaction: their record is on disk before they go. Half-empty pages are then packed, free ones given back to the
disk, both in short steps: a record that comes meanwhile waits for one step at most.
"""

import logging
import os
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError, Removed
from sync.contract.records import Dropped

logger = logging.getLogger("menshen.journal")
FIRST: Final[Mapping[str, str]] = {
    "door": "the visit says that it was let in, and alarms say what went wrong",
    "device": "the state says which devices are lost, and an alarm that one was",
    "passage": "the visit says who was let in, and the state how many are inside",
    "card-seen": "the visit says what was shown",
}
"""Kinds whose bodies may be given up before the office has them, what goes first at the front, and why they can be spared."""
NEVER: Final[Mapping[str, str]] = {
    "visit": "who came, and what was decided",
    "alarm": "what went wrong, and who acknowledged it",
    "command": "what the office ordered, and what became of it",
    "refused": "what was turned away, lost records too",
    "mode": "who locked the gate down or left it open",
    "count": "who corrected how many are inside",
    "started": "which version decided, by which configuration",
    "log-opened": "what is missing of the log before",
    "clock": "when which record really was",
    "dropped": "what was given up",
    "round": "what was due, and whether it was done",
    "shift": "who was on duty, and whether he answered",
    "drill": "how a drill went",
    "vehicle": "whose car came, where no visit's record says it",
}
"""All other kinds: the office gets them whole, however long it takes."""
MB: Final = 1024 * 1024
SLACK: Final = 0.05  # so much more room than asked for is made: then none for a while, not a little all the time
SPARE: Final = 4 * MB  # free pages that stay, as new records fill them
LEAST: Final = 100  # records: for fewer it would not pay to write another one that tells of them
TRIM_ROWS: Final = 500  # deleted at a time, with a record that tells of it, and then given back
MOST_TRIMMED: Final = 10_000  # at one look
WINDOW: Final = 20_000  # records looked through at a time
MOST_DROPPED: Final = 1_000  # bodies given up at a time, and at one look
PACKED: Final = 500  # records written anew at a time
LEAST_PACKED: Final = 0.05  # of those without a body just now, for it to be worth it
PAGES: Final = 256  # given back at a time
ROOM: Final = 4 * 1024  # bytes free for each row of a step, which goes into the write-ahead log first; twice for a page
LEAST_STEP: Final = 10  # rows or pages: the reserve has room for that
ANSWER_S: Final = 20.0  # until a disk is taken for one that does not answer
MOST_STEPS: Final = 32  # of these, at a time


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: how large the records may be, and how much of the disk stays free."""

    largest: int
    least_free: int


class Room:
    """Looks after it. One thread at a time. `tell(reason)` hears why room is scarce, and "" when it is not: at the first look,
    and whenever it changes. `free` gives the bytes that are free on the journal's disk."""

    def __init__(
        self,
        journal: Journal,
        limits: Limits,
        now: Callable[[], Moment],
        tell: Callable[[str], None],
        free: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._limits = limits
        self._now = now
        self._tell = tell
        self._free = free
        self._looked = dict.fromkeys(FIRST, 0)  # up to which record each kind was given up
        self._lot = MOST_DROPPED
        self._told_of: set[str] = set()  # earlier logs whose end was told
        self._making = False
        self._told: str | None = None

    def look(self) -> None:
        """Make room where it is scarce. Raises JournalError when the journal cannot be changed."""
        scarce = self._scarce()
        self._making = bool(scarce)
        trimmed = 0
        try:
            if scarce:
                trimmed = self._remove_earlier(scarce)  # first: it needs no room
                with suppress(JournalError):  # what has no room now may have it once there is less of it
                    self._journal.empty()
                trimmed = trimmed or self._trim(scarce)
            if scarce and not trimmed:
                self._drop(scarce)
        finally:
            # What the office has may well be more than what is to be kept: no trouble, as long as deleting it is enough.
            self._report("" if trimmed and scarce == "journal-too-large" else scarce)
        if scarce:
            self._shrink()
        elif self._journal.usage().spare > SPARE:
            self._give_back()

    def _report(self, trouble: str) -> None:
        if trouble != self._told:
            self._told = trouble
            self._tell(trouble)

    def _scarce(self) -> str:
        """Why room is to be made; "" when it is not, or there is enough now."""
        slack = SLACK if self._making else 0.0
        usage = self._journal.usage()
        if self._free() + usage.spare < self._limits.least_free * (1 + slack):
            return "disk-nearly-full"
        return "journal-too-large" if usage.used > self._limits.largest * (1 - slack) else ""

    # what the office has

    def _remove_earlier(self, reason: str) -> int:
        """The files of earlier logs; of how many records."""
        if reason != "disk-nearly-full":
            return 0
        removed = self._journal.remove_earlier(self._now(), None, lambda each: self._tell_first(reason, each))
        return sum(each.last - each.first + 1 for each in removed)

    def _tell_first(self, reason: str, going: Removed) -> None:
        """Before the file goes. On a disk that takes no record it goes all the same: the record waits for the room that this makes."""
        log_id, first, last, size = going
        if log_id in self._told_of:  # it could not be deleted before
            return
        self._told_of.add(log_id)
        told = Dropped(reason=reason, log=log_id, first=first, last=last, sent=last - first + 1, bytes=size)
        answered = threading.Event()
        self._journal.append(told, self._now(), (), lambda _error: answered.set())
        answered.wait(ANSWER_S)

    def _trim(self, reason: str) -> int:
        """How many were deleted."""
        before = self._journal.oldest() - 1
        if self._journal.acked.seq - before < LEAST:
            return 0
        try:
            self._trim_some(reason)
        finally:
            count = self._journal.oldest() - 1 - before
            if count:
                logger.warning("%s: %d records that the office has were deleted before their time", reason, count)
        return count

    def _trim_some(self, reason: str) -> None:
        def told(first: int, last: int, size: int) -> Dropped:
            return Dropped(reason=reason, first=first, last=last, sent=last - first + 1, bytes=size)

        trimmed, trouble = 0, None
        while trimmed < MOST_TRIMMED:
            rows = self._step(TRIM_ROWS)
            done = self._journal.trim_acknowledged(rows, told, self._now())
            trimmed, trouble = trimmed + done, self._try_to_shrink()  # else nobody sees what it gave
            if done < rows or not self._scarce():
                break
        if trouble is not None:
            raise trouble

    # what it has not

    def _drop(self, reason: str) -> None:
        """Of the first kind that there is enough of."""
        for kind in FIRST:
            found = self._find(kind)
            if found:
                self._give_up(reason, kind, found)
                return

    def _find(self, kind: str) -> list[tuple[int, int]]:
        """The next records of a kind that have a body, and its bytes; none when it would not pay."""
        acked, head = self._journal.acked.seq, self._journal.head().seq
        after, lot = max(self._looked[kind], acked), max(LEAST, self._step(self._lot))
        while after < head:
            upto = min(after + WINDOW, head)
            found = self._journal.of_kind(kind, after, upto, lot)
            if len(found) >= LEAST or (found and upto < head):
                return found
            if upto == head:  # too few as yet: they are found again when there are more
                break
            self._looked[kind] = after = upto
        return []

    def _give_up(self, reason: str, kind: str, found: Sequence[tuple[int, int]]) -> None:
        seqs = [seq for seq, _ in found]
        size = sum(body for _, body in found)
        told = Dropped(reason=reason, kinds={kind: len(seqs)}, first=seqs[0], last=seqs[-1], bytes=size)
        try:
            self._journal.drop_bodies(seqs, told, self._now())
        except JournalError:
            self._lot = max(self._lot // 2, LEAST)  # on a disk that is full, a smaller change may still find room
            raise
        self._looked[kind] = seqs[-1]
        logger.warning("%s: the bodies of %d records of kind %s were given up", reason, len(seqs), kind)
        first = seqs[0]
        while first <= seqs[-1]:
            last = min(first + self._step(PACKED) - 1, seqs[-1])
            share = (bisect_right(seqs, last) - bisect_left(seqs, first)) / (last - first + 1)
            if share >= LEAST_PACKED:
                self._journal.pack(first, last)
            first = last + 1

    # back to the disk

    def _shrink(self) -> None:
        """Give back what is free, and the write-ahead log's room with each step: all of them in it may be more than the disk has."""
        self._give_back(self._journal.empty)

    def _try_to_shrink(self) -> JournalError | None:
        try:
            self._shrink()
        except JournalError as error:
            return error
        return None

    def _give_back(self, after_each: Callable[[], None] = lambda: None) -> None:
        for _ in range(MOST_STEPS):
            left = self._journal.give_back(self._step(2 * PAGES) // 2)
            after_each()
            if not left:
                return

    def _step(self, most: int) -> int:
        """How much is changed at a time on a disk with so little room."""
        return min(most, max(LEAST_STEP, self._free() // ROOM))


def free_on(path: Path) -> int:
    """Bytes that are free on the disk of a file. Raises JournalError."""
    try:
        disk = os.statvfs(path.parent)
    except OSError as error:
        raise JournalError(f"{path.parent}: cannot be looked at: {error.strerror}") from error
    return disk.f_bavail * disk.f_frsize
