"""What came of a day: counted from the records and alarms alone, as the office would."""

from collections import Counter
from dataclasses import dataclass, field

from gateway.core.effects import Append
from gateway.core.moment import Moment
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, Level
from sync.contract.records import AlarmRecord, Count, Direction, Passage, Visit, VisitOutcome

Ending = tuple[Direction, VisitOutcome, tuple[str, ...]]


@dataclass(slots=True)
class AlarmTally:
    """Alarms of one kind. `answers_s`: how long each was open before somebody acknowledged it; `cleared`: those that ended by
    themselves; `level`: the highest that one reached."""

    raised: int = 0
    repeated: int = 0
    cleared: int = 0
    level: Level = Level.GATE
    answers_s: list[float] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Still open, and acknowledged by nobody, at the end."""
        return self.raised - self.cleared - len(self.answers_s)


@dataclass(slots=True)
class Tally:
    """A day's figures. `inside`: how many, and since when, by the wall clock."""

    records: int = 0
    visits: Counter[Ending] = field(default_factory=Counter)
    alarms: dict[AlarmKind, AlarmTally] = field(default_factory=dict)
    inside: list[tuple[int, int]] = field(default_factory=list)
    _open: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def written(self, append: Append, now: Moment) -> None:
        """A record."""
        self.records += 1
        match append.body:
            case Visit(direction=direction, outcome=outcome, reasons=reasons):
                self.visits[direction, outcome, reasons] += 1
            case AlarmRecord(action=action, alarm=alarm, by=by):
                self._alarm(action, alarm, by, now)
            case Passage(inside=inside) | Count(inside=inside):
                self.inside.append((now.at_ms, inside))

    def _alarm(self, action: AlarmAction, alarm: Alarm, by: str, now: Moment) -> None:
        tally = self.alarms.setdefault(alarm.kind, AlarmTally())
        tally.level = max(tally.level, alarm.level)
        since_ms, answered = self._open.get(alarm.id, (now.mono_ms, False))
        if action is AlarmAction.RAISED:
            tally.raised += 1
            self._open[alarm.id] = (now.mono_ms, False)
        elif action is AlarmAction.REPEATED:
            tally.repeated += 1
        elif by and not answered and action in (AlarmAction.ACKNOWLEDGED, AlarmAction.CLEARED):
            tally.answers_s.append((now.mono_ms - since_ms) / 1000)
            self._open[alarm.id] = (since_ms, True)
        if action is AlarmAction.CLEARED:
            tally.cleared += not self._open.pop(alarm.id, (0, True))[1]
