"""The call of the night guard: somebody has come, and what became of him.

Who goes out at night comes by the same sensor as who wants in. Nobody could have answered him, and the record of the end says so; but only
where nobody tried to come in meanwhile.
"""

from gateway.core.alarm_desk import AlarmDesk
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.core.tables import seconds
from sync.contract.alarms import AlarmKind, CallEnd


class NightCall:
    """Raises and ends the alarm."""

    def __init__(self, desk: AlarmDesk) -> None:
        self._desk = desk
        self._begun_ms = 0
        self._tried = False  # to come in, and was not let in
        self._out_ms: int | None = None  # when somebody last went out

    def come(self, now: Moment) -> None:
        """Somebody is there."""
        if self._desk.raise_(AlarmKind.NIGHT_ARRIVAL, now):
            self._begun_ms, self._tried = now.mono_ms, False

    def not_let_in(self) -> None:
        """Somebody's visit has ended so, or by his leaving."""
        self._tried = True

    def went_out(self, now: Moment) -> None:
        """Somebody has passed on the way out."""
        self._out_ms = now.mono_ms

    def let_in(self) -> None:
        """The door is opened to him."""
        self._desk.over(AlarmKind.NIGHT_ARRIVAL, what=CallEnd.GRANTED)

    def nobody_there(self, now: Moment, policy: Policy) -> None:
        """Nobody is there any more."""
        leaver = not self._tried and self._out_ms is not None and self._was_leaver(now.mono_ms, self._out_ms, policy)
        self._desk.over(AlarmKind.NIGHT_ARRIVAL, what=CallEnd.WENT_OUT if leaver else "")

    def _was_leaver(self, now_ms: int, out_ms: int, policy: Policy) -> bool:
        """Whether it may have been who has gone out: who stays longer than that takes is somebody else, who waits to come in."""
        leaver_ms, blink_ms = seconds(policy.prompter.leaver_s), seconds(policy.visit.presence_lost_s)
        return self._begun_ms - leaver_ms <= out_ms and now_ms <= out_ms + leaver_ms + blink_ms
