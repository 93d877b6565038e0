"""What is due by timetable (定时消杀、定时播报): told when it is due, confirmed by somebody, missed when nobody does in time.

Theory of operation. Each round has times of day. The last of them that has come is looked at: it is new, then it is due; it is
confirmed, or so many minutes later missed. A round that is confirmed late is done, and the alarm is over; so it is when the
next time comes, and missing that one is an alarm again. What was due before this gate first had the timetable is nobody's
fault; what was due while it was off is missed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from gateway.core import durable
from gateway.core.moment import Moment
from gateway.core.policy import WEEK, Policy, RoundPolicy
from gateway.core.tables import after

_PREFIX: Final = "round-"
AHEAD_MS: Final = 3_600_000  # a clock that is put back by less brings no round a second time


class RoundState(StrEnum):
    """Where a round stands."""

    IDLE = "idle"
    DUE = "due"
    MISSED = "missed"


class RoundInput(StrEnum):
    """What moves it."""

    TIME = "its time has come"
    CONFIRMED = "confirmed"
    TOO_LATE = "nobody in time"


_S, _I = RoundState, RoundInput
TABLE: Mapping[RoundState, Mapping[RoundInput, RoundState]] = {
    _S.IDLE: {_I.TIME: _S.DUE},
    _S.DUE: {_I.CONFIRMED: _S.IDLE, _I.TOO_LATE: _S.MISSED},
    _S.MISSED: {_I.TIME: _S.DUE, _I.CONFIRMED: _S.IDLE},
}


class _Kept(msgspec.Struct, frozen=True):
    due_ms: int
    state: RoundState


@dataclass(frozen=True, slots=True)
class Turn:
    """A round that has just become due, was missed, or is done."""

    name: str
    policy: RoundPolicy
    due_ms: int
    given: RoundInput


class Rounds:
    """All rounds of the timetable."""

    def __init__(self, policy: Policy, state: Mapping[str, bytes]) -> None:
        self._policy = policy
        self._kept = {
            key.removeprefix(_PREFIX): durable.decode(key, value, _Kept)
            for key, value in state.items()
            if key.startswith(_PREFIX)
        }

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def forget(self) -> list[str]:
        """Forget the rounds that the timetable does not have any more: their names."""
        gone = [name for name in self._kept if name not in self._policy.rounds]
        for name in gone:
            del self._kept[name]
        return gone

    def look(self, now: Moment) -> Iterator[Turn]:
        """What has become due, or was missed. Each is to go on record before the next is asked for."""
        local = self._policy.local(now)
        for name, policy in self._policy.rounds.items():
            due_ms = _last(policy, local)
            kept = self._put_right(name, now)
            if kept is None:
                self._kept[name] = _Kept(now.at_ms, RoundState.IDLE)
            elif due_ms is not None and due_ms > kept.due_ms:
                if kept.state is RoundState.DUE:  # its time was over, and the next has come
                    yield self._move(name, policy, kept.due_ms, RoundInput.TOO_LATE)
                yield self._move(name, policy, due_ms, RoundInput.TIME)
            kept = self._kept[name]
            if kept.state is RoundState.DUE and now.at_ms >= kept.due_ms + policy.within_min * 60_000:
                yield self._move(name, policy, kept.due_ms, RoundInput.TOO_LATE)

    def _put_right(self, name: str, now: Moment) -> _Kept | None:
        """A clock that was ahead would keep it from ever being due until that time comes: then it counts from now."""
        kept = self._kept.get(name)
        if kept is not None and kept.due_ms > now.at_ms + AHEAD_MS:
            kept = self._kept[name] = _Kept(now.at_ms, kept.state)
        return kept

    def confirm(self, name: str) -> Turn | None:
        """Somebody has done it; None when it was not due."""
        kept, policy = self._kept.get(name), self._policy.rounds.get(name)
        if kept is None or policy is None or kept.state is RoundState.IDLE:
            return None
        return self._move(name, policy, kept.due_ms, RoundInput.CONFIRMED)

    def confirmed_by(self, holder: str) -> list[str]:
        """The rounds that wait for somebody, and which this holder's card confirms."""
        return [name for name in self.waiting if holder and holder in self._policy.rounds[name].confirmed_by]

    @property
    def waiting(self) -> dict[str, int]:
        """The rounds that are due or missed, and since when (Unix milliseconds)."""
        return {
            name: kept.due_ms
            for name, kept in self._kept.items()
            if kept.state is not RoundState.IDLE and name in self._policy.rounds
        }

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_PREFIX + name: durable.encode(kept) for name, kept in self._kept.items()}

    def _move(self, name: str, policy: RoundPolicy, due_ms: int, given: RoundInput) -> Turn:
        state = after(TABLE, self._kept[name].state, given)
        self._kept[name] = _Kept(due_ms, state)
        return Turn(name, policy, due_ms, given)


def _last(policy: RoundPolicy, local: datetime) -> int | None:
    """The last time that it was due by now, Unix milliseconds."""
    times = [
        moment
        for back in (0, 1)
        for moment in _on(policy, local - timedelta(days=back))
        if moment.timestamp() <= local.timestamp()
    ]
    return round(max(times).timestamp() * 1000) if times else None


def _on(policy: RoundPolicy, day: datetime) -> list[datetime]:
    if WEEK[day.weekday()] not in policy.days:
        return []
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return [midnight.replace(hour=int(at[:2]), minute=int(at[3:])) for at in policy.times]
