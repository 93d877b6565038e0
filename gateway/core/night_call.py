"""The call of the night guard: somebody has come, and what became of him.

Who goes out at night comes by the same sensor as who wants in. Nobody could have answered him, and the record of the end says so; but only
where nobody tried to come in meanwhile.
"""

from gateway.core.alarm_desk import AlarmDesk
from gateway.core.moment import Moment
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

    def nobody_there(self, leaver_ms: int) -> None:
        """Nobody is there any more. `leaver_ms`: for how long whoever has gone out may still be in front of a sensor."""
        leaver = not self._tried and self._out_ms is not None and self._out_ms >= self._begun_ms - leaver_ms
        self._desk.over(AlarmKind.NIGHT_ARRIVAL, what=CallEnd.WENT_OUT if leaver else "")
