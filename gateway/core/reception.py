"""The reception: who is at the readers and at the approach, and what follows from how their visits end.

Theory of operation. There are two places where visits go on, in front of the entry readers and of the exit readers; each is a
machine of its own (`visit`). A visit that ends is put on record, told and spoken of here: a grant goes to the portal, which waits
for its record; fever, a referral and a lock-out become alarms. Beside them stands the prompter, for whoever only comes near.
At night somebody is there as long as either of them sees anybody. In a fire nobody is received: whoever's steps go on is told to leave,
and no new ones begin.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gateway.core import events, speech
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.asking import ASKED
from gateway.core.attempt import Closed, exit_visit, record
from gateway.core.capacity import FULL, REACHED, WARNING, Capacity
from gateway.core.duties import Duties
from gateway.core.effects import Say, Tone
from gateway.core.equipment import Equipment
from gateway.core.findings import FIRE
from gateway.core.ledger import Part
from gateway.core.lockout import LockOut
from gateway.core.mode import ModeMachine
from gateway.core.moment import Moment
from gateway.core.night_call import NightCall
from gateway.core.objections import Objections
from gateway.core.ordering import OrderDesk
from gateway.core.outbox import Outbox
from gateway.core.phrases import Phrase
from gateway.core.policy import Policy
from gateway.core.portal import PortalDesk
from gateway.core.prompter import Prompter
from gateway.core.seen import Seen
from gateway.core.tables import earliest
from gateway.core.turned_away import TurnedAway
from gateway.core.used import UsedCodes
from gateway.core.visit import Left, NightArrival, Note, VisitMachine, VisitState
from sync.contract.alarms import AlarmKind
from sync.contract.records import Direction, Vehicle, VisitOutcome


class Reception:
    """Receives people. `sounding`: the tones that sound; `policy_version`: as records name the policy."""

    def __init__(
        self,
        policy: Policy,
        has: Equipment,
        state: Mapping[str, bytes],
        *,
        ids: Callable[[], str],
        mode: ModeMachine,
        portal: PortalDesk,
        orders: OrderDesk,
        duties: Duties,
        desk: AlarmDesk,
        out: Outbox,
        sounding: Callable[[], frozenset[Tone]],
        policy_version: str,
    ) -> None:
        self._policy = policy
        self._policy_version = policy_version
        self._has = has
        self._ids = ids
        self._mode = mode
        self._portal = portal
        self._orders = orders
        self._duties = duties
        self._desk = desk
        self._night = NightCall(desk)
        self._out = out
        self._sounding = sounding
        self._seen = Seen(state)
        self._used = UsedCodes(state)
        self._entry = VisitMachine(policy, ids, self._used.judged)
        self._exit = VisitMachine(policy, ids, self._used.judged, Direction.EXIT)
        self._lockout = LockOut(policy.visit, state)
        self._turned_away = TurnedAway()
        self._capacity = Capacity(policy.capacity)
        self._against = Objections(policy, mode=mode, portal=portal, lockout=self._lockout, capacity=self._capacity)
        self._prompter = Prompter(policy)
        self._ending: Closed | None = None  # the visit that has ended last
        self.durables: tuple[Part, ...] = (self._lockout.durable, self._seen.durable, self._used.durable)

    def adopt(self, policy: Policy, version: str) -> None:
        """Go by this from now on; while nobody is being decided about."""
        self._policy, self._policy_version = policy, version
        for machine in (self._entry, self._exit, self._against, self._prompter):
            machine.adopt(policy)
        self._lockout.adopt(policy.visit)
        self._capacity.adopt(policy.capacity)

    def start(self, now: Moment) -> None:
        """The gate starts: the times of what the last run left begin anew."""
        self._lockout.start(now.mono_ms)
        self._used.start(now.mono_ms)

    def begin(self, now: Moment) -> None:
        """What there is no sensor for."""
        self.thermometer_lost(now, lost=not self._has.has("thermometer"))
        self.presence_lost(now, lost=not self._has.has("presence"))

    # who is there

    @property
    def locked_out(self) -> bool:
        """Whether the readers are."""
        return self._lockout.locked

    @property
    def busy(self) -> bool:
        """Whether somebody stands at the readers whose steps go on."""
        return self._entry.state in (VisitState.PRESENT, VisitState.UNDER_WAY)

    @property
    def deciding(self) -> bool:
        """Whether somebody's steps have begun, or a grant waits for its record."""
        under_way = VisitState.UNDER_WAY in (self._entry.state, self._exit.state)
        return under_way or self._portal.grants.waiting > 0

    @property
    def visit(self) -> str:
        """The visit of whoever is at the entry, also before they have shown anything; "" where nobody is known to be."""
        return self._entry.who

    @property
    def visiting(self) -> bool:
        """Whether somebody is there, or a grant waits for its record."""
        idle = self._entry.state is VisitState.IDLE and self._exit.state is VisitState.IDLE
        return not idle or self._portal.grants.waiting > 0

    @property
    def vehicle_waits(self) -> bool:
        """Whether the sensor sees a vehicle."""
        return self._prompter.vehicle

    @property
    def _first(self) -> Phrase | None:
        """What whoever comes is told before any step."""
        return speech.first(self._mode, self._policy.portal.kind)

    # what is ordered

    def ordered(self, now: Moment) -> None:
        """A mode, or fire: whoever is there learns it at once."""
        if self._mode.fire:
            self._tell(self._entry.break_off(now), now)
            self._tell(self._exit.break_off(now), now)
            return
        self._tell(self._exit.object(self._against.staying(), now), now)
        against = self._against.meanwhile(self._entry.shown)
        if against and self._entry.state is VisitState.UNDER_WAY:
            self._tell(self._entry.object(against, now), now)
        elif self.busy and self._entry.shown is None:
            self._say(() if self._first is None else (speech.notice(self._first),))
            self._entry.ask_later(now)

    # time

    def deadline(self) -> int | None:
        """When it wants to be asked again."""
        return earliest(
            self._entry.deadline(),
            self._exit.deadline(),
            self._lockout.deadline(),
            self._turned_away.deadline(),
            self._prompter.deadline(),
        )

    def due(self, now: Moment) -> None:
        """Do what its deadline was for."""
        self._tell(self._entry.due(now), now)
        self._tell(self._exit.due(now), now)
        self._at_approach(now, lambda: self._prompter.due(now, busy=self.busy, first=self._first))
        if self._lockout.due(now.mono_ms):
            self._desk.over(AlarmKind.LOCK_OUT)
        if (counted := self._turned_away.due(now.mono_ms)) is not None:
            self._out.record(counted)

    def volume(self, now: Moment) -> int:
        """So loud is what is said but for alarms, in per cent."""
        return self._prompter.volume(now)

    # at the readers

    def presence(self, now: Moment, *, present: bool) -> None:
        """The presence sensor's level."""
        self._tell(self._entry.presence(now, present=present), now)

    def presence_lost(self, now: Moment, *, lost: bool) -> None:
        """The presence sensor was lost or is back."""
        self._tell(self._entry.sensor_lost(now, lost=lost), now)

    def thermometer_lost(self, now: Moment, *, lost: bool) -> None:
        """The thermometer was lost or is back."""
        self._tell(self._entry.thermometer_lost(now, lost=lost), now)
        self._tell(self._exit.thermometer_lost(now, lost=lost), now)

    def temperature(self, event: events.TemperatureMeasured, now: Moment) -> None:
        """A measurement: of whoever is on the way out, where somebody is."""
        if self._mode.fire:
            return
        machine = self._exit if self._exit.state is VisitState.UNDER_WAY else self._entry
        self._tell(machine.temperature(event, now), now)

    def credential(self, event: events.CredentialResolved, now: Moment) -> None:
        """A card or code."""
        self._look_at_card(event)
        valid = event.verdict.outcome is events.Outcome.VALID
        confirms = valid and self._duties.card(event.verdict.holder, now)
        if event.direction is Direction.EXIT:
            self._leaves(event, now)
        elif confirms and self._entry.state is not VisitState.UNDER_WAY:  # that is what it was shown for
            self._entry.served(event.verdict.credential, now)
        else:
            self._tell(self._entry.credential(event, now, self._against.entry(event.verdict, now)), now)

    def _look_at_card(self, event: events.CredentialResolved) -> None:
        """Its first time here is a record of its own; of one that nobody knows not while the readers are locked out, when any number of
        them may be shown: then it is still to come."""
        if (
            self._lockout.locked
            and event.direction is Direction.ENTRY
            and event.verdict.outcome is not events.Outcome.VALID
        ):
            return
        first_time = self._seen.first_time(event, self._policy.portal.name)
        if first_time is not None:
            self._out.record(first_time)

    def unread(self, event: events.CodeUnread, now: Moment) -> None:
        """Nothing is said over an alarm; under the night guard's own sound people are still told what to do."""
        if self._sounding() - {Tone.NIGHT}:
            return
        machine = self._exit if event.direction is Direction.EXIT else self._entry
        self._tell(machine.unread(event, now, near=self._prompter.person), now)

    def registered(self, done: events.Registered, now: Moment) -> None:
        """The registration was done. It may be the last step: what speaks against letting them in is looked at now. What comes of it is
        shown; one that is not for whoever is there is turned away, on record."""
        against = self._entry.not_theirs(done.visit) if done.visit else ""
        if against:
            self._orders.refuse("registration", against, now, done.reference)
            self._out.show("registered", reference=done.reference, outcome="turned-away", reason=against)
            return
        self._ending = None
        self._register(replace(done, visit=""), now)
        self._show_registered(done.reference)

    def _register(self, done: events.Registered, now: Moment) -> None:
        verdict = self._entry.awaiting(now)
        if verdict is not None:
            against = self._against.entry(verdict, now)
        else:
            against = self._against.registered(now) if done.instead or self._mode.fire else []
        self._tell(self._entry.registered(done, now, against), now)

    def _show_registered(self, reference: str) -> None:
        """How the visit ended by it, or what is still to be done."""
        ended = self._ending
        if ended is None:
            steps = ",".join(step.value for step in self._entry.to_do)
            self._out.show("registered", reference=reference, outcome="waits", reason=steps)
            return
        number = str(self._queue_number(ended)) if FULL in ended.decision.reasons else ""
        reason = ",".join(ended.decision.reasons)
        self._out.show(
            "registered", reference=reference, outcome=ended.decision.outcome.value, reason=reason, number=number
        )

    def _leaves(self, event: events.CredentialResolved, now: Moment) -> None:
        """A credential at an exit reader. An escape route asks for nothing more, and never says no for the place's own sake."""
        self._entry.went_out(now)
        if event.verdict.stays_home:
            self._desk.raise_(AlarmKind.HOME_OBSERVATION, now)
        against = self._against.leaving(event.verdict, now)
        fire = self._mode.fire
        if fire or self._policy.portal.escape_route or not self._policy.asks_more_on_exit:
            event = self._used.judged(event, now.mono_ms)
            otherwise = FIRE if fire else "no-credential"
            self._closed(exit_visit(self._policy, self._ids(), event, now, against, otherwise), now)
        else:
            self._tell(self._exit.credential(event, now, against), now)

    def exit_button(self, now: Moment, *, let_out: bool) -> None:
        """Somebody wants out, and is let out or not."""
        self._entry.went_out(now)
        if let_out:
            self._prompter.went_out(now)

    def went_in(self) -> None:
        """Somebody with leave has gone in."""
        self._entry.passed()

    # how visits end

    def _tell(self, notes: Iterable[Note], now: Moment) -> None:
        for note in notes:
            match note:
                case Closed():
                    self._closed(note, now)
                case NightArrival():
                    self._night.come(now)
                case Left():
                    self._nobody_there(now)
                case Say(Phrase.WELCOME | Phrase.NIGHT_WELCOME) if (first := self._first) is not None:
                    self._out.add(speech.notice(first))
                case Say(phrase) if phrase in ASKED and self._first in speech.NOBODY_COMES_IN:
                    pass
                case _:
                    self._out.add(note)

    def _closed(self, closed: Closed, now: Moment) -> None:
        closed = self._ending = closed.unless(self._against.since(closed, now), now)
        findings, decision = closed.attempt.findings, closed.decision
        locks_out = self._count_bad(closed, now)
        self._used.use(findings.counters, now.mono_ms, sure=closed.attempt.began.trusted and now.trusted)
        self._out.show("decision", outcome=decision.outcome.value, reason=",".join(decision.reasons))
        again, _ = self._portal.against(closed.attempt.direction, findings.holder, now)
        if again and decision.outcome is VisitOutcome.GRANTED:
            self._desk.raise_(AlarmKind.ANTI_PASSBACK, now)
        self._carry_out(closed, now)
        self._speak(closed)
        if "fever" in decision.reasons:
            self._desk.raise_(AlarmKind.FEVER, now)
        elif decision.outcome is VisitOutcome.REFERRED:
            self._desk.raise_(AlarmKind.CALL, now, "referred")
        if locks_out:
            self._desk.raise_(AlarmKind.LOCK_OUT, now)

    def _carry_out(self, closed: Closed, now: Moment) -> None:
        """Onto the record, and through the door."""
        body = record(closed, now, self._policy, mode=self._mode.told, policy_version=self._policy_version)
        entry = closed.attempt.direction is Direction.ENTRY
        granted = closed.decision.outcome is VisitOutcome.GRANTED
        if granted and entry:
            self._portal.grant(closed, body, now)
            self._night.let_in()
            self._orders.visit()
        elif granted:
            self._let_out(closed, now)
            self._out.record(body)
        else:
            if entry:
                self._night.not_let_in()
            if self._turned_away.is_told(closed, now.mono_ms):
                self._out.record(body)
            if entry and closed.decision.outcome is not VisitOutcome.ABANDONED:
                self._portal.refused(now)

    def _let_out(self, closed: Closed, now: Moment) -> None:
        """An escape route lets out whoever is to stay at home, and asks all the same."""
        findings = closed.attempt.findings
        at_home = findings.credential is not None and findings.credential.stays_home
        said = Phrase.STAY_HOME if at_home and not self._mode.fire else Phrase.GOODBYE
        self._portal.let_out(now, closed.attempt.visit, findings.holder, said)
        self._prompter.went_out(now)

    def _speak(self, closed: Closed) -> None:
        said = speech.ending(closed.decision, closed.attempt.findings)
        if said is not None and said.phrase == Phrase.FULL:
            said = replace(said, values={"number": str(self._queue_number(closed))})
        self._say(() if said is None else (said,))

    def _queue_number(self, closed: Closed) -> int:
        return self._capacity.number(closed.attempt.findings.holder or closed.attempt.visit)

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

    # at the approach, and those who pass

    def approach(self, now: Moment, *, active: bool, vehicle: bool) -> None:
        """Somebody comes near, or does no more."""
        self._at_approach(
            now,
            lambda: self._prompter.approach(now, active=active, vehicle=vehicle, busy=self.busy, first=self._first),
        )

    def _at_approach(self, now: Moment, happens: Callable[[], list[Say]]) -> None:
        """Say what follows; at night the guard is called as soon as anybody has come, until nobody is there."""
        before = self._prompter.anybody
        self._say(happens())
        if self._prompter.anybody and not before and self._policy.is_night(now):
            self._night.come(now)
        elif before and not self._prompter.anybody:
            self._nobody_there(now)

    def approach_lost(self, now: Moment, *, vehicle: bool) -> None:
        """The sensor there was lost, or is back."""
        self._prompter.lost(vehicle=vehicle)
        self._nobody_there(now)

    def too_close(self, now: Moment, *, active: bool) -> None:
        """A second person is inside the one-metre line, or no more."""
        self._say(self._prompter.too_close(now, active=active, busy=self.busy))

    def vehicle(self, plate: str, by: str, now: Moment, *, delivery: bool) -> None:
        """A plate goes into the record of the visit under way; where there is none it is one of its own, at once."""
        bay = self._policy.prompter.bay if delivery else ""
        visit = self._entry.vehicle(plate, bay, now)
        if visit is not None:
            self._out.record(Vehicle(plate=plate, by=by, visit=visit, bay=bay))
        self._say(self._prompter.delivery() if delivery else ())

    def crossed(self, direction: Direction, now: Moment) -> None:
        """Somebody has passed."""
        if direction is Direction.EXIT:
            self._entry.went_out(now)
            self._night.went_out(now)
            self._prompter.went_out(now)
        self.count_people(now)
        self._say(self._prompter.passing(now, busy=self.busy, sounding=bool(self._sounding())))

    def count_people(self, now: Moment) -> None:
        """Warn when it becomes full, and end that."""
        level = self._capacity.level(self._portal.passages.inside, now)
        for each in (WARNING, REACHED):
            self._desk.lasting(AlarmKind.CAPACITY, now, each, active=level == each)

    def told_elsewhere(self, event: events.SiteCount, now: Moment) -> None:
        """The office has told how many are inside by the other gates."""
        self._capacity.told(event.elsewhere, event.at_ms, now)
        self.count_people(now)

    def _nobody_there(self, now: Moment) -> None:
        """Nobody is at the readers, or at the approach, any more: where it is both, the guard need not come."""
        if self._entry.state is VisitState.IDLE and not self._prompter.anybody:
            self._night.nobody_there(now, self._policy)

    def _say(self, said: Iterable[Say]) -> None:
        for each in said:
            self._out.add(each)
