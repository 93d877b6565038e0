"""The door: its lock, its leaf and what it is ordered to do.

Theory of operation. The lock is released in two states only: `released` and `free`. A grant goes through `committing`,
where the lock rests until the record is on disk; the exit button and the guard release at once. Opening ends a release (so
that the door latches when it falls shut), and so does time. What stands open with leave becomes `held_open`; what is open
without leave becomes `forced`. `free` and `locked_down` are ordered; with the contact lost the door is in `fault`: it still
releases, by time alone. `rest` is no state: it stands for what the door rests in, the first of `RESTS` that is so.

An open portal has no lock and no leaf: `released` is its green light, and the passage ends it.
"""

from collections.abc import Mapping
from enum import StrEnum

from gateway.core.mode import Order
from gateway.core.policy import PortalKind, PortalPolicy
from gateway.core.tables import after, earliest, seconds


class DoorState(StrEnum):
    """States of the door."""

    LOCKED = "locked"
    COMMITTING = "committing"
    RELEASED = "released"
    OPEN = "open"
    HELD_OPEN = "held_open"
    FORCED = "forced"
    FREE = "free"
    LOCKED_DOWN = "locked_down"
    FAULT = "fault"


class Rest(StrEnum):
    """What the door falls back to: one of `RESTS`."""

    REST = "rest"


class DoorInput(StrEnum):
    """What moves the door."""

    GRANTED = "granted"
    COMMITTED = "committed"
    WITHDRAWN = "withdrawn"
    RELEASE = "release at once"
    OPENED = "opened"
    CLOSED = "closed"
    PASSED = "passed"
    RELEASE_OVER = "release over"
    OPEN_TOO_LONG = "open too long"
    OPEN_WITHOUT_LEAVE = "open without leave"
    ORDERED_FREE = "free or fire"
    ORDERED_NORMAL = "normal"
    ORDERED_LOCKDOWN = "lockdown"
    CONTACT_LOST = "contact lost"
    CONTACT_BACK = "contact back"


_S, _I, _REST = DoorState, DoorInput, Rest.REST
_RELEASES: Mapping[DoorInput, DoorState] = {_I.COMMITTED: _S.RELEASED, _I.RELEASE: _S.RELEASED}
TABLE: Mapping[DoorState, Mapping[DoorInput, DoorState | Rest]] = {
    _S.LOCKED: {
        **_RELEASES,
        _I.GRANTED: _S.COMMITTING,
        _I.OPEN_WITHOUT_LEAVE: _S.FORCED,
        _I.ORDERED_FREE: _S.FREE,
        _I.ORDERED_LOCKDOWN: _S.LOCKED_DOWN,
        _I.CONTACT_LOST: _S.FAULT,
    },
    _S.COMMITTING: {
        **_RELEASES,
        _I.WITHDRAWN: _REST,
        _I.OPEN_WITHOUT_LEAVE: _S.FORCED,
        _I.ORDERED_FREE: _S.FREE,
        _I.ORDERED_LOCKDOWN: _S.LOCKED_DOWN,
    },
    _S.RELEASED: {
        _I.OPENED: _S.OPEN,
        _I.PASSED: _REST,
        _I.RELEASE_OVER: _REST,
        _I.OPEN_WITHOUT_LEAVE: _S.FORCED,
        _I.ORDERED_FREE: _S.FREE,
        _I.ORDERED_LOCKDOWN: _REST,
    },
    _S.OPEN: {
        **_RELEASES,
        _I.CLOSED: _REST,
        _I.OPEN_TOO_LONG: _S.HELD_OPEN,
        _I.ORDERED_FREE: _S.FREE,
        _I.CONTACT_LOST: _S.FAULT,
    },
    _S.HELD_OPEN: {
        **_RELEASES,
        _I.CLOSED: _REST,
        _I.ORDERED_FREE: _S.FREE,
        _I.CONTACT_LOST: _S.FAULT,
    },
    _S.FORCED: {
        **_RELEASES,
        _I.CLOSED: _REST,
        _I.ORDERED_FREE: _S.FREE,
        _I.CONTACT_LOST: _S.FAULT,
    },
    _S.FREE: {
        _I.ORDERED_NORMAL: _REST,
        _I.ORDERED_LOCKDOWN: _REST,
    },
    _S.LOCKED_DOWN: {
        _I.RELEASE: _S.RELEASED,
        _I.OPEN_WITHOUT_LEAVE: _S.FORCED,
        _I.ORDERED_FREE: _S.FREE,
        _I.ORDERED_NORMAL: _REST,
    },
    _S.FAULT: {
        **_RELEASES,
        _I.GRANTED: _S.COMMITTING,
        _I.ORDERED_FREE: _S.FREE,
        _I.ORDERED_LOCKDOWN: _S.LOCKED_DOWN,
        _I.CONTACT_BACK: _REST,
    },
}
RESTS: tuple[tuple[str, DoorState], ...] = (
    ("free or fire", _S.FREE),
    ("open with leave", _S.OPEN),
    ("lockdown", _S.LOCKED_DOWN),
    ("contact lost", _S.FAULT),
    ("else", _S.LOCKED),
)
"""What `rest` is: the first whose condition holds."""

_ORDERED = {
    Order.NORMAL: _I.ORDERED_NORMAL,
    Order.FREE: _I.ORDERED_FREE,
    Order.LOCKDOWN: _I.ORDERED_LOCKDOWN,
}
_AT_REST = (_S.LOCKED, _S.LOCKED_DOWN, _S.FAULT)
_SHUT = (_S.LOCKED, _S.COMMITTING, _S.LOCKED_DOWN)


class DoorMachine:
    """One portal's door. Every method takes the present mono ms; `state` tells what came of it."""

    def __init__(self, policy: PortalPolicy) -> None:
        self._policy = policy
        self.state = DoorState.LOCKED
        self._order = Order.NORMAL
        self._contact_lost = False
        self._entered_ms = 0
        self._until_ms = 0  # of a release
        self._open_ms: int | None = None  # since when the leaf is open; None: it is closed
        self._leave = False  # whether the open leaf was opened with leave
        self.pre_alarm = False

    def adopt(self, policy: PortalPolicy) -> None:
        """Go by this from now on; what is told of the place stays as it is."""
        self._policy = policy

    @property
    def lock_released(self) -> bool:
        """Whether the lock is to be energised to release."""
        return self.state in (DoorState.RELEASED, DoorState.FREE) and self._policy.kind is not PortalKind.OPEN

    @property
    def should_hold(self) -> bool:
        """Whether the leaf is known to be shut, and the lock is to hold it."""
        return not (self.lock_released or self._contact_lost or self._open_ms is not None)

    @property
    def at_rest(self) -> bool:
        """Whether nobody has leave to pass any more."""
        return self.state in _AT_REST

    # what happens to it

    def granted(self, now_ms: int) -> None:
        """A grant is being written."""
        self._move(DoorInput.GRANTED, now_ms)

    def committed(self, now_ms: int, release_ms: int) -> None:
        """A grant is on disk: release."""
        self._until_ms = max(self._until_ms, now_ms + release_ms)
        self._move(DoorInput.COMMITTED, now_ms)

    def withdrawn(self, now_ms: int) -> None:
        """A grant will not be carried out."""
        self._move(DoorInput.WITHDRAWN, now_ms)

    def release(self, now_ms: int, release_ms: int) -> None:
        """Release at once: the way out, the guard."""
        self._until_ms = max(self._until_ms, now_ms + release_ms)
        self._move(DoorInput.RELEASE, now_ms)

    def contact(self, now_ms: int, *, is_open: bool) -> None:
        """The leaf opened or closed."""
        if self._policy.kind is PortalKind.OPEN or is_open == (self._open_ms is not None):
            return
        if not is_open:
            self._open_ms, self._leave = None, False
            self._move(DoorInput.CLOSED, now_ms)
            return
        self._open_ms = now_ms
        self._leave = self.state in (DoorState.RELEASED, DoorState.FREE)
        if self._policy.kind is PortalKind.SEALED:
            self._move(DoorInput.OPEN_WITHOUT_LEAVE, now_ms)
        self._move(DoorInput.OPENED, now_ms)

    def contact_lost(self, now_ms: int, *, lost: bool) -> None:
        """The contact's device was lost, or is back. What it last said is no longer known then."""
        self._contact_lost = lost
        if lost:
            self._open_ms, self._leave = None, False
        self._move(DoorInput.CONTACT_LOST if lost else DoorInput.CONTACT_BACK, now_ms)

    def order(self, now_ms: int, order: Order) -> None:
        """Order it to be free, locked down or normal."""
        self._order = order
        self._move(_ORDERED[order], now_ms)

    def passed(self, now_ms: int) -> None:
        """Whoever had leave has passed: an open portal is closed to the next."""
        if self._policy.kind is PortalKind.OPEN:
            self._move(DoorInput.PASSED, now_ms)

    # time

    def deadline(self) -> int | None:
        """When it wants to be asked again."""
        match self.state:
            case DoorState.RELEASED:
                return self._until_ms
            case DoorState.OPEN:
                return earliest(self._pre_alarm_at(), self._entered_ms + seconds(self._policy.held_open_s))
        return self._forced_at()

    def due(self, now_ms: int) -> None:
        """Do what its deadline was for."""
        deadline = self.deadline()
        if deadline is None or now_ms < deadline:
            return
        if self.state is DoorState.RELEASED:
            self._move(DoorInput.RELEASE_OVER, now_ms)
        elif self.state is not DoorState.OPEN:
            self._move(DoorInput.OPEN_WITHOUT_LEAVE, now_ms)
        elif now_ms >= self._entered_ms + seconds(self._policy.held_open_s):
            self._move(DoorInput.OPEN_TOO_LONG, now_ms)
        else:
            self.pre_alarm = True

    def _pre_alarm_at(self) -> int | None:
        early = self._policy.pre_alarm_after_s < self._policy.held_open_s
        return self._entered_ms + seconds(self._policy.pre_alarm_after_s) if early and not self.pre_alarm else None

    def _forced_at(self) -> int | None:
        if self._open_ms is None or self._leave or self.state not in _SHUT:
            return None
        return self._open_ms + seconds(self._policy.forced_debounce_s)

    def _move(self, given: DoorInput, now_ms: int) -> None:
        target = after(TABLE, self.state, given)
        state = self._rest() if isinstance(target, Rest) else target
        if state is self.state:
            return
        self.state, self._entered_ms, self.pre_alarm = state, now_ms, False
        if state is not DoorState.RELEASED:
            self._until_ms = 0
        if state in (DoorState.RELEASED, DoorState.FREE):
            self._leave = self._open_ms is not None

    def _rest(self) -> DoorState:
        holds = {
            "free or fire": self._order is Order.FREE,
            "open with leave": self._open_ms is not None and self._leave,
            "lockdown": self._order is Order.LOCKDOWN,
            "contact lost": self._contact_lost,
            "else": True,
        }
        return next(state for condition, state in RESTS if holds[condition])
