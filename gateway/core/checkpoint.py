"""The checkpoint: routes events to the machines and what they tell to the shell. Each rule stands in its machine.

Nothing here blocks or asks for the time. Every turn ends in the same way: what is switched, the lock first; then what
happened, in order; then, where it changed, that the state is to be told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gateway.core import events, speech
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.alarms import AlarmBook
from gateway.core.capacity import NO_SLOT, REACHED, WARNING, Capacity
from gateway.core.duties import MINUTE_MS, Duties
from gateway.core.effects import Effect, Say, SetVolume, StateChanged, Tone
from gateway.core.equipment import Equipment
from gateway.core.findings import CLOSED_MANAGEMENT, HOME_OBSERVATION, LOCKDOWN, LOCKED_OUT, REGISTERED, SEALED
from gateway.core.ledger import Ledger, Part
from gateway.core.lockout import LockOut
from gateway.core.mode import ModeMachine, Order
from gateway.core.moment import Moment
from gateway.core.ordering import MAX_NOTE, MAX_WORD, OrderDesk
from gateway.core.outbox import Outbox
from gateway.core.panel import Panel
from gateway.core.phrases import Phrase
from gateway.core.policy import Policy, PortalKind
from gateway.core.portal import PortalDesk
from gateway.core.prompter import Prompter
from gateway.core.seen import Seen
from gateway.core.status import Status
from gateway.core.tables import earliest
from gateway.core.used import UsedCodes
from gateway.core.visit import Closed, Left, NightArrival, Note, VisitMachine, VisitState, exit_visit, record
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp
from sync.contract.records import ClockChange, Device, Direction, Started, Step, Vehicle, VisitOutcome

__all__ = ["Checkpoint", "Status"]

BIG_STEP_MS = 60_000  # a wall clock that jumps this far is an alarm
PAGE = "page"  # the detail of its lock-out, which is none of the readers
NOTES = frozenset({"instruction", "done"})
DEVICE_STATES = frozenset({"ok", "stale", "lost"})


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
        self._has = Equipment() if has is None else has
        self._ids = ids
        self._policy_version = policy_version
        self._version = version
        parts: list[Part] = []
        self._ledger = Ledger(parts)
        self._out = Outbox(self._ledger)
        self._seen = Seen(state)
        self._used = UsedCodes(state)
        self._visit = VisitMachine(policy, ids, self._used.judged)
        self._leaving = VisitMachine(policy, ids, self._used.judged, Direction.EXIT)
        self._alarms = AlarmBook(policy.portal.name, ids, state, policy.alarms)
        self._desk = AlarmDesk(self._alarms, self._out)
        self._lockout = LockOut(policy.visit, state)
        self._mode = ModeMachine(state)
        self._capacity = Capacity(policy.capacity)
        self._prompter = Prompter(policy)
        self._duties = Duties(policy, state, desk=self._desk, out=self._out)
        self._portal = PortalDesk(
            policy, self._has, state, mode=self._mode, desk=self._desk, out=self._out,
            went_in=self._visit.passed, crossed=self._on_crossed,
        )  # fmt: skip
        self._orders = OrderDesk(
            policy, self._has, state, mode=self._mode, portal=self._portal, alarms=self._alarms,
            desk=self._desk, out=self._out,
        )  # fmt: skip
        parts += (
            self._mode.durable, self._portal.passages.durable, self._portal.passback.durable, self._lockout.durable,
            self._alarms.durable, self._seen.durable, self._used.durable, self._orders.durable, self._duties.durable,
        )  # fmt: skip
        self._next_policy: events.PolicyChanged | None = None
        self._missed: events.FireInput | None = None  # decided by the door alone
        self._minute_ms: int | None = None
        self._deadline: int | None = None
        self._panel = Panel()
        self._volume = 100
        self._ledger.start(state)
        self._stood: tuple[object, ...] = ()
        self._status = self._stands()

    # what the shell calls

    def start(self, now: Moment) -> tuple[Effect, ...]:
        """The door at rest, before everything else; then what the last run left, and what holds by order."""
        at_rest = self._panel.changes(released=False, lamp=Lamp.RED, tones=frozenset())
        self._alarms.start(now.mono_ms)
        self._lockout.start(now.mono_ms)
        self._used.start(now.mono_ms)
        self._duties.start(now.mono_ms)
        self._out.record(
            Started(version=self._version, config_sha256=self._policy_version), self._portal.grants.token()
        )
        self._desk.forget(self._has, locked_out=self._lockout.locked)
        self._tell(self._visit.thermometer_lost(now, lost=not self._has.has("thermometer")), now)
        self._tell(self._leaving.thermometer_lost(now, lost=not self._has.has("thermometer")), now)
        self._tell(self._visit.sensor_lost(now, lost=not self._has.has("presence")), now)
        self._portal.order(now, "start")
        self._minute(now)
        self._out.show("door", state=self._portal.door.state.value)
        self._deadline = self._wanted_at()
        return at_rest + self._finish(now)

    def handle(self, event: events.Event, now: Moment) -> tuple[Effect, ...]:
        """What to do about everything that is due by now, about the event, and about what is due because of it."""
        self._due(now)
        missed, self._missed = self._missed, None
        if missed is not None:
            self._route(missed, now)
        self._route(event, now)
        self._portal.look_at_latch(now)
        self._deadline = self._wanted_at()
        self._due(now)
        self._adopt(now)
        return self._finish(now)

    def rescue(self, event: events.Event, now: Moment) -> tuple[Effect, ...]:
        """After a fault of ours in `handle`: fire and the way out all the same, a release that is over, and what is switched. Nothing
        of it goes on record here; what is due, and the fire's alarm, is tried again with the next event."""
        match event:
            case events.FireInput(active):
                self._mode.fire, self._missed = active, event
            case events.ExitRequested():
                self._portal.flee(now.mono_ms)
        door = self._portal.door
        door.order(now.mono_ms, self._mode.order)
        door.due(now.mono_ms)
        return self._panel.changes(
            released=door.lock_released,
            lamp=self._portal.lamp(busy=False),
            tones=self._alarms.tones,
            loud=self._alarms.loud,
        )

    def deadline(self) -> int | None:
        """The mono ms at which `Tick` is wanted; None when only an event can change anything."""
        return self._deadline

    def _wanted_at(self) -> int | None:
        """When the first of the machines wants to be asked again; looked at whenever one may have moved."""
        return earliest(
            self._visit.deadline(),
            self._leaving.deadline(),
            self._portal.deadline(),
            self._lockout.deadline(),
            self._orders.deadline(),
            self._alarms.deadline(),
            self._duties.deadline(),
            self._minute_ms,
        )

    def status(self) -> Status:
        """The gate as it stands after the last event. From any thread."""
        return self._status

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart, as it is now; the journal holds the same once all records are written."""
        return self._ledger.state()

    # routing

    def _route(self, event: events.Event, now: Moment) -> None:
        match event:
            case events.Presence(present):
                self._tell(self._visit.presence(now, present=present), now)
            case events.CredentialResolved():
                self._on_credential(event, now)
            case events.TemperatureMeasured():
                machine = self._leaving if self._leaving.state is VisitState.UNDER_WAY else self._visit
                self._tell(machine.temperature(event, now), now)
            case events.DoorContact(is_open):
                self._portal.contact(now, is_open=is_open)
            case events.LatchMonitor(free):
                self._portal.latch.monitor(free=free)
            case events.Crossing(direction):
                self._portal.crossing(direction, now)
            case events.Committed(token):
                self._portal.committed(token, now)
            case events.CommitFailed(token):
                self._portal.commit_failed(token, now)
            case events.JournalWorks():
                self._portal.journal_works()
            case events.Tick():
                pass  # what is due is done with every event
            case _:
                self._route_people(event, now)

    def _route_people(self, event: events.Event, now: Moment) -> None:
        """What somebody at the gate does."""
        match event:
            case events.Approach(active, vehicle):
                self._on_approach(now, active=active, vehicle=vehicle)
            case events.TooClose(active):
                self._say(self._prompter.too_close(now, active=active, busy=self._busy))
            case events.CodeUnread():
                self._on_unread(event, now)
            case events.ExitRequested():
                self._portal.exit_button(now)
            case events.CallPressed():
                self._desk.raise_(AlarmKind.CALL, now)
            case events.FireInput(active):
                self._orders.fire(now, active=active)
            case events.TamperInput(active):
                self._desk.lasting(AlarmKind.TAMPER, now, active=active)
            case _:
                self._route_guard(event, now)

    def _route_guard(self, event: events.Event, now: Moment) -> None:
        """What a guard does: a button, his page."""
        match event:
            case events.Acknowledge(by, alarm, note):
                self._desk.acknowledge(by[:MAX_WORD], alarm, note[:MAX_NOTE])
            case events.GuardRelease(by, reason):
                self._portal.release(now, Direction.ENTRY, "guard", by=by[:MAX_WORD], note=reason[:MAX_NOTE])
            case events.Registered(reference, by, instead):
                self._on_registered(events.Registered(reference[:MAX_WORD], by[:MAX_WORD], instead), now)
            case events.VehicleNoted(plate, by, delivery):
                self._on_vehicle(plate[:MAX_WORD], by[:MAX_WORD], now, delivery=delivery)
            case events.ModeOrdered(mode, by, drill):
                self._orders.mode(mode, by[:MAX_WORD], now, drill=drill)
            case events.CountCorrected(inside, by):
                self._orders.count(inside, by[:MAX_WORD])
                self._count_people(now)
            case events.SirenStopped(by):
                self._desk.silence(by[:MAX_WORD])
            case events.AlarmNoted(alarm, by, what, note) if what in NOTES:
                self._desk.noted(alarm, by[:MAX_WORD], what, note[:MAX_NOTE])
            case events.ShiftChanged(action, by, to, note):
                self._duties.shift(action, by[:MAX_WORD], to[:MAX_WORD], note[:MAX_NOTE])
            case events.RoundConfirmed(name, by):
                self._duties.confirm(name, by[:MAX_WORD], now)
            case events.DrillStamped():
                self._orders.stamp(event)
            case _:
                self._route_office(event, now)
                return
        self._duties.sign_of_life(event.by[:MAX_WORD], now)

    def _route_office(self, event: events.Event, now: Moment) -> None:
        match event:
            case events.Commanded(command, of_post):
                self._orders.command(command, now)
                if of_post:
                    self._duties.sign_of_life(command.by, now)
            case events.CommandRefused(reason, detail, count):
                self._orders.refuse("command", reason, now, detail, count)
            case events.Desired(modes, count):
                self._orders.desired(modes, count, now)
                self._count_people(now)
            case events.SiteCount(elsewhere, at_ms):
                self._capacity.told(elsewhere, at_ms, now)
                self._count_people(now)
            case events.DirectoryRefused(reason, detail):
                self._orders.refuse("directory", reason, now, detail)
            case events.AccessRefused(reason, detail):
                self._orders.refuse("page", reason, now, detail)
            case events.AccessLocked(locked):
                self._desk.lasting(AlarmKind.LOCK_OUT, now, PAGE, active=locked)
            case events.TimeRefused(reason, count):
                self._orders.refuse("time", reason, now, count=count)
            case events.PolicyChanged():
                self._next_policy = event
            case events.Heard(who, heard):
                self._duties.heard(who, now, heard=heard)
            case _:
                self._route_troubles(event, now)

    def _route_troubles(self, event: events.Event, now: Moment) -> None:
        match event:
            case events.DeviceChanged():
                self._on_device(event, now)
            case events.DiskScarce(reason):
                for each in events.SCARCE:
                    self._desk.lasting(AlarmKind.DISK, now, each, active=each == reason)
            case events.ClockStepped(step_ms, trusted):
                self._out.record(ClockChange(step_ms=step_ms, trusted=trusted))
                if abs(step_ms) >= BIG_STEP_MS:
                    self._desk.raise_(AlarmKind.CLOCK, now)
                self._minute(now)
            case events.JournalReplaced():
                self._desk.raise_(AlarmKind.JOURNAL_REPLACED, now)

    # time

    def _due(self, now: Moment) -> None:
        while self._deadline is not None and self._deadline <= now.mono_ms:
            self._tell(self._visit.due(now), now)
            self._tell(self._leaving.due(now), now)
            self._portal.due(now)
            self._portal.look_at_latch(now)
            if self._lockout.due(now.mono_ms):
                self._desk.over(AlarmKind.LOCK_OUT)
            self._orders.due(now)
            self._desk.due(now.mono_ms)
            self._duties.due(now)
            if self._minute_ms is not None and now.mono_ms >= self._minute_ms:
                self._minute(now)
            self._deadline = self._wanted_at()

    def _minute(self, now: Moment) -> None:
        """A minute has begun, or it is another one than was thought."""
        self._orders.minute(now)
        self._duties.minute(now)
        timed = self._orders.timed or self._duties.timed
        self._minute_ms = now.mono_ms + MINUTE_MS - now.at_ms % MINUTE_MS if timed else None

    def _adopt(self, now: Moment) -> None:
        """Decide by another policy, as soon as nobody is being decided about."""
        if self._next_policy is None or self._deciding:
            return
        policy, self._policy_version = self._next_policy.policy, self._next_policy.version
        self._next_policy = None
        self._policy = policy
        for machine in (self._visit, self._leaving, self._portal, self._orders, self._duties, self._prompter):
            machine.adopt(policy)
        self._lockout.adopt(policy.visit)
        self._alarms.adopt(policy.alarms)
        self._capacity.adopt(policy.capacity)
        self._count_people(now)
        self._minute(now)
        self._deadline = self._wanted_at()

    # the end of every turn

    def _finish(self, now: Moment) -> tuple[Effect, ...]:
        door = self._portal.door
        tones = self._alarms.tones | ({Tone.PRE_ALARM} if door.pre_alarm else frozenset())
        lamp = self._portal.lamp(busy=self._busy)
        switched = self._panel.changes(
            released=door.lock_released, lamp=lamp, tones=tones, loud=self._alarms.loud, alarm_lamp=self._alarms.lamp
        )
        happened = self._out.take()
        if any(isinstance(effect, Say) for effect in happened):
            switched += self._set_volume(now)
        before, self._status = self._status, self._stands()
        return switched + happened + (() if before == self._status else (StateChanged(),))

    def _set_volume(self, now: Moment) -> tuple[Effect, ...]:
        before, self._volume = self._volume, self._prompter.volume(now)
        return () if self._volume == before else (SetVolume(self._volume),)

    def _stands(self) -> Status:
        """The status, made anew when something of it has changed: most turns change nothing of it."""
        stands = (
            self._mode.mode, self._portal.door.state, self._portal.passages.inside, self._alarms.open,
            self._alarms.ended, self._orders.commanded.answers, self._mode.drill, self._orders.drill.stages, self._duties.guard,
            self._duties.rounds.waiting, self._duties.office, self._visiting,
        )  # fmt: skip
        if stands == self._stood:
            return self._status
        self._stood = stands
        return Status(
            mode=self._mode.mode.value,
            door=self._portal.door.state.value,
            inside=self._portal.passages.inside,
            devices_lost=tuple(alarm.detail for alarm in self._alarms.open if alarm.kind is AlarmKind.DEVICE_LOST),
            alarms=self._alarms.open,
            commands=self._orders.commanded.answers,
            drill=self._mode.drill,
            drill_stages=self._orders.drill.stages,
            guard=self._duties.guard,
            office=self._duties.office,
            ended=self._alarms.ended,
            rounds=self._duties.rounds.waiting,
            visiting=self._visiting,
        )

    @property
    def _first(self) -> Phrase | None:
        """What whoever comes is told before any step."""
        return speech.first(self._mode.order, self._mode.mode, self._policy.portal.kind)

    @property
    def _busy(self) -> bool:
        """Whether somebody stands at the readers whose steps go on."""
        return self._visit.state in (VisitState.PRESENT, VisitState.UNDER_WAY)

    @property
    def _deciding(self) -> bool:
        """Whether somebody's steps have begun, or a grant waits for its record."""
        under_way = VisitState.UNDER_WAY in (self._visit.state, self._leaving.state)
        return under_way or self._portal.grants.waiting > 0

    @property
    def _visiting(self) -> bool:
        idle = self._visit.state is VisitState.IDLE and self._leaving.state is VisitState.IDLE
        return not idle or self._portal.grants.waiting > 0

    def _say(self, said: Iterable[Say]) -> None:
        for each in said:
            self._out.add(each)

    # visits

    def _on_credential(self, event: events.CredentialResolved, now: Moment) -> None:
        first_time = self._seen.first_time(event, self._policy.portal.name)
        if first_time is not None:
            self._out.record(first_time)
        if event.verdict.outcome is events.Outcome.VALID:
            self._duties.card(event.verdict.holder, now)
        if event.direction is Direction.EXIT:
            self._on_leaving(event, now)
        else:
            self._tell(self._visit.credential(event, now, self._against_entry(event.verdict, now)), now)

    def _on_unread(self, event: events.CodeUnread, now: Moment) -> None:
        """Nothing is said over an alarm; under the night guard's own sound people are still told what to do."""
        if self._alarms.tones - {Tone.NIGHT}:
            return
        machine = self._leaving if event.direction is Direction.EXIT else self._visit
        self._tell(machine.unread(event, now, near=self._prompter.person), now)

    def _against_entry(self, verdict: events.Verdict, now: Moment) -> list[str]:
        """What at the gate speaks against letting this one in."""
        against = [LOCKED_OUT] if self._lockout.locked else []
        against += self._against_visit(verdict, now)
        return against + (
            self._against_again(Direction.ENTRY, verdict, now) if Step.CREDENTIAL in verdict.serves else []
        )

    def _against_visit(self, verdict: events.Verdict, now: Moment) -> list[str]:
        """The same, whether they come with a pass or were registered by the guard."""
        against = [LOCKDOWN] if self._mode.order is Order.LOCKDOWN else []
        against += [SEALED] if self._policy.portal.kind is PortalKind.SEALED else []
        if Step.CREDENTIAL not in verdict.serves:
            return against
        closed = self._mode.closed_to(verdict.pass_type, self._policy.modes)
        against += [CLOSED_MANAGEMENT] if closed else []
        full = self._capacity.against(self._portal.inside_soon, verdict.booked, now)
        return against + ([full] if full else [])

    def _against_leaving(self, verdict: events.Verdict, now: Moment) -> list[str]:
        """What at the gate speaks against letting this one out: nothing but anti-passback where people may have to flee, and in a fire."""
        against = [LOCKDOWN] if self._mode.order is Order.LOCKDOWN else []
        against += [SEALED] if self._policy.portal.kind is PortalKind.SEALED else []
        against += [HOME_OBSERVATION] if verdict.stays_home else []
        against = [] if self._policy.portal.escape_route or self._mode.fire else against
        return against + self._against_again(Direction.EXIT, verdict, now)

    def _against_now(self, closed: Closed, now: Moment) -> list[str]:
        """What has come to speak against a visit that was granted: its steps take time, and meanwhile a mode is ordered, or the same
        card goes through. Who had a slot when they began keeps it."""
        credential = closed.attempt.findings.credential
        if closed.decision.outcome is not VisitOutcome.GRANTED or credential is None:
            return []
        direction = closed.attempt.direction
        if direction is Direction.EXIT:
            return self._against_leaving(credential, now)
        against = [each for each in self._against_visit(credential, now) if each != NO_SLOT]
        return against + self._against_again(direction, credential, now)

    def _against_again(self, direction: Direction, verdict: events.Verdict, now: Moment) -> list[str]:
        reason, denies = self._portal.against(direction, verdict.holder, now)
        return [reason] if denies else []

    def _on_registered(self, done: events.Registered, now: Moment) -> None:
        """The registration was done. It may be the last step: what speaks against letting them in is looked at now."""
        verdict = self._visit.awaiting(now)
        if verdict is not None:
            against = self._against_entry(verdict, now)
        else:
            against = self._against_visit(REGISTERED, now) if done.instead else []
        self._tell(self._visit.registered(done, now, against), now)

    def _on_leaving(self, event: events.CredentialResolved, now: Moment) -> None:
        """A credential at an exit reader. An escape route asks for nothing more, and never says no for the place's own sake."""
        if event.verdict.stays_home:
            self._desk.raise_(AlarmKind.HOME_OBSERVATION, now)
        against = self._against_leaving(event.verdict, now)
        if self._policy.portal.escape_route or not self._policy.asks_more_on_exit:
            event = self._used.judged(event, now.mono_ms)
            self._on_closed(exit_visit(self._policy, self._ids(), event, now, against), now)
        else:
            self._tell(self._leaving.credential(event, now, against), now)

    def _tell(self, notes: Iterable[Note], now: Moment) -> None:
        for note in notes:
            match note:
                case Closed():
                    self._on_closed(note, now)
                case NightArrival():
                    self._desk.raise_(AlarmKind.NIGHT_ARRIVAL, now)
                case Left():
                    self._nobody_there()
                case Say(Phrase.WELCOME | Phrase.NIGHT_WELCOME) if (first := self._first) is not None:
                    self._out.say(first, note.priority)
                case _:
                    self._out.add(note)

    def _on_closed(self, closed: Closed, now: Moment) -> None:
        closed = closed.unless(self._against_now(closed, now), now)
        findings, decision = closed.attempt.findings, closed.decision
        locks_out = self._count_bad(closed, now)
        self._used.use(findings.counters, now.mono_ms, sure=closed.attempt.began.trusted and now.trusted)
        self._out.show("decision", outcome=decision.outcome.value, reason=",".join(decision.reasons))
        body = record(closed, now, self._policy, mode=self._mode.told, policy_version=self._policy_version)
        entry = closed.attempt.direction is Direction.ENTRY
        again, _ = self._portal.against(closed.attempt.direction, findings.holder, now)
        if again and decision.outcome is VisitOutcome.GRANTED:
            self._desk.raise_(AlarmKind.ANTI_PASSBACK, now)
        if decision.outcome is VisitOutcome.GRANTED and entry:
            self._portal.grant(closed, body, now)
            self._desk.over(AlarmKind.NIGHT_ARRIVAL)
        elif decision.outcome is VisitOutcome.GRANTED:
            at_home = findings.credential is not None and findings.credential.stays_home
            said = (
                Phrase.STAY_HOME if at_home and not self._mode.fire else Phrase.GOODBYE
            )  # an escape route lets out, and asks all the same
            self._portal.let_out(now, closed.attempt.visit, findings.holder, said)
            self._out.record(body)
        else:
            self._out.record(body)
            if entry and decision.outcome is not VisitOutcome.ABANDONED:
                self._portal.refused(now)
        if entry and closed.decision.outcome is VisitOutcome.GRANTED:
            self._orders.visit()
        self._speak(closed)
        if "fever" in decision.reasons:
            self._desk.raise_(AlarmKind.FEVER, now)
        elif decision.outcome is VisitOutcome.REFERRED:
            self._desk.raise_(AlarmKind.CALL, now, "referred")
        if locks_out:
            self._desk.raise_(AlarmKind.LOCK_OUT, now)

    def _speak(self, closed: Closed) -> None:
        said = speech.ending(closed.decision, closed.attempt.findings)
        if said is not None and said.phrase == Phrase.FULL:
            who = closed.attempt.findings.holder or closed.attempt.visit
            said = replace(said, values={"number": str(self._capacity.number(who))})
        self._say(() if said is None else (said,))

    def _count_bad(self, closed: Closed, now: Moment) -> bool:
        """Count for the lock-out; whether this was the last bad one allowed."""
        if closed.attempt.direction is Direction.EXIT:
            return False
        bad = closed.attempt.findings.bad
        if bad is not None and bad.is_guess:
            return self._lockout.bad(now.mono_ms)
        if closed.attempt.findings.credential is not None:
            self._lockout.good()
        return False

    # the approach, and those who pass

    def _on_approach(self, now: Moment, *, active: bool, vehicle: bool) -> None:
        before = self._prompter.anybody
        self._say(self._prompter.approach(now, active=active, vehicle=vehicle, busy=self._busy, first=self._first))
        if self._prompter.anybody and not before and self._policy.is_night(now):
            self._desk.raise_(AlarmKind.NIGHT_ARRIVAL, now)
        elif before and not self._prompter.anybody:
            self._nobody_there()

    def _on_vehicle(self, plate: str, by: str, now: Moment, *, delivery: bool) -> None:
        """A plate goes into the record of the visit under way; where there is none it is one of its own, at once."""
        bay = self._policy.prompter.bay if delivery else ""
        visit = self._visit.vehicle(plate, bay, now)
        if visit is not None:
            self._out.record(Vehicle(plate=plate, by=by, visit=visit, bay=bay))
        self._say(self._prompter.delivery() if delivery else ())

    def _nobody_there(self) -> None:
        """Nobody is at the readers, or at the approach, any more: where it is both, the guard need not come."""
        if self._visit.state is VisitState.IDLE and not self._prompter.anybody:
            self._desk.over(AlarmKind.NIGHT_ARRIVAL)

    def _on_crossed(self, now: Moment) -> None:
        self._count_people(now)
        self._say(self._prompter.passing(now, busy=self._busy, sounding=bool(self._alarms.tones)))

    def _count_people(self, now: Moment) -> None:
        """Warn when it becomes full, and end that."""
        level = self._capacity.level(self._portal.passages.inside, now)
        for each in (WARNING, REACHED):
            self._desk.lasting(AlarmKind.CAPACITY, now, each, active=level == each)

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
                self._tell(self._leaving.thermometer_lost(now, lost=lost), now)
            case "presence":
                self._tell(self._visit.sensor_lost(now, lost=lost), now)
            case "approach" | "vehicle":
                self._prompter.lost(vehicle=use == "vehicle")
                self._nobody_there()
            case "door-contact":
                self._portal.contact_lost(now, lost=lost)
            case "latch":
                self._portal.latch.lost()  # where it is back, its level follows
            case "beam" | "beam-pair":
                self._portal.beam_lost(lost=lost)
