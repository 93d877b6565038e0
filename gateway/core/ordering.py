"""What is ordered: modes by people, schedules and the office; drills; corrections; the office's momentary commands.

Each order goes onto the record with who gave it. A mode moves the door at once.
"""

from collections.abc import Callable, Mapping

from gateway.core import events
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.alarms import TOLD_EACH, AlarmBook
from gateway.core.commanded import Commanded
from gateway.core.drill import DrillBook
from gateway.core.effects import Priority
from gateway.core.equipment import Equipment
from gateway.core.mode import ModeMachine
from gateway.core.moment import Moment
from gateway.core.outbox import Outbox
from gateway.core.phrases import Phrase
from gateway.core.policy import Mode, ModeSchedule, Policy
from gateway.core.portal import PortalDesk
from gateway.core.refusals import Refusals
from gateway.core.tables import earliest
from gateway.core.wanted import Wanted
from sync.contract import records
from sync.contract.alarms import AlarmKind
from sync.contract.commands import Acknowledge, Command, Release, Say, action_of
from sync.contract.directory import CountOrder, ModeOrder
from sync.contract.records import Direction, Refused
from sync.contract.text import harmless

MAX_WORD, MAX_NOTE = 64, 500  # characters of what people type
SCHEDULE = "schedule"
"""Who orders a mode when it is the time that does."""


class OrderDesk:
    """Carries orders out. `ordered` is told of each that may change who comes in."""

    def __init__(
        self,
        policy: Policy,
        has: Equipment,
        state: Mapping[str, bytes],
        *,
        mode: ModeMachine,
        portal: PortalDesk,
        alarms: AlarmBook,
        desk: AlarmDesk,
        out: Outbox,
        ordered: Callable[[Moment], None],
    ) -> None:
        self._policy = policy
        self._mode = mode
        self._portal = portal
        self._alarms = alarms
        self._desk = desk
        self._out = out
        self._ordered_now = ordered
        self._burns = False
        self.drill = DrillBook(state)
        self.commanded = Commanded(policy.portal, has, state)
        self._wanted = Wanted(state)
        self._knows_time = False  # whether the clock was set since the start
        self._refusals = {what: Refusals(what) for what in ("command", "time", "directory", "page", "registration")}

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy
        self.commanded.adopt(policy.portal)

    def deadline(self) -> int | None:
        """When it wants to be asked again."""
        return earliest(*(refusals.deadline() for refusals in self._refusals.values()))

    def due(self, now: Moment) -> None:
        """Do what its deadline was for."""
        for refusals in self._refusals.values():
            for refused in refusals.due(now.mono_ms):
                self._out.record(refused)

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {**self.drill.durable(), **self.commanded.durable(), **self._wanted.durable()}

    # modes

    def mode(self, mode: Mode, by: str, now: Moment, *, drill: bool = False) -> None:
        """Somebody at the gate orders a mode."""
        overruled = self._mode.overruled()
        before = self._mode.switch(mode)
        if before is None and drill is self._mode.drill and not overruled:
            return
        self._ordered(before or mode, by, now, drill=drill)

    @property
    def timed(self) -> bool:
        """Whether the minutes bring anything."""
        return bool(self._policy.schedules)

    def minute(self, now: Moment) -> None:
        """A minute has begun: a schedule's hours may have, too; or, where there is none, a schedule may have been taken away."""
        self._knows_time = self._knows_time or now.trusted
        wanted = self._mode.scheduled(self._schedules, self._policy.local(now))
        before = None if wanted is None else self._mode.switch(wanted)
        if before is not None:
            self._ordered(before, SCHEDULE, now, drill=False)

    @property
    def _schedules(self) -> Mapping[str, ModeSchedule]:
        """Those that count. None opens the door at an hour that nobody knows: after a power cut the clock may stand at noon at night."""
        schedules = self._policy.schedules
        return schedules if self._knows_time else {k: v for k, v in schedules.items() if v.mode is not Mode.FREE}

    def _ordered(self, before: Mode, by: str, now: Moment, *, drill: bool, order: str = "") -> None:
        self._mode.drill = drill
        mode = self._mode.mode.value
        self._out.record(records.Mode(mode=mode, before=before.value, by=by, drill=drill, order=order))
        for stage in self.drill.begin(mode, by, order) if drill else self.drill.end(by):
            self._out.record(stage)
        self._portal.order(now, "mode")
        self._ordered_now(now)

    def desired(self, modes: Mapping[str, ModeOrder], count: CountOrder | None, now: Moment) -> None:
        """What of the office's wishes is new."""
        wanted = self._wanted.mode(modes)
        if wanted is not None:
            before = self._mode.mode
            self._mode.overruled()
            self._mode.switch(Mode(wanted.mode))
            self._ordered(before, harmless(wanted.by, MAX_WORD), now, drill=wanted.drill, order=wanted.id)
        corrected = self._wanted.count(count)
        if corrected is not None:
            self.count(corrected.inside, harmless(corrected.by, MAX_WORD), order=corrected.id)

    def count(self, inside: int, by: str, order: str = "") -> None:
        """So many are inside. Where nobody is, nobody is on the wrong side of anti-passback either."""
        passages = self._portal.passages
        before = passages.correct(inside)
        if inside == 0:
            self._portal.passback.forgive()
        self._out.record(records.Count(inside=passages.inside, before=before, by=by, order=order))

    def fire(self, now: Moment, *, active: bool) -> None:
        """The fire alarm: who has fled may come back by any gate. Each fire is told, also one that begins while nobody has answered the last."""
        begins, self._burns = active and not self._burns, active
        last = next((alarm for alarm in self._alarms.open if alarm.kind is AlarmKind.FIRE), None)
        self._mode.fire = active
        # The alarm's record carries what that changes. There is none of a fire that burnt before a restart, and has forgiven then.
        if begins and (last is None or (last.id in self._alarms.ended and last.count < TOLD_EACH)):
            self._portal.passback.forgive()
        self._desk.lasting(AlarmKind.FIRE, now, active=active)
        if begins and last is not None:
            self._out.say(Phrase.FIRE, Priority.FIRE)
        self._portal.order(now, "fire")
        self._ordered_now(now)

    # drills

    def stamp(self, event: events.DrillStamped) -> None:
        """Somebody stamps a stage."""
        for stage in self.drill.stamp(event.stage, event.by[:MAX_WORD]):
            self._out.record(stage)

    def visit(self) -> None:
        """Somebody was let in."""
        for stage in self.drill.visit():
            self._out.record(stage)

    # the office's commands

    def command(self, command: Command, now: Moment) -> None:
        """The office commands."""
        turned_away = self.commanded.turned_away(command, now.mono_ms)
        if turned_away:
            self.refuse("command", turned_away, now, f"{action_of(command)} {command.id}")
            return
        refused = self.commanded.against(command, self._mode, self._alarms)
        answer = self.commanded.answer(command, refused, now.mono_ms)
        if not refused:
            self._carry_out(command, now)
        self._out.record(answer)
        self._out.show(
            "command", action=answer.action, by=answer.by, outcome=answer.outcome.value, reason=answer.reason
        )

    def _carry_out(self, command: Command, now: Moment) -> None:
        match command:
            case Release(by=by):
                self._portal.release(now, Direction.ENTRY, "office", by=by)
            case Say(phrase=phrase):
                self._out.say(Phrase(phrase), Priority.PROMPT)
            case Acknowledge(by=by, alarm=alarm, note=note):
                self._desk.acknowledge(by, alarm, note)

    def refuse(self, what: str, reason: str, now: Moment, detail: str = "", count: int = 1) -> None:
        """Something from outside was refused: on record, but not each of many."""
        refused: Refused | None = self._refusals[what].count(reason, now.mono_ms, detail[:MAX_NOTE], count)
        if refused is not None:
            self._out.record(refused)
