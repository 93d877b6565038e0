"""The office's end of keyed state, sans-I/O: what to send to a receiver, given what it says that it has.

Every answer follows from the question alone: a receiver that got none asks again. What was made for one is kept for the
others, as after an outage they all ask for the same.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from sync.errors import MessageError
from sync.log.keyed import NOTHING, Mark, Row
from sync.log.parts import Have, Seal, Verify, open_title, pack

SNAPSHOTS: Final = 2  # that are kept made: a slow link may still be busy with the last but one
CHANGES: Final = 8  # transfers of changes that are kept made
PUT_BACK_MS: Final = 60_000  # a title of so much later than now: the clock was ahead when it was signed
FRESH_MS: Final = 600_000  # a snapshot is sent as it was made for so long; what has changed since follows it
K = TypeVar("K")


class Source(Protocol):
    """The state as the office keeps it. Every answer is as of now; it changes behind the publisher."""

    def newest(self) -> Mark:
        """The state as it is; NOTHING before the first."""

    def had(self, mark: Mark) -> bool:
        """Whether this was a state here, after which every change is still known."""

    def changed(self, base: Mark) -> tuple[Mark, Iterable[Row]]:
        """The newest mark, and each row that has changed from `base` to it, as it is now, ordered by table and key; all
        rows from NOTHING. Both as of one moment."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Send these payloads, in this order."""

    payloads: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class OpenEpoch:
    """The receiver proves a state that is not known here any more: this office was put back. Make a new state whose epoch is
    above `above`, and answer again. Or it holds a title that was signed while the clock was ahead: no confirmation would be
    later than that, and its state would count as younger than it is."""

    above: int


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """What the receiver says cannot be: why, in words."""

    reason: str


Answer = Parts | OpenEpoch | NotAnswered


class Publisher:
    """Answers receivers. `verify` believes what `seal` has signed, now and formerly."""

    def __init__(self, site: str, source: Source, *, seal: Seal, verify: Verify) -> None:
        self._site = site
        self._source = source
        self._seal = seal
        self._verify = verify
        self._snapshots: OrderedDict[Mark, Sequence[bytes]] = OrderedDict()
        self._changes: OrderedDict[tuple[Mark, Mark], Sequence[bytes]] = OrderedDict()
        self._begun: OrderedDict[tuple[Mark, Mark], Sequence[bytes]] = OrderedDict()  # that somebody goes on with
        self._made_ms = 0  # when the last snapshot was made
        self._at_ms = 0

    def answer(self, have: Have, at_ms: int) -> Answer:
        """What to send; `at_ms`: Unix milliseconds, which the titles say and which never run backwards in those of one
        epoch. Raises what the source raises."""
        self._at_ms = at_ms if self._at_ms - at_ms > PUT_BACK_MS else max(at_ms, self._at_ms + 1)
        if have.site != self._site:
            return NotAnswered(f"it is of the site {have.site!r}, and asks for {self._site!r}")
        newest = self._source.newest()
        if newest == NOTHING:
            return Parts(())
        if have.seen != newest and have.seen.order >= newest.order:
            return self._ahead(have, newest)
        if have.seen == newest and self._signed_ms(have) - at_ms > PUT_BACK_MS:
            self._snapshots.clear()
            self._changes.clear()
            self._begun.clear()
            return OpenEpoch(newest.epoch)
        if have.whole and have.seen == newest:
            return Parts(self._pack(newest, newest, ()))
        return Parts(self._wanted(have, newest))

    def _signed_ms(self, have: Have) -> int:
        """When the title that it holds was signed; 0 where that is not ours, or of another state."""
        try:
            title = open_title(have.title, self._verify)
        except MessageError:
            return 0
        return title.at_ms if title.site == self._site and title.upto == have.seen else 0

    def _ahead(self, have: Have, newest: Mark) -> Answer:
        """It has what is not known here. Only what this office has signed itself counts: nobody can make it begin anew."""
        claim = (
            f"it has version {have.seen.epoch}.{have.seen.version}, the newest here is {newest.epoch}.{newest.version}"
        )
        try:
            title = open_title(have.title, self._verify)
        except MessageError as error:
            return NotAnswered(f"{claim}, and no proof of it ({error})")
        if title.site != self._site or title.upto != have.seen:
            return NotAnswered(f"{claim}, and its proof is of another")
        return OpenEpoch(have.seen.epoch)

    def _wanted(self, have: Have, newest: Mark) -> Sequence[bytes]:
        staged = have.staged
        if staged is not None:
            payloads = self._kept(staged.base, staged.upto)
            if len(payloads) == staged.parts:
                if staged.base != NOTHING:
                    _keep(self._begun, (staged.base, staged.upto), payloads, CHANGES)
                return payloads[staged.next : staged.next + have.room]
        if have.whole and have.seen != NOTHING and self._source.had(have.seen):
            return self._transfer(have.seen, newest)[: have.room]
        return self._snapshot(have, newest)[: have.room]

    def _kept(self, base: Mark, upto: Mark) -> Sequence[bytes]:
        if base == NOTHING:
            return self._snapshots.get(upto, ())
        return self._changes.get((base, upto)) or self._begun.get((base, upto), ())

    def _snapshot(self, have: Have, newest: Mark) -> Sequence[bytes]:
        """The last one made where it serves, else one of now."""
        upto = next(reversed(self._snapshots), NOTHING)
        serves = upto.order > have.seen.order or (upto == have.seen and not have.whole)
        fresh = upto.epoch == newest.epoch and self._at_ms - self._made_ms < FRESH_MS
        if serves and fresh and self._source.had(upto):
            return self._snapshots[upto]
        self._made_ms = self._at_ms
        return self._transfer(NOTHING, newest)

    def _transfer(self, base: Mark, newest: Mark) -> Sequence[bytes]:
        payloads = self._kept(base, newest)
        if payloads:
            return payloads
        upto, rows = self._source.changed(base)
        payloads = self._pack(base, upto, rows)
        if base == NOTHING:
            _keep(self._snapshots, upto, payloads, SNAPSHOTS)
        else:
            _keep(self._changes, (base, upto), payloads, CHANGES)
        return payloads

    def _pack(self, base: Mark, upto: Mark, rows: Iterable[Row]) -> Sequence[bytes]:
        return pack((base, upto), rows, site=self._site, at_ms=self._at_ms, seal=self._seal)


def _keep(made: OrderedDict[K, Sequence[bytes]], name: K, payloads: Sequence[bytes], limit: int) -> None:
    """Keep what was made, and of all no more than the last ones."""
    made[name] = payloads
    made.move_to_end(name)
    while len(made) > limit:
        made.popitem(last=False)
