"""The receiver of keyed state, sans-I/O: whoever keeps the state brings payloads and the time, and carries actions out.

    offline ──connected──→ asking ──a part──→ taking, or staging until the last part is there, then taking; and asking
       ↑                    │  ↑                 again from there. What is newest is confirmed: idle, until news comes.
       └───disconnected─────┴──┴──overdue────────┘

The state held decides until a whole newer one is there. A transfer is taken only from the state held (or as a snapshot),
and only to a newer one: by (epoch, version), which never go back. What is signed and old is passed over: it came late, or
somebody plays it again. What does not verify is refused and told.

Events only change what is known; `poll` asks. Nothing is believed to be kept before `taken` or `staged` says so: what could
not be carried out is asked for again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from sync.errors import MessageError
from sync.log.keyed import NOTHING, Mark, Row
from sync.log.messages import encode
from sync.log.parts import MAX_ROOM, Have, OpenedPart, Staged, Title, Verify, open_part

PATIENCE_MS: Final = (5_000, 30_000)  # first and longest wait for an answer
IDLE_MS: Final = 300_000  # an idle receiver asks this often: news may have been lost, and its age wants to be known
RETRY_MS: Final = 1_000  # changes came that do not begin at the state held
FULL_MS: Final = 500  # what is asked for at once should come within this
STUBBORN: Final = 3  # so often an older transfer must be offered before one that is nearly here is given up for it


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept. `seen`: the newest state ever taken, `title` its signed title, `at_ms` when that was signed; `whole`:
    the rows are exactly those of `seen` (else something was loaded by hand, or there is nothing). `ahead`: what of a newer state
    came ahead of it, sealed: the office is shown it, and here it means nothing."""

    seen: Mark = NOTHING
    title: bytes = b""
    at_ms: int = 0
    whole: bool = False
    ahead: bytes = b""

    @property
    def mark(self) -> Mark:
        """What changes can be made to; NOTHING where only a snapshot helps."""
        return self.seen if self.whole else NOTHING


class Kept(Protocol):
    """What a follower needs of whoever keeps the state: to look at it."""

    def held(self) -> Held:
        """The state that decides."""

    def staged(self) -> Staged | None:
        """The transfer that is being staged."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send this payload to the office. It may be lost: the question is asked again."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Take:
    """In one transaction: from `title.base` to `title.upto` by these rows, from NOTHING with no other row left; then keep
    title and mark. Where the digest or the count is not the title's: nothing, and call `mismatched`."""

    title: Title
    sealed: bytes
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Keep this payload for later, beside what decides. The first part of a transfer replaces whatever was staged."""

    title: Title
    payload: bytes


@dataclass(frozen=True, slots=True)
class TakeStaged:
    """As `Take`, with the rows of all staged parts; then nothing is staged, also where it does not match."""


@dataclass(frozen=True, slots=True)
class DropStaged:
    """Forget what is staged: it leads nowhere any more."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """The state held was still the newest when this title was signed: keep it in place of the other."""

    title: Title
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Something from the road was not taken: why, in words."""

    reason: str


Action = Send | Take | Stage | TakeStaged | DropStaged | Confirm | Refused


class Follower:
    """Follows the office's state of one site. `now` is monotonic milliseconds; the keeper's own errors go through."""

    def __init__(self, site: str, kept: Kept, verify: Verify) -> None:
        self._site = site
        self._kept = kept
        self._verify = verify
        self._connected = False
        self._wake: int | None = None  # it is time to ask
        self._asked_at: int | None = None  # or when the last part came, while more of them are on their way
        self._window_at = 0  # when what is on its way was asked for
        self._expected = 0  # the part at which the next question is due
        self._heard_at = 0
        self._patience = PATIENCE_MS[0]
        self._room = 1
        self._distrusted = False  # the rows held are not what they should be: only a snapshot helps
        self._older_offered = 0
        self._stalled = True  # nothing has come yet of what is staged, though it was asked for

    # events

    def connected(self, now: int) -> Sequence[Action]:
        """The link is up: ask."""
        self._connected = True
        self._patience, self._room, self._stalled = PATIENCE_MS[0], 1, True
        self._ask(now)
        return ()

    def disconnected(self) -> None:
        """The link is down."""
        self._connected = False
        self._wake = self._asked_at = None

    def changed(self, now: int) -> Sequence[Action]:
        """Somebody else has replaced what is kept."""
        if self._connected:
            self._ask(now)
        return ()

    def received(self, payload: bytes, now: int) -> Sequence[Action]:
        """A payload came from the office, or from somebody who says so."""
        try:
            part = open_part(payload, self._site, self._verify)
        except MessageError as error:
            return (Refused(str(error)),)
        return self._on_part(part, payload, now) if self._connected else ()

    def taken(self, now: int) -> Sequence[Action]:
        """`Take` or `TakeStaged` was carried out: ask for what is newer, which also tells what is held now."""
        self._distrusted = False
        self._progress()
        self._ask(now)
        return ()

    def staged(self, now: int) -> Sequence[Action]:
        """`Stage` or `DropStaged` was carried out."""
        self._progress()
        staged = self._kept.staged()
        if staged is not None and staged.next < self._expected:
            self._asked_at = now  # more of them are on their way
            return ()
        self._adapt(now)
        self._ask(now)
        return ()

    def mismatched(self, now: int) -> Sequence[Action]:
        """What was taken is not what its title says, and was undone: ask for a snapshot, after a while."""
        self._distrusted = True
        self._patience = min(2 * self._patience, PATIENCE_MS[1])
        self._asked_at, self._wake = None, now + self._patience
        return (Refused("the rows with the changes are not what they should be: all of them are asked for"),)

    def deadline(self) -> int | None:
        """When `poll` is wanted; None while offline."""
        if not self._connected:
            return None
        return self._wake if self._wake is not None else self._overdue_at()

    def poll(self, now: int) -> Sequence[Action]:
        """What is due."""
        if not self._connected:
            return ()
        if self._wake is None and now >= self._overdue_at():
            if self._asked_at is not None:
                self._patience = min(2 * self._patience, PATIENCE_MS[1])
                self._room, self._stalled = 1, True
            self._wake = now
        if self._wake is None or now < self._wake:
            return ()
        held, staged = self._held(), self._kept.staged()
        self._wake, self._asked_at, self._window_at = None, now, now
        if staged is not None and not _leads_on(staged, held):
            return (DropStaged(),)
        if staged is not None and staged.next == staged.parts:
            return (TakeStaged(),)
        self._expected = self._room + (0 if staged is None else staged.next)
        return (Send(encode(self._have(held, staged))),)

    def _have(self, held: Held, staged: Staged | None) -> Have:
        return Have(
            site=self._site,
            seen=held.seen,
            title=held.title,
            whole=held.whole,
            staged=staged,
            room=self._room,
            ahead=held.ahead,
        )

    # what comes

    def _on_part(self, part: OpenedPart, payload: bytes, now: int) -> Sequence[Action]:
        held, title = self._held(), part.title
        if held.whole and title.base == title.upto == held.seen:
            return self._on_confirmed(part, held, now)
        if not _is_newer(title.upto, held):
            return self._on_older(title, held, now)
        if title.base not in {NOTHING, held.mark}:
            return self._on_gap(now)
        if title.parts == 1:
            return (Take(title, part.sealed, part.rows),)
        return self._on_one_of_many(title, payload)

    def _on_confirmed(self, part: OpenedPart, held: Held, now: int) -> Sequence[Action]:
        if part.title.at_ms <= held.at_ms:
            return ()  # an old one: it says nothing of now
        self._asked_at, self._heard_at, self._patience = None, now, PATIENCE_MS[0]
        self._expected = 0  # of what comes next without a question, nothing follows but for one
        return (Confirm(part.title, part.sealed),)

    def _on_older(self, title: Title, held: Held, now: int) -> Sequence[Action]:
        """An office that says now that something older is its newest was put back: it learns from the question what is held."""
        if title.base == title.upto != held.seen and title.at_ms > held.at_ms:
            return self._on_gap(now)
        return ()  # it came late, or somebody plays it again

    def _on_gap(self, now: int) -> Sequence[Action]:
        """Changes to a state that is not held: some before them were lost. A transfer under way brings the same."""
        if self._wake is None and self._kept.staged() is None:
            self._wake = now if self._asked_at is None else max(now, self._asked_at + RETRY_MS)
        return ()

    def _on_one_of_many(self, title: Title, payload: bytes) -> Sequence[Action]:
        staged = self._kept.staged()
        if staged is not None and staged.transfer == title.transfer:
            if title.number != staged.next:
                return ()
        elif title.number != 0 or (staged is not None and not self._prefers(title, staged)):
            return ()
        elif staged is not None:
            self._expected = 0  # how many of this one come was never asked
        stage = Stage(title, payload)
        return (stage, TakeStaged()) if title.is_last else (stage,)

    def _prefers(self, title: Title, staged: Staged) -> bool:
        """Whether to begin with another transfer than the one that is staged: with a newer one where nothing comes of that one, or
        when an office that cannot go on with it (it was put back) offers nothing else. Changes that come again and again must
        not keep a long transfer from its end: they follow it."""
        if title.upto.order > staged.upto.order:
            return self._stalled
        self._older_offered += 1
        return self._older_offered >= STUBBORN

    # asking

    def _progress(self) -> None:
        self._patience, self._older_offered, self._stalled = PATIENCE_MS[0], 0, False

    def _held(self) -> Held:
        held = self._kept.held()
        return replace(held, whole=held.whole and not self._distrusted)

    def _ask(self, now: int) -> None:
        self._asked_at, self._wake = None, now

    def _overdue_at(self) -> int:
        return self._heard_at + IDLE_MS if self._asked_at is None else self._asked_at + self._patience

    def _adapt(self, now: int) -> None:
        """Ask for as many parts as come within half a second: a command that overtakes nothing waits behind them."""
        took = now - self._window_at
        if took <= FULL_MS:
            self._room = min(2 * self._room, MAX_ROOM)
        elif took > 2 * FULL_MS:
            self._room = max(1, self._room // 2)


def _is_newer(upto: Mark, held: Held) -> bool:
    """Whether this may follow what is held. What is not whole may be replaced by the very state it once was."""
    return upto.order > held.seen.order or (not held.whole and upto.order == held.seen.order)


def _leads_on(staged: Staged, held: Held) -> bool:
    return staged.base in {NOTHING, held.mark} and _is_newer(staged.upto, held)
