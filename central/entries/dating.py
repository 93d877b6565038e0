"""When was it? From boots, monotonic clocks and what gates say of the time, to times and bounds. Pure: no database, no clock.

Theory of operation. A machine's monotonic clock never steps, so a boot has one *offset*: the Unix time at which that clock
stood at 0. Whoever knows it knows when every record of the boot was written, backwards too. A gate says what it takes it for
with each record whose clock it trusts (`at - mono`). Such a *word* is believed unless something speaks against it:

- it lies ahead of the time at which the record came in: it is wrong, and forgotten;
- it puts the boot before what was written before the boot: nobody can say which of the two is wrong;
- it contradicts an earlier word of the boot. Where the clock comes back to what it said before, what lay between was an
  excursion and is forgotten. Until then nobody can say which is right, and the boot is shown with both as bounds.

A boot without a word lies between its neighbours in the log: not before the last record before it, not after the first one
after it, and no record was written after it came in. Order is never taken from a clock: it is that of the log.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

SAME_MS: Final = (
    60_000  # words that differ by no more say the same: the office's time, the kernel's, a second set right
)
AHEAD_MS: Final = 5 * 60_000  # how far ahead of the office's own clock a gate may be
WORTH_MS: Final = 1_000  # by how much bounds must become narrower for others to be told
MOST_WORDS: Final = 8  # a boot whose clock has said more, or wavered more often, is not dated any more
LONGEST_MS: Final = 2**61  # no machine is up for longer, and no word is further off: whatever is added fits 64 bits


class Doubt(StrEnum):
    """Why a time is shown with "≈"."""

    NONE = ""
    UNTRUSTED = "untrusted"
    AHEAD = "ahead"
    BACK = "back"
    SET = "set"


class Bounds(NamedTuple):
    """From when to when, Unix ms; None where that is not known."""

    earliest: int | None
    latest: int | None


class Said(Protocol):
    """What a record says of the time. `mono`: ms since `boot`; `at`: Unix ms, `clock`: whether that was trusted."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def clock(self) -> bool: ...
    @property
    def boot(self) -> bytes: ...
    @property
    def mono(self) -> int: ...


@dataclass(slots=True)
class Boot:
    """What is known of when a boot was, as offsets.

    `first` and `last`: the monotonic ms of its records, least and greatest; `earliest` and `latest`: bounds that do not come
    from its own words; `words`: those that are not known to be wrong, the newest one last; `heard`: the monotonic ms of the
    newest word, so that records which are sent again say nothing new; `wavered`: how often a word contradicted others."""

    first: int
    last: int
    earliest: int | None = None
    latest: int | None = None
    words: list[int] = field(default_factory=list)
    heard: int = -1
    wavered: int = 0

    @property
    def doubt(self) -> Doubt:
        """Why its times are doubtful; NONE where they are known."""
        if not self.words:
            return Doubt.UNTRUSTED
        if len(self.words) > 1:
            return Doubt.SET
        return Doubt.BACK if self._precedes(self.words[0]) else Doubt.NONE

    @property
    def bounds(self) -> Bounds:
        """Bounds of its offset."""
        if not self.words:
            return Bounds(self.earliest, self.latest)
        least, most = min(self.words), max(self.words)
        if self._precedes(least) and self.latest is not None:
            most = max(most, self.latest)
        return Bounds(least, most)

    def extend(self, mono: int, received_ms: int) -> None:
        """Records up to `mono` came in at `received_ms` by the office's clock."""
        self.first, self.last = min(self.first, mono), max(self.last, mono)
        self.not_after(received_ms - mono)

    def not_after(self, latest: int) -> None:
        """Its offset is no greater."""
        self.latest = latest if self.latest is None else min(self.latest, latest)

    def agrees(self, at: int, mono: int) -> bool:
        """Whether a record says what the newest word says."""
        return bool(self.words) and abs(at - mono - self.words[-1]) <= SAME_MS

    def hear(self, at: int, mono: int, received_ms: int) -> None:
        """A record whose clock was trusted says what time it is."""
        word = at - mono
        if mono <= self.heard or _is_ahead(at, received_ms) or abs(word) > LONGEST_MS:
            return
        self.heard = mono
        before = next((place for place, other in enumerate(self.words) if abs(other - word) <= SAME_MS), None)
        if before is not None and (before == len(self.words) - 1 or self.wavered < MOST_WORDS):
            self.words[before:] = [word]
            return
        self.wavered += bool(self.words)
        if len(self.words) < MOST_WORDS:
            self.words.append(word)
        self.words = [other for other in self.words if not self._precedes(other)] or self.words

    def time_of(self, said: Said, received_ms: int) -> tuple[int | None, Doubt]:
        """When a record of this boot was written, where that is known; else why it is not."""
        doubt = self.doubt
        if doubt is not Doubt.NONE:
            ahead = not self.words and said.clock and _is_ahead(said.at, received_ms)
            return None, Doubt.AHEAD if ahead else doubt
        at = said.at if said.clock and self.agrees(said.at, said.mono) else self.words[0] + said.mono
        return (None, Doubt.AHEAD) if _is_ahead(at, received_ms) else (at, doubt)

    def _precedes(self, word: int) -> bool:
        """Whether a word puts the boot before what was written before it."""
        return self.earliest is not None and word < self.earliest - SAME_MS


Last = tuple[Boot, int]  # the last record that was looked at: its boot, and its monotonic ms


class History:
    """A gate's boots, by their ids, as far as they are at hand."""

    def __init__(self) -> None:
        self.boots: dict[bytes, Boot] = {}
        self._last: Last | None = None

    def learn(self, records: Iterable[Said], received_ms: int, last: Callable[[], Last | None]) -> None:
        """Learn from records that came in together, in the order of the log. `last()`: the one that was written before
        them, as far as anybody knows; asked for where a boot is new."""
        for said in records:
            if not dates(said):
                continue
            boot = self.boots.get(said.boot)
            if boot is None:
                boot = self.boots[said.boot] = _begin(said.mono, self._last or last())
            boot.extend(said.mono, received_ms)
            if said.clock and (said.kind == "clock" or not boot.agrees(said.at, said.mono)):
                boot.hear(said.at, said.mono, received_ms)
            self._last = boot, said.mono


def dates(said: Said) -> bool:
    """Whether a record tells anything of when its boot was. The first one of a log does not stand where it belongs: what is
    carried over from the log before stands after it, and is older."""
    return said.kind != "log-opened" and said.mono < LONGEST_MS


def narrow(before: Iterable[Boot], after: Boot) -> Iterator[Boot]:
    """Let the boots before `after`, the last one first, end before the next one begins: as far back as this says anything
    new. Those that changed."""
    for boot in before:
        most, known = after.bounds.latest, boot.latest
        if boot.words or most is None:
            return
        boot.not_after(most + after.first - boot.last)
        if known is not None and boot.latest is not None and known - boot.latest < WORTH_MS:
            return
        yield boot
        after = boot


def _begin(mono: int, last: Last | None) -> Boot:
    """A boot whose first record bears `mono`, and was written after `last`."""
    least = None if last is None else last[0].bounds.earliest
    return Boot(mono, mono, None if least is None or last is None else least + last[1] - mono)


def _is_ahead(at: int, received_ms: int) -> bool:
    """Whether a time cannot be, as the record was here before it."""
    return at > received_ms + AHEAD_MS
