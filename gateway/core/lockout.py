"""Lock-out: so many bad credentials in a row, and the readers are closed for a while.

Theory of operation. Bad credentials are counted until a good one is read. The last one that is allowed locks the readers
out; nothing that is read then counts, neither for nor against anybody. Time ends it.

Across a restart a lock-out begins anew: the monotonic clock belongs to one boot and the wall clock may be wrong, so
neither can say how much of it has passed. It is never shorter than the policy's time, and a power cut never ends it.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from gateway.core import durable
from gateway.core.policy import VisitPolicy
from gateway.core.tables import after, seconds


class LockOutState(StrEnum):
    """Whether the readers are open."""

    READY = "ready"
    LOCKED_OUT = "locked_out"


class LockOutInput(StrEnum):
    """What moves it."""

    TOO_MANY = "too many bad credentials"
    TIME_OVER = "time over"


TABLE: Mapping[LockOutState, Mapping[LockOutInput, LockOutState]] = {
    LockOutState.READY: {LockOutInput.TOO_MANY: LockOutState.LOCKED_OUT},
    LockOutState.LOCKED_OUT: {LockOutInput.TIME_OVER: LockOutState.READY},
}
_KEY = "lock-out"


class _Kept(msgspec.Struct, frozen=True):
    bad: int
    state: LockOutState


class LockOut:
    """Counts bad credentials and keeps the time of a lock-out."""

    def __init__(self, policy: VisitPolicy, state: Mapping[str, bytes]) -> None:
        kept = durable.read(state, _KEY, _Kept, _Kept(0, LockOutState.READY))
        self._policy = policy
        self._bad = kept.bad
        self._state = kept.state
        self._until_ms: int | None = None

    def adopt(self, policy: VisitPolicy) -> None:
        """Go by this from now on; a lock-out in force goes on as it began."""
        self._policy = policy

    def start(self, now_ms: int) -> None:
        """Let a lock-out that was in force begin anew."""
        if self.locked:
            self._until_ms = now_ms + seconds(self._policy.lock_out_s)

    @property
    def locked(self) -> bool:
        """Whether the readers are locked out."""
        return self._state is LockOutState.LOCKED_OUT

    def good(self) -> None:
        """A good credential was read."""
        self._bad = 0

    def bad(self, now_ms: int) -> bool:
        """A bad one was read. Whether it locks the readers out."""
        if self.locked:
            return False
        self._bad += 1
        if self._bad >= self._policy.bad_credentials:
            self._move(LockOutInput.TOO_MANY)
            self.start(now_ms)
        return self.locked

    def deadline(self) -> int | None:
        """When the lock-out is over."""
        return self._until_ms

    def due(self, now_ms: int) -> bool:
        """Whether a lock-out has just ended."""
        if self._until_ms is None or now_ms < self._until_ms:
            return False
        self._until_ms, self._bad = None, 0
        self._move(LockOutInput.TIME_OVER)
        return True

    def _move(self, given: LockOutInput) -> None:
        self._state = after(TABLE, self._state, given)

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_KEY: durable.encode(_Kept(self._bad, self._state))} if self._bad or self.locked else {}
