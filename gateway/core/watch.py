"""Whether the night guard is awake (夜间值守): in the small hours he is asked to press the button; no press is an alarm.

Theory of operation. Whatever a guard does is a sign of life: a button, an acknowledgement, a release, anything on his page. After
`every_min` without one, within the policy's hours, he is asked. An answer within `answer_s` is recorded as his presence; none is
an alarm that goes to the duty room at once, since nobody at the gate would hear it.
"""

from collections.abc import Mapping
from enum import StrEnum

from gateway.core.moment import Moment
from gateway.core.policy import Policy, between
from gateway.core.tables import after, seconds


class WatchState(StrEnum):
    """Where the watch stands."""

    QUIET = "quiet"
    ASKED = "asked"
    ABSENT = "absent"


class WatchInput(StrEnum):
    """What moves it."""

    CHECK = "time to ask"
    SIGN = "sign of life"
    NO_ANSWER = "no answer"


_S, _I = WatchState, WatchInput
TABLE: Mapping[WatchState, Mapping[WatchInput, WatchState]] = {
    _S.QUIET: {_I.CHECK: _S.ASKED},
    _S.ASKED: {_I.SIGN: _S.QUIET, _I.NO_ANSWER: _S.ABSENT},
    _S.ABSENT: {_I.SIGN: _S.QUIET},
}


class Watch:
    """The presence check. `state` tells what came of it."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.state = WatchState.QUIET
        self._last_ms = 0
        self._asked_ms = 0

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def start(self, now_ms: int) -> None:
        """The gate starts: as if he had been heard just now."""
        self._last_ms = now_ms

    def sign(self, now_ms: int) -> bool:
        """A sign of life. Whether it was an answer."""
        self._last_ms = now_ms
        before, self.state = self.state, after(TABLE, self.state, WatchInput.SIGN)
        return before is not self.state

    def look(self, now: Moment) -> bool:
        """Each minute: whether he is to be asked now."""
        watch = self._policy.watch
        if self.state is not WatchState.QUIET or not watch.every_min:
            return False
        if not between(watch.begins, watch.ends, self._policy.time_of_day(now)):
            return False
        if now.mono_ms - self._last_ms < watch.every_min * 60_000:
            return False
        self.state, self._asked_ms = after(TABLE, self.state, WatchInput.CHECK), now.mono_ms
        return True

    def deadline(self) -> int | None:
        """When an answer is too late."""
        asked = self.state is WatchState.ASKED
        return self._asked_ms + seconds(self._policy.watch.answer_s) if asked else None

    def due(self, now_ms: int) -> bool:
        """Whether an answer has just become too late."""
        deadline = self.deadline()
        if deadline is None or now_ms < deadline:
            return False
        self.state = after(TABLE, self.state, WatchInput.NO_ANSWER)
        return True
