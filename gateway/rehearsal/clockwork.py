"""A gate whose time is a number: the core, what a shell would do about its effects, and scripts that wait.

Theory of operation. Whatever is to happen stands in a heap by its time; the core's own deadline is one of them. Time jumps from one
to the next. A script is a generator: it yields the seconds that it takes, or what it waits for, and goes on when that is over. A record
with a token is on disk a moment later, as on a card.
"""

import heapq
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

from gateway.core import effects, events
from gateway.core.checkpoint import Checkpoint
from gateway.core.equipment import Equipment
from gateway.core.moment import Moment
from gateway.core.tables import seconds
from sync.contract.colours import Lamp
from sync.contract.records import Passage, Visit

NEVER_MS = 2**62
COMMIT_S = 0.006  # until a record is on disk: an SD card's usual time
SENSED: dict[type[events.Event], tuple[str, ...]] = {
    events.Presence: ("presence",),
    events.TemperatureMeasured: ("thermometer",),
    events.DoorContact: ("door-contact",),
    events.Crossing: ("beam", "beam-pair"),
    events.TooClose: ("one-metre",),
    events.CallPressed: ("call",),
    events.ExitRequested: ("exit-button",),
}
"""Which uses let the gate hear of it: a device must have one of them."""


@dataclass(frozen=True, slots=True)
class Until:
    """Wait until something holds; the script is told whether it came to that within `at_most_s`."""

    holds: Callable[[], bool]
    at_most_s: float


Script = Generator[float | Until, bool | None, None]
Turn = Callable[[events.Event, Moment], None]
Written = Callable[[effects.Append, Moment], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    until: Until
    script: Script


@dataclass(frozen=True, slots=True, order=True)
class _Step:
    """At `at_ms` a script goes on; `given`: what it is told, None at its beginning; `waiting`: what it waited for, in vain."""

    at_ms: int
    order: int
    script: Script = field(compare=False)
    given: bool | None = field(compare=False)
    waiting: _Waiting | None = field(default=None, compare=False)


class Gatehouse:
    """The gate, and the world's clock. `hears`: who is told each event at the core's door; `written`: each record;
    `alarmed`: each alarm that is sent. `lamp`, `last` (the last visit on record), `visits` (how many), `measures` (whether a
    measurement is wanted) and `inside` are what people can see and what is counted."""

    def __init__(self, core: Checkpoint, has: Equipment, now: Moment) -> None:
        self.core = core
        self.now = now
        self.lamp = Lamp.OFF
        self.visits = 0
        self.last: Visit | None = None
        self.inside = 0
        self.measures = False
        self.turns = 0
        self.hears: list[Turn] = []
        self.written: list[Written] = []
        self.alarmed: list[Callable[[effects.SendAlarm, Moment], None]] = []
        self._has = has
        self._steps: list[_Step] = []
        self._waiting: list[_Waiting] = []
        self._order = 0

    # the gate

    def start(self) -> None:
        """The gate starts."""
        self._carry_out(self.core.start(self.now))

    def send(self, event: events.Event) -> None:
        """Something happens at the gate, where it has a device that sees it."""
        uses = SENSED.get(type(event), ())
        if uses and not any(map(self._has.has, uses)):
            return
        self.turns += 1
        for hear in self.hears:
            hear(event, self.now)
        self._carry_out(self.core.handle(event, self.now))
        if self._waiting:
            self._look()

    def _carry_out(self, todo: Iterable[effects.Effect]) -> None:
        for effect in todo:
            match effect:
                case effects.Append():
                    self._append(effect)
                case effects.SetLamp(lamp):
                    self.lamp = lamp
                case effects.MeasureAgain():
                    self.measures = True
                case effects.SendAlarm():
                    for alarmed in self.alarmed:
                        alarmed(effect, self.now)

    def _append(self, append: effects.Append) -> None:
        for written in self.written:
            written(append, self.now)
        if isinstance(append.body, Visit):
            self.last, self.visits = append.body, self.visits + 1
        elif isinstance(append.body, Passage):
            self.inside = append.body.inside
        if append.token:
            self.play(self._commit(append.token))

    def _commit(self, token: int) -> Script:
        yield COMMIT_S
        self.send(events.Committed(token))

    # time

    def play(self, script: Script, after_s: float = 0.0) -> None:
        """Let a script begin."""
        self._at(after_s, script, None)

    def run(self, until_ms: int) -> None:
        """Let everything happen that does before `until_ms` (monotonic)."""
        while (due := self._next()) < until_ms:
            self.now = self.now.after(max(0, due - self.now.mono_ms))
            deadline = self.core.deadline()
            if deadline is not None and deadline <= due:
                self.send(events.Tick())
            else:
                self._step(heapq.heappop(self._steps))

    def _next(self) -> int:
        deadline = self.core.deadline()
        first = self._steps[0].at_ms if self._steps else NEVER_MS
        return first if deadline is None else min(first, deadline)

    def _at(self, after_s: float, script: Script, given: bool | None, waiting: _Waiting | None = None) -> None:
        self._order += 1
        at_ms = self.now.mono_ms + (seconds(after_s) if after_s else 0)
        heapq.heappush(self._steps, _Step(at_ms, self._order, script, given, waiting))

    def _step(self, step: _Step) -> None:
        if step.waiting is not None:
            if step.waiting not in self._waiting:
                return  # what it waited for came in time
            self._waiting.remove(step.waiting)
        try:
            wanted = step.script.send(step.given)
        except StopIteration:
            return
        if not isinstance(wanted, Until):
            self._at(wanted, step.script, False)
        elif wanted.holds():
            self._at(0, step.script, True)
        else:
            waiting = _Waiting(wanted, step.script)
            self._waiting.append(waiting)
            self._at(wanted.at_most_s, step.script, False, waiting)

    def _look(self) -> None:
        """Whose waiting is over."""
        for waiting in [each for each in self._waiting if each.until.holds()]:
            self._waiting.remove(waiting)
            self._at(0, waiting.script, True)
