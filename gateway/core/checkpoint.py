"""The checkpoint: routes events to the machines and what they tell to the shell. Each rule stands in its machine.

Nothing here blocks or asks for the time. Every turn ends in the same way: what is switched, the lock first; then what
happened, in order; then, where it changed, that the state is to be told.
"""

from collections.abc import Callable, Iterable, Mapping

from gateway.core import events, speech
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.alarms import AlarmBook
from gateway.core.commanded import Commanded
from gateway.core.door import DoorMachine, DoorState
from gateway.core.effects import Effect, Priority, StateChanged, Tone
from gateway.core.equipment import Equipment
from gateway.core.findings import FULL, HOME_OBSERVATION, LOCKDOWN, LOCKED_OUT, SEALED
from gateway.core.grants import Grant, Grants
from gateway.core.ledger import Ledger
from gateway.core.lockout import LockOut
from gateway.core.mode import ModeMachine, Order
from gateway.core.moment import Moment
from gateway.core.outbox import Outbox
from gateway.core.panel import Panel
from gateway.core.passages import Passages
from gateway.core.phrases import Phrase
from gateway.core.policy import JournalFailure, Policy, PortalKind
from gateway.core.refusals import Refusals
from gateway.core.seen import Seen
from gateway.core.status import Status
from gateway.core.tables import earliest, seconds
from gateway.core.used import UsedCodes
from gateway.core.visit import Closed, Left, NightArrival, Note, VisitMachine, VisitState, exit_visit, record
from gateway.core.wanted import Wanted
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp
from sync.contract.commands import Acknowledge, Command, Release, Say, action_of
from sync.contract.directory import CountOrder, ModeOrder
from sync.contract.records import (
    Body,
    ClockChange,
    Count,
    Device,
    Direction,
    Door,
    Mode,
    Passage,
    Refused,
    Started,
    VisitOutcome,
)  # fmt: skip
from sync.contract.text import harmless

__all__ = ["Checkpoint", "Status"]

BIG_STEP_MS = 60_000  # a wall clock that jumps this far is an alarm
MAX_WORD, MAX_NOTE = 64, 500  # characters of what people type

LAMPS: Mapping[DoorState, Lamp] = {
    DoorState.COMMITTING: Lamp.YELLOW,
    DoorState.RELEASED: Lamp.GREEN,
    DoorState.OPEN: Lamp.GREEN,
    DoorState.FREE: Lamp.GREEN,
    DoorState.HELD_OPEN: Lamp.RED,
    DoorState.FORCED: Lamp.RED,
    DoorState.LOCKED_DOWN: Lamp.RED,
}
"""What the lamp shows; in all other states yellow while somebody's steps go on, else red."""

DEVICE_STATES = frozenset({"ok", "stale", "lost"})
_ORDERED_STATES = frozenset({DoorState.FREE, DoorState.LOCKED_DOWN, DoorState.FAULT})


class Checkpoint:
    """Decides. `ids` gives 32 random hexadecimal digits; `state` is the durable state as the journal gives it back.

    One thread calls `start`, `handle` and `deadline`; `status` may be called from any. Raises StateError for a durable
    state that this version cannot read."""

    def __init__(
        self,
        policy: Policy,
        *,
        ids: Callable[[], str],
        state: Mapping[str, bytes] | None = None,
        policy_version: str = "",
        version: str = "",
        has: Equipment | None = None,
    ) -> None:
        state = {} if state is None else state
        self._policy = policy
        self._portal = policy.portal
        self._has = Equipment() if has is None else has
        self._ids = ids
        self._policy_version = policy_version
        self._version = version
        self._seen = Seen(state)
        self._used = UsedCodes(state)
        self._visit = VisitMachine(policy, ids, self._used.judged)
        self._door = DoorMachine(policy.portal)
        self._alarms = AlarmBook(policy.portal.name, ids, state)
        self._lockout = LockOut(policy.visit, state)
        self._mode = ModeMachine(state)
        self._passages = Passages(state)
        self._commanded = Commanded(policy.portal, self._has, state)
        self._refusals = Refusals("command")
        self._times_refused = Refusals("time")
        self._directory_refused = Refusals("directory")
        self._wanted = Wanted(state)
        self._next_policy: events.PolicyChanged | None = None
        self._grants = Grants(policy.visit.commit_limit_s)
        self._panel = Panel()
        ledger = Ledger(self.durable)
        ledger.start(state)
        self._out = Outbox(ledger)
        self._desk = AlarmDesk(self._alarms, self._out)
        self._journal_fails = False
        self._status = self._stands()

    # what the shell calls

    def start(self, now: Moment) -> tuple[Effect, ...]:
        """The door at rest, before everything else; then what the last run left, and what holds by order."""
        at_rest = self._panel.changes(released=False, lamp=Lamp.RED, tones=frozenset())
        self._alarms.start(now.mono_ms)
        self._lockout.start(now.mono_ms)
        self._used.start(now.mono_ms)
        self._out.record(Started(version=self._version, config_sha256=self._policy_version), self._grants.token())
        self._desk.forget(self._has, locked_out=self._lockout.locked)
        self._tell(self._visit.thermometer_lost(now, lost=not self._has.has("thermometer")), now)
        self._tell(self._visit.sensor_lost(now, lost=not self._has.has("presence")), now)
        self._order(now, "start")
        self._out.show("door", state=self._door.state.value)
        return at_rest + self._finish()

    def handle(self, event: events.Event, now: Moment) -> tuple[Effect, ...]:
        """What to do about everything that is due by now, about the event, and about what is due because of it."""
        self._due(now)
        self._route(event, now)
        self._due(now)
        self._adopt()
        return self._finish()

    def deadline(self) -> int | None:
        """The mono ms at which `Tick` is wanted; None when only an event can change anything."""
        return earliest(
            self._visit.deadline(),
            self._door.deadline(),
            self._lockout.deadline(),
            self._grants.deadline(),
            self._refusals.deadline(),
            self._times_refused.deadline(),
            self._directory_refused.deadline(),
        )

    def status(self) -> Status:
        """The gate as it stands after the last event. From any thread."""
        return self._status

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart, as it is now; the journal holds the same once all records are written."""
        return {
            **self._mode.durable(),
            **self._passages.durable(),
            **self._lockout.durable(),
            **self._alarms.durable(),
            **self._seen.durable(),
            **self._used.durable(),
            **self._commanded.durable(),
            **self._wanted.durable(),
        }

    # routing

    def _route(self, event: events.Event, now: Moment) -> None:
        match event:
            case events.Presence(present):
                self._tell(self._visit.presence(now, present=present), now)
            case events.CredentialResolved():
                self._on_credential(event, now)
            case events.TemperatureMeasured():
                self._tell(self._visit.temperature(event, now), now)
            case events.Registered(reference, by):
                done = events.Registered(reference[:MAX_WORD], by[:MAX_WORD])
                self._tell(self._visit.registered(done, now), now)
            case events.DoorContact(is_open):
                self._on_contact(now, is_open=is_open)
            case events.Crossing(direction):
                self._on_crossing(direction, now)
            case events.Committed(token):
                self._on_committed(token, now)
            case events.CommitFailed(token):
                self._journal_fails = True
                self._on_not_written(self._grants.settle(token), now)
            case events.JournalWorks():
                self._journal_fails = False
                self._desk.over(AlarmKind.JOURNAL_FAILED)
            case events.Tick():
                pass  # what is due is done with every event
            case _:
                self._route_orders(event, now)

    def _route_orders(self, event: events.Event, now: Moment) -> None:
        match event:
            case events.ExitRequested():
                self._on_exit_button(now)
            case events.GuardRelease(by, _):
                self._release(now, Direction.ENTRY, "guard", by=by[:MAX_WORD])
            case events.ModeOrdered(mode, by):
                self._on_mode(mode, by[:MAX_WORD], now)
            case events.FireInput(active):
                self._on_fire(now, active=active)
            case events.Acknowledge(by, alarm, note):
                self._desk.acknowledge(by[:MAX_WORD], alarm, note[:MAX_NOTE])
            case events.Commanded(command):
                self._on_command(command, now)
            case events.CommandRefused(reason, detail, count):
                self._refuse_command(reason, now, detail, count)
            case events.Desired(modes, count):
                self._on_desired(modes, count, now)
            case events.DirectoryRefused(reason, detail):
                refused = self._directory_refused.count(reason, now.mono_ms, detail[:MAX_NOTE])
                if refused is not None:
                    self._out.record(refused)
            case events.PolicyChanged():
                self._next_policy = event
            case _:
                self._route_troubles(event, now)

    def _route_troubles(self, event: events.Event, now: Moment) -> None:
        match event:
            case events.TamperInput(active):
                self._desk.lasting(AlarmKind.TAMPER, now, active=active)
            case events.CallPressed():
                self._desk.raise_(AlarmKind.CALL, now)
            case events.DeviceChanged():
                self._on_device(event, now)
            case events.DiskScarce(reason):
                for each in events.SCARCE:
                    self._desk.lasting(AlarmKind.DISK, now, each, active=each == reason)
            case events.ClockStepped(step_ms, trusted):
                self._out.record(ClockChange(step_ms=step_ms, trusted=trusted))
                if abs(step_ms) >= BIG_STEP_MS:
                    self._desk.raise_(AlarmKind.CLOCK, now)
            case events.TimeRefused(reason, count):
                refused = self._times_refused.count(reason, now.mono_ms, count=count)
                if refused is not None:
                    self._out.record(refused)
            case events.JournalReplaced():
                self._desk.raise_(AlarmKind.JOURNAL_REPLACED, now)

    def _due(self, now: Moment) -> None:
        while (deadline := self.deadline()) is not None and deadline <= now.mono_ms:
            self._tell(self._visit.due(now), now)
            self._door_due(now)
            if self._lockout.due(now.mono_ms):
                self._desk.over(AlarmKind.LOCK_OUT)
            for grant in self._grants.due(now.mono_ms):
                self._on_not_written(grant, now)
            for refused in self._refused_due(now.mono_ms):
                self._out.record(refused)

    def _refused_due(self, now_ms: int) -> list[Refused]:
        all_of_them = (self._refusals, self._times_refused, self._directory_refused)
        return [refused for refusals in all_of_them for refused in refusals.due(now_ms)]

    # the end of every turn

    def _finish(self) -> tuple[Effect, ...]:
        tones = self._alarms.tones | ({Tone.PRE_ALARM} if self._door.pre_alarm else frozenset())
        switched = self._panel.changes(released=self._door.lock_released, lamp=self._lamp(), tones=tones)
        happened = self._out.take()
        before, self._status = self._status, self._stands()
        return switched + happened + (() if before == self._status else (StateChanged(),))

    def _stands(self) -> Status:
        return Status(
            mode=self._mode.mode.value,
            door=self._door.state.value,
            inside=self._passages.inside,
            devices_lost=tuple(alarm.detail for alarm in self._alarms.open if alarm.kind is AlarmKind.DEVICE_LOST),
            alarms=self._alarms.open,
            commands=self._commanded.answers,
            visiting=self._visit.state is not VisitState.IDLE or self._grants.deadline() is not None,
        )

    def _lamp(self) -> Lamp:
        busy = self._visit.state in (VisitState.PRESENT, VisitState.UNDER_WAY)
        return LAMPS.get(self._door.state, Lamp.YELLOW if busy else Lamp.RED)

    # visits

    def _on_credential(self, event: events.CredentialResolved, now: Moment) -> None:
        first_time = self._seen.first_time(event, self._portal.name)
        if first_time is not None:
            self._out.record(first_time)
        lockdown = [LOCKDOWN] if self._mode.order is Order.LOCKDOWN else []
        if event.direction is Direction.EXIT:
            stays = [HOME_OBSERVATION] if event.verdict.stays_home else []
            if stays:
                self._desk.raise_(AlarmKind.HOME_OBSERVATION, now)
            against = [] if self._portal.escape_route else lockdown + stays
            event = self._used.judged(event, now.mono_ms)
            self._on_closed(exit_visit(self._policy, self._ids(), event, now, against), now)
            return
        against = lockdown + ([LOCKED_OUT] if self._lockout.locked else [])
        against += [SEALED] if self._portal.kind is PortalKind.SEALED else []
        limit = self._policy.capacity.limit
        against += [FULL] if limit and self._passages.inside >= limit else []
        self._tell(self._visit.credential(event, now, against), now)

    def _tell(self, notes: Iterable[Note], now: Moment) -> None:
        for note in notes:
            match note:
                case Closed():
                    self._on_closed(note, now)
                case NightArrival():
                    self._desk.raise_(AlarmKind.NIGHT_ARRIVAL, now)
                case Left():
                    self._desk.over(AlarmKind.NIGHT_ARRIVAL)
                case _:
                    self._out.add(note)

    def _on_closed(self, closed: Closed, now: Moment) -> None:
        findings, decision = closed.attempt.findings, closed.decision
        locks_out = self._count(closed, now)
        self._used.use(findings.counters, now.mono_ms, sure=closed.attempt.began.trusted and now.trusted)
        self._show_decision(decision.outcome, decision.reasons)
        body = record(closed, now, self._policy, mode=self._mode.told, policy_version=self._policy_version)
        if decision.outcome is VisitOutcome.GRANTED and closed.attempt.direction is Direction.ENTRY:
            self._grant(closed, body, now)
        elif decision.outcome is VisitOutcome.GRANTED:
            self._let_out(now, closed.attempt.visit)
            self._out.record(body)
        else:
            self._out.record(body)
        said = speech.ending(decision, findings)
        if said is not None:
            self._out.add(said)
        if "fever" in decision.reasons:
            self._desk.raise_(AlarmKind.FEVER, now)
        elif decision.outcome is VisitOutcome.REFERRED:
            self._desk.raise_(AlarmKind.CALL, now, "referred")
        if locks_out:
            self._desk.raise_(AlarmKind.LOCK_OUT, now)

    def _count(self, closed: Closed, now: Moment) -> bool:
        """Count for the lock-out; whether this was the last bad one allowed."""
        if closed.attempt.direction is Direction.EXIT:
            return False
        bad = closed.attempt.findings.bad
        if bad is not None and bad.is_guess:
            return self._lockout.bad(now.mono_ms)
        if closed.attempt.findings.credential is not None:
            self._lockout.good()
        return False

    def _show_decision(self, outcome: VisitOutcome, reasons: Iterable[str]) -> None:
        self._out.show("decision", outcome=outcome.value, reason=",".join(reasons))

    # write before you open

    def _grant(self, closed: Closed, body: Body, now: Moment) -> None:
        credential = closed.attempt.findings.credential
        extended = credential is not None and credential.extended
        grant = Grant(
            visit=closed.attempt.visit,
            release_ms=seconds(self._portal.release_s + (self._portal.extended_s if extended else 0)),
            celsius=speech.celsius(closed.attempt.findings),
        )
        if self._mode.order is Order.FREE:  # nothing to open
            self._out.record(body)
            self._let_in(grant, now)
        else:
            before = self._door.state
            self._door.granted(now.mono_ms)
            self._out.record(body, self._grants.wait(grant, now.mono_ms))
            self._door_moved(before, now)
        self._desk.over(AlarmKind.NIGHT_ARRIVAL)

    def _on_committed(self, token: int, now: Moment) -> None:
        if not self._journal_fails:  # it was late, or failed in the last run; a failure ends with JournalWorks
            self._desk.over(AlarmKind.JOURNAL_FAILED)
        grant = self._grants.settle(token)
        if grant is None:
            return  # too late: it was settled without, or it was no grant
        if self._mode.order is Order.LOCKDOWN:
            self._withdraw(grant, now, VisitOutcome.DENIED, LOCKDOWN)
            self._out.say(Phrase.LOCKED_DOWN, Priority.REFUSAL)
        else:
            self._let_in(grant, now)

    def _let_in(self, grant: Grant, now: Moment) -> None:
        before = self._door.state
        self._door.committed(now.mono_ms, grant.release_ms)
        self._passages.give(Direction.ENTRY, grant.visit, once=True)
        self._out.add(speech.granted(grant.celsius))
        self._door_moved(before, now, visit=grant.visit)

    def _on_not_written(self, grant: Grant | None, now: Moment) -> None:
        self._desk.raise_(AlarmKind.JOURNAL_FAILED, now)
        if grant is None:
            return
        if self._mode.order is Order.FREE:
            self._let_in(grant, now)
        elif self._policy.when_journal_fails is JournalFailure.OPEN and self._mode.order is not Order.LOCKDOWN:
            self._let_in(grant, now)
            self._record_door("journal-failed", visit=grant.visit)
        else:
            guard = self._policy.when_journal_fails is JournalFailure.GUARD
            self._withdraw(grant, now, VisitOutcome.REFERRED if guard else VisitOutcome.DENIED, "journal-failed")
            self._out.say(Phrase.GUARD_COMES, Priority.REFUSAL)

    def _withdraw(self, grant: Grant, now: Moment, outcome: VisitOutcome, reason: str) -> None:
        """A grant that is (or will be) on record is not carried out: that goes on record too."""
        before = self._door.state
        self._door.withdrawn(now.mono_ms)
        self._show_decision(outcome, [reason])
        self._record_door(reason, visit=grant.visit)
        self._door_moved(before, now)

    # the way out, and the guard: at once, recorded after

    def _on_exit_button(self, now: Moment) -> None:
        refused = ""
        if not self._portal.escape_route:
            refused = "credential-needed" if self._portal.exit_needs_credential else ""
            refused = LOCKDOWN if self._mode.order is Order.LOCKDOWN else refused
        if refused:
            self._out.record(Refused(what="exit", reason=refused))
            return
        self._release(now, Direction.EXIT, "rex")
        self._out.say(Phrase.GOODBYE, Priority.CHIME)

    def _let_out(self, now: Moment, visit_id: str) -> None:
        before = self._door.state
        self._door.release(now.mono_ms, seconds(self._portal.release_s))
        self._passages.give(Direction.EXIT, visit_id, once=True)
        self._out.say(Phrase.GOODBYE, Priority.CHIME)
        self._door_moved(before, now)

    def _release(self, now: Moment, direction: Direction, cause: str, by: str = "") -> None:
        before = self._door.state
        self._door.release(now.mono_ms, seconds(self._portal.release_s))
        self._passages.give(direction, once=False)
        if self._door.state is not before or by:  # a button held down is one release that lasts
            self._record_door(cause, by=by)
        self._door_moved(before, now)

    # the door

    def _on_contact(self, now: Moment, *, is_open: bool) -> None:
        before = self._door.state
        self._door.contact(now.mono_ms, is_open=is_open)
        self._door_moved(before, now, "contact")
        if not is_open:
            self._desk.over(AlarmKind.DOOR_FORCED)
            self._desk.over(AlarmKind.DOOR_HELD_OPEN)

    def _door_due(self, now: Moment) -> None:
        before, chirped = self._door.state, self._door.pre_alarm
        self._door.due(now.mono_ms)
        if self._door.pre_alarm and not chirped:
            self._out.say(Phrase.CLOSE_DOOR, Priority.PROMPT)
        self._door_moved(before, now, "time")

    def _door_moved(self, before: DoorState, now: Moment, cause: str = "", *, visit: str = "") -> None:
        """What follows from a change of the door. With a `cause`, ordered states and faults go on record by it; `visit`:
        whose grant moved it."""
        state = self._door.state
        if state is before:
            return
        self._out.show("door", state=state.value, visit=visit)
        if cause and not _ORDERED_STATES.isdisjoint((before, state)):
            self._record_door(cause)
        if state is DoorState.FORCED:
            self._desk.raise_(AlarmKind.DOOR_FORCED, now)
        elif state is DoorState.HELD_OPEN:
            self._desk.raise_(AlarmKind.DOOR_HELD_OPEN, now)
        elif state is DoorState.OPEN and self._passages.expected and not self._has.has("beam"):
            self._on_crossing(None, now)  # nothing but the door sees who passes
        if self._door.at_rest:
            self._passages.end(now.mono_ms)

    def _record_door(self, cause: str, *, visit: str = "", by: str = "") -> None:
        door = Door(portal=self._portal.name, state=self._door.state.value, cause=cause, visit=visit, by=by)
        self._out.record(door)

    def _on_crossing(self, direction: Direction | None, now: Moment) -> None:
        crossed = self._passages.crossing(direction, now.mono_ms)
        if crossed is None:
            return
        self._out.record(
            Passage(
                portal=self._portal.name,
                direction=crossed.direction,
                visit=crossed.visit,
                inside=self._passages.inside,
            )
        )
        if crossed.granted:
            self._on_passed(crossed.direction, now)
            return
        free_exit = direction is Direction.EXIT and not self._portal.exit_needs_credential
        if self._mode.order is not Order.FREE and not free_exit:
            self._desk.raise_(AlarmKind.PASSED_WITHOUT_GRANT, now)

    def _on_passed(self, direction: Direction, now: Moment) -> None:
        if direction is Direction.ENTRY:
            self._visit.passed()
        if not self._passages.expected:
            before = self._door.state
            self._door.passed(now.mono_ms)
            self._door_moved(before, now)

    # orders

    def _on_mode(self, mode: events.Mode, by: str, now: Moment) -> None:
        before = self._mode.switch(mode)
        if before is None:
            return
        self._mode.drill = False
        self._out.record(Mode(mode=mode.value, before=before.value, by=by))
        self._order(now, "mode")

    def _on_desired(self, modes: Mapping[str, ModeOrder], count: CountOrder | None, now: Moment) -> None:
        """What of the office's wishes is new."""
        wanted = self._wanted.mode(modes)
        if wanted is not None:
            before = self._mode.mode
            self._mode.switch(events.Mode(wanted.mode))
            self._mode.drill = wanted.drill
            self._out.record(
                Mode(
                    mode=wanted.mode,
                    before=before.value,
                    by=harmless(wanted.by, MAX_WORD),
                    drill=wanted.drill,
                    order=wanted.id,
                )
            )
            self._order(now, "mode")
        corrected = self._wanted.count(count)
        if corrected is not None:
            was, self._passages.inside = self._passages.inside, corrected.inside
            by = harmless(corrected.by, MAX_WORD)
            self._out.record(Count(inside=corrected.inside, before=was, by=by, order=corrected.id))

    def _adopt(self) -> None:
        """Decide by another policy, as soon as nobody is being decided about."""
        if self._next_policy is None or self._visit.state is not VisitState.IDLE or self._grants.deadline() is not None:
            return
        policy, self._policy_version = self._next_policy.policy, self._next_policy.version
        self._next_policy = None
        self._policy, self._portal = policy, policy.portal
        self._visit.adopt(policy)
        self._door.adopt(policy.portal)
        self._lockout.adopt(policy.visit)
        self._grants.adopt(policy.visit.commit_limit_s)
        self._commanded.adopt(policy.portal)

    def _on_command(self, command: Command, now: Moment) -> None:
        turned_away = self._commanded.turned_away(command, now.mono_ms)
        if turned_away:
            self._refuse_command(turned_away, now, f"{action_of(command)} {command.id}")
            return
        refused = self._commanded.against(command, self._mode.order, self._alarms)
        answer = self._commanded.answer(command, refused, now.mono_ms)
        if not refused:
            self._carry_out(command, now)
        self._out.record(answer)
        self._out.show(
            "command", action=answer.action, by=answer.by, outcome=answer.outcome.value, reason=answer.reason
        )

    def _carry_out(self, command: Command, now: Moment) -> None:
        match command:
            case Release(by=by):
                self._release(now, Direction.ENTRY, "office", by=by)
            case Say(phrase=phrase):
                self._out.say(Phrase(phrase), Priority.PROMPT)
            case Acknowledge(by=by, alarm=alarm, note=note):
                self._desk.acknowledge(by, alarm, note)

    def _refuse_command(self, reason: str, now: Moment, detail: str, count: int = 1) -> None:
        refused = self._refusals.count(reason, now.mono_ms, detail, count)
        if refused is not None:
            self._out.record(refused)

    def _on_fire(self, now: Moment, *, active: bool) -> None:
        self._mode.fire = active
        self._desk.lasting(AlarmKind.FIRE, now, active=active)
        self._order(now, "fire")

    def _order(self, now: Moment, cause: str) -> None:
        before = self._door.state
        self._door.order(now.mono_ms, self._mode.order)
        self._door_moved(before, now, cause)

    # devices

    def _on_device(self, event: events.DeviceChanged, now: Moment) -> None:
        if event.state not in DEVICE_STATES:
            return
        device, lost = event.device[:MAX_WORD], event.state != "ok"
        if lost is not self._alarms.stands(AlarmKind.DEVICE_LOST, device):
            self._out.record(Device(device=device, state=event.state, detail=event.detail[:MAX_NOTE]))
        self._desk.lasting(AlarmKind.DEVICE_LOST, now, device, active=lost)
        self._use_lost(self._has.use_of(device), now, lost=lost)

    def _use_lost(self, use: str, now: Moment, *, lost: bool) -> None:
        match use:
            case "thermometer":
                self._tell(self._visit.thermometer_lost(now, lost=lost), now)
            case "presence":
                self._tell(self._visit.sensor_lost(now, lost=lost), now)
            case "door-contact":
                before = self._door.state
                self._door.contact_lost(now.mono_ms, lost=lost)
                self._door_moved(before, now, "device")
