"""What people do at the gate: each kind is a script that sees the lamp and waits as people do.

A person knows nothing of the gate's insides. They come into the queue, step up, show, are measured, and go through when the lamp
is green; who is turned away leaves.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.core import events
from gateway.core.moment import Moment
from gateway.core.policy import AntiPassback, Policy
from gateway.rehearsal.clockwork import Gatehouse, Script, Until
from gateway.rehearsal.guard import Guard
from gateway.rehearsal.holders import Holder, Holders, code_of, pass_of, unknown_card
from gateway.rehearsal.pace import Pace
from gateway.rehearsal.settings import Manner
from sync.contract.colours import HealthCode, Lamp
from sync.contract.records import Direction

PATIENCE_S = 60.0  # how long somebody waits for the guard before giving up
STEP_S = 0.5
FEVER_C, COLD_C, NORMAL_C = 38.3, 33.9, 36.4
CLOSE = 0.05  # so many of those who queue stand inside the one-metre line


@dataclass(frozen=True, slots=True)
class Waited:
    """The longest that anybody stood in the queue, in seconds, and when their turn came."""

    seconds: float = 0.0
    at: Moment | None = None


class Queue:
    """One at a time stands at the gate. `longest`: who waited longest."""

    def __init__(self, gate: Gatehouse, chance: random.Random) -> None:
        self._gate = gate
        self._chance = chance
        self._waiting: deque[tuple[Script, Moment]] = deque()
        self._busy = False
        self.longest = Waited()
        self.most = 0

    def come(self, script: Script) -> None:
        """Somebody comes."""
        if not self._busy:
            self._gate.send(events.Approach(True))
        elif self._chance.random() < CLOSE:
            self._gate.play(self._too_close())
        self._waiting.append((script, self._gate.now))
        self.most = max(self.most, len(self._waiting))
        self._next()

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        script, since = self._waiting.popleft()
        self._busy = True
        waited_s = (self._gate.now.mono_ms - since.mono_ms) / 1000
        if waited_s > self.longest.seconds:
            self.longest = Waited(waited_s, self._gate.now)
        self._gate.play(self._turn(script))

    def _turn(self, script: Script) -> Script:
        yield from script
        self._busy = False
        if not self._waiting:
            self._gate.send(events.Approach(False))
        self._next()

    def _too_close(self) -> Script:
        self._gate.send(events.TooClose(True))
        yield 3.0
        self._gate.send(events.TooClose(False))


class People:
    """The scripts, by manner."""

    def __init__(
        self, gate: Gatehouse, holders: Holders, guard: Guard, pace: Pace, chance: random.Random, policy: Policy
    ) -> None:
        self._gate = gate
        self._holders = holders
        self._pace = pace
        self._chance = chance
        self._guard = guard
        self._strangers = 0
        portal = policy.portal
        self._reads_out = portal.exit_needs_credential or portal.anti_passback is not AntiPassback.OFF
        self._entering: Mapping[Manner, Callable[[Holder], Script]] = {
            Manner.FEVER: lambda holder: self._comes_in(holder, celsius=FEVER_C),
            Manner.COLD: lambda holder: self._comes_in(holder, first_c=COLD_C),
            Manner.NO_HEALTH_CODE: lambda holder: self._comes_in(holder, code=None),
            Manner.RED_CODE: lambda holder: self._comes_in(holder, code=HealthCode.RED),
            Manner.TAILGATER: lambda holder: self._comes_in(holder, behind=True),
            Manner.HOLDS_DOOR: lambda holder: self._comes_in(holder, holds_s=self._pace.settings.hold_s),
            Manner.UNKNOWN_CARD: self._tries_a_card,
            Manner.WALKS_OFF: self._walks_off,
            Manner.CALLS: self._calls,
            Manner.FORCES_DOOR: self._forces_the_door,
            Manner.TWO_AT_ONCE: self._two_at_once,
            Manner.PASSBACK: self._with_anothers_pass,
            Manner.NO_PASS: self._is_registered,
            Manner.DELIVERY: self._delivers,
        }

    def enters(self, holder: Holder, manner: Manner) -> Script:
        """Somebody who wants to come in."""
        return self._entering.get(manner, self._comes_in)(holder)

    def leaves(self, holder: Holder, *, stays_home: bool = False) -> Script:
        """Somebody who wants to go out."""
        if self._reads_out or stays_home:
            yield self._pace.takes(self._pace.settings.show_s)
            self._read(pass_of(holder, stays_home=stays_home), Direction.EXIT)
        else:
            self._gate.send(events.ExitRequested())
        if self._gate.lamp is Lamp.GREEN:
            yield from self._through(Direction.EXIT)
            self._holders.went_out(holder)
        else:
            self._holders.went_in(holder)

    # at the readers

    def _comes_in(
        self,
        holder: Holder,
        *,
        celsius: float = NORMAL_C,
        first_c: float | None = None,
        code: HealthCode | None = HealthCode.GREEN,
        shown: Holder | None = None,
        behind: bool = False,
        holds_s: float = 0.0,
    ) -> Script:
        """As it is meant, but for what the arguments say. `shown`: whose pass it is."""
        before = self._gate.visits
        yield from self._steps_up()
        yield from self._shows(pass_of(shown or holder))
        yield from self._is_measured(before, celsius, first_c)
        if self._gate.visits == before and code is not None:
            yield from self._shows(code_of(holder, code))
        yield from self._goes_in(before, holder, behind=behind, holds_s=holds_s)

    def _steps_up(self) -> Script:
        yield self._pace.takes(self._pace.settings.step_up_s)
        self._gate.measures = False
        self._gate.send(events.Presence(True))

    def _shows(self, verdict: events.Verdict) -> Script:
        yield self._pace.takes(self._pace.settings.show_s)
        self._read(verdict, Direction.ENTRY)

    def _read(self, verdict: events.Verdict, direction: Direction) -> None:
        reader = "entry-reader" if direction is Direction.ENTRY else "exit-reader"
        self._gate.send(events.CredentialResolved(verdict, reader, direction, self._gate.now.mono_ms))

    def _is_measured(self, before: int, celsius: float, first_c: float | None = None) -> Script:
        """For as long as the gate wants a measurement of them."""
        measured_c = celsius if first_c is None else first_c
        while self._gate.visits == before:
            wanted = yield Until(lambda: self._gate.measures or self._gate.visits > before, 8.0)
            if not wanted or self._gate.visits > before:
                return
            yield self._pace.takes(self._pace.settings.measure_s)
            self._gate.measures = False
            self._measure(measured_c)
            measured_c = celsius

    def _measure(self, about_c: float) -> None:
        self._gate.send(
            events.TemperatureMeasured(
                thermometer="thermometer",
                object_c=round(self._chance.gauss(about_c, 0.15), 2),
                ambient_c=22.0,
                spread_c=0.1,
                samples=5,
                read_mono_ms=self._gate.now.mono_ms,
            )
        )

    def _goes_in(self, before: int, holder: Holder, *, behind: bool = False, holds_s: float = 0.0) -> Script:
        """Through the door when the lamp is green; else away."""
        yield Until(lambda: self._gate.visits > before, PATIENCE_S)
        green = yield Until(lambda: self._gate.lamp is Lamp.GREEN, STEP_S)
        if green:
            yield from self._through(Direction.ENTRY, behind=behind, holds_s=holds_s)
            self._holders.went_in(holder)
            self._gate.send(events.Presence(False))
        else:
            yield from self._goes_away()
            self._holders.went_out(holder)

    def _goes_away(self) -> Script:
        yield self._pace.takes(2.0)
        self._gate.send(events.Presence(False))
        yield STEP_S

    def _through(self, direction: Direction, *, behind: bool = False, holds_s: float = 0.0) -> Script:
        yield self._pace.takes(self._pace.settings.walk_s / 2)
        self._gate.send(events.DoorContact(True))
        yield self._pace.takes(self._pace.settings.walk_s / 2)
        self._gate.send(events.Crossing(direction))
        if behind:
            yield 1.0
            self._gate.send(events.Crossing(direction))
        if holds_s:
            yield self._pace.takes(holds_s)
        yield self._pace.takes(self._pace.settings.shut_s)
        self._gate.send(events.DoorContact(False))

    # those who do otherwise

    def _tries_a_card(self, holder: Holder) -> Script:
        """The same card again and again, until the readers are locked out, or courage is lost."""
        yield from self._steps_up()
        for _ in range(self._chance.randint(1, 7)):
            self._strangers += 1
            yield from self._shows(unknown_card(self._strangers % 40))
            yield STEP_S
        yield from self._goes_away()
        self._holders.went_out(holder)

    def _walks_off(self, holder: Holder) -> Script:
        yield from self._steps_up()
        yield from self._shows(pass_of(holder))
        yield from self._goes_away()
        self._holders.went_out(holder)

    def _calls(self, holder: Holder) -> Script:
        self._gate.send(events.CallPressed())
        yield STEP_S
        yield from self._comes_in(holder)

    def _forces_the_door(self, holder: Holder) -> Script:
        self._gate.send(events.DoorContact(True))
        yield self._pace.takes(2.0)
        self._gate.send(events.Crossing(Direction.ENTRY))
        self._holders.went_in(holder)
        yield self._pace.takes(4.0)
        self._gate.send(events.DoorContact(False))

    def _two_at_once(self, holder: Holder) -> Script:
        """A second one shows the pass while the first is still asked for a temperature; then each alone."""
        other = self._holders.outside(holder.who)
        yield from self._steps_up()
        yield from self._shows(pass_of(holder))
        before = self._gate.visits
        yield from self._shows(pass_of(other))
        before = max(before, self._gate.visits)  # the first one's visit ended with that
        yield from self._is_measured(before, NORMAL_C)
        if self._gate.visits == before:
            yield from self._shows(code_of(other, HealthCode.GREEN))
        yield from self._goes_in(before, other)
        yield from self._comes_in(holder)

    def _with_anothers_pass(self, holder: Holder) -> Script:
        """With the pass of who has just gone in."""
        yield from self._comes_in(holder, shown=self._holders.last_in)

    def _is_registered(self, holder: Holder, plate: str = "") -> Script:
        """Who has no pass waits for the guard, and is measured then."""
        before = self._gate.visits
        yield from self._steps_up()
        self._guard.is_asked(plate)
        registered = yield Until(lambda: not self._guard.asked, PATIENCE_S)
        if not registered:
            self._guard.asked = False
            yield from self._goes_away()
            return
        yield from self._is_measured(before, NORMAL_C)
        if self._gate.visits == before:
            yield from self._shows(code_of(holder, HealthCode.GREEN))
        yield from self._goes_in(before, holder)

    def _delivers(self, holder: Holder) -> Script:
        self._gate.send(events.Approach(True, vehicle=True))
        yield STEP_S
        yield from self._is_registered(holder, f"京A{self._chance.randrange(100_000):05d}")
        self._gate.send(events.Approach(False, vehicle=True))
