"""What holds at every gate, whatever happens in whatever order and however long after: random streams of events at random times,
with restarts in the middle, over sites of every kind."""

from dataclasses import replace

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.core import effects, events
from gateway.core.alarm_desk import ENDS_WITH_THE_GATE
from gateway.core.alarm_rules import RULES, Life, rises_to
from gateway.core.alarms import TOLD_EACH
from gateway.core.door import DoorState
from gateway.core.moment import Moment
from gateway.core.policy import (
    AlarmPolicy,
    AntiPassback,
    CapacityPolicy,
    JournalFailure,
    Mode,
    ModeSchedule,
    Policy,
    PortalKind,
    RoundPolicy,
    StepsRule,
    WatchPolicy,
)
from gateway.core.tables import seconds
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, Level
from sync.contract.colours import PassType
from sync.contract.commands import Release
from sync.contract.directory import ModeOrder
from sync.contract.records import AlarmRecord, Direction, DrillStage, ShiftAction, Step, Visit, VisitOutcome
from tests.gateway.core.acting import Gate, at, card, policy
from tests.gateway.core.crowd import VERDICTS

SITES = (
    Policy(),
    policy(visit__presence_sensor=False, portal__anti_passback=AntiPassback.HARD),
    policy(
        portal__kind=PortalKind.OPEN,
        capacity=CapacityPolicy(limit=3, site_wide=True),
        alarms=AlarmPolicy(louder_after_s=10, duty_room_after_s=0, leader_after_s=45, post=True),
    ),
    policy(portal__kind=PortalKind.SEALED, portal__escape_route=False),
    policy(
        portal__escape_route=False,
        portal__exit_needs_credential=True,
        portal__anti_passback=AntiPassback.SOFT,
        rules={"out": StepsRule(direction=Direction.EXIT, steps=(Step.CREDENTIAL, Step.TEMPERATURE))},
    ),
    policy(
        when_journal_fails=JournalFailure.OPEN,
        temperature__repeats=0,
        capacity=CapacityPolicy(limit=2),
        rules={"quick": StepsRule(pass_types=(PassType.RESIDENT,), steps=(Step.CREDENTIAL,))},
    ),
    policy(
        portal__anti_passback=AntiPassback.TIMED,
        schedules={"night": ModeSchedule(begins="22:00", ends="05:00", mode=Mode.CLOSED)},
        rounds={"lobby": RoundPolicy(times=("22:00", "00:00"), within_min=1, confirmed_by=("h-1",))},
        watch=WatchPolicy(begins="22:00", ends="05:00", every_min=1, answer_s=30),
    ),
)
"""Of every kind of portal, lock, limit and timetable one."""
ACTS = (
    events.ExitRequested,
    events.FireInput,
    events.GuardRelease,
    events.ModeOrdered,
    events.Desired,
    events.Commanded,
)
"""What may release the door by itself."""
SHUT = {DoorState.LOCKED, DoorState.COMMITTING, DoorState.LOCKED_DOWN}
WITHOUT_A_RECORD = ("schedule", "round-")
"""What the time alone changes: it is found anew after a restart, and goes along with the next record."""
MODES = st.sampled_from([*Mode, Mode.NORMAL, Mode.NORMAL])
DEVICES = st.sampled_from(["thermometer", "presence", "door-contact", "beam", "approach", "entry-reader", "?"])
SHORT, LONG = st.sampled_from([0, 100, 600, 1_100, 2_500]), st.sampled_from([5_000, 16_000, 61_000, 200_000])


class AnyGate(RuleBasedStateMachine):
    """A gate, and what is known of it from outside: nothing here looks into the core."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[events.Event | None, Moment]] = []  # None: a restart
        self.boots: list[tuple[Policy, dict[str, bytes], int]] = []
        self.brought: list[effects.Effect] = []

    @initialize(site=st.integers(0, len(SITES) - 1), begins=st.sampled_from(["10:00", "21:57", "23:58"]))
    def begin(self, site: int, begins: str) -> None:
        self.site = SITES[site]
        self.number = 0
        self.boot({}, at(begins))

    def boot(self, state: dict[str, bytes], now: Moment) -> None:
        self.gate = Gate(self.site, state=state, now=now, seed=len(self.boots))
        self.boots.append((self.site, state, len(self.told)))
        self.told.append((None, now))
        self.brought += self.gate.began
        self.gate.answers = False
        self.tokens: list[int] = []
        self.granted: dict[int, PassType | None] = {}
        self.fire = False
        self.leaf_ms: int | None = None  # since when the leaf is open, as far as the contact says
        self.contact_lost = False
        self.open = {alarm.id: alarm for alarm in self.gate.core.status().alarms}
        self.begun = dict.fromkeys(self.open, now.mono_ms)

    # a turn, and what must hold in it

    def turn(self, event: events.Event) -> None:
        released, gate = self.gate.released, self.gate
        before = gate.core.status().door
        self.told.append((event, gate.now))
        found = gate.send(event)
        self.brought += found
        self.known(event)
        sent: list[Alarm] = []
        for effect in found:
            if isinstance(effect, effects.SendAlarm):
                sent.append(effect.alarm)
            elif isinstance(effect, effects.Append):
                self.overtakes(effect, sent)
                self.recorded(effect)
        if gate.released and not released and before != "free":
            assert self.may_release(event), f"{event} released the door"
        self.people_get_out(event)
        self.nobody_is_invited_into_a_fire(found)

    def nobody_is_invited_into_a_fire(self, found: list[effects.Effect]) -> None:
        """While it burns nothing is said but to leave, and nobody is granted entry."""
        if not self.fire:
            return
        assert {each.phrase for each in found if isinstance(each, effects.Say)} <= {"fire"}
        visits = [each.body for each in found if isinstance(each, effects.Append) and isinstance(each.body, Visit)]
        assert not [
            visit for visit in visits if visit.direction is Direction.ENTRY and visit.outcome is VisitOutcome.GRANTED
        ]

    def overtakes(self, written: effects.Append, sent: list[Alarm]) -> None:
        """What becomes of an alarm is told before it is written."""
        match written.body:
            case AlarmRecord(action=action, alarm=alarm) if action is AlarmAction.RAISED or alarm.id in self.open:
                assert alarm in sent

    def known(self, event: events.Event) -> None:
        match event:
            case events.FireInput(active):
                self.fire = active
            case events.DeviceChanged("door-contact", state):
                self.contact_lost = state != "ok"
                self.leaf_ms = None if self.contact_lost else self.leaf_ms
            case events.DoorContact(is_open):
                since = self.gate.now.mono_ms if self.leaf_ms is None else self.leaf_ms
                self.leaf_ms = since if is_open else None

    def may_release(self, event: events.Event) -> bool:
        if isinstance(event, events.Committed) and event.token in self.granted:
            closed = self.gate.core.status().mode == "closed" and not self.fire
            return not closed or self.granted[event.token] in self.site.modes.closed_admits
        if isinstance(event, ACTS):
            return True
        if self.site.when_journal_fails is JournalFailure.OPEN and self.granted:
            return True
        out = isinstance(event, events.CredentialResolved) and event.direction is Direction.EXIT
        return out or bool(self.site.rules)  # a temperature may be the last step on the way out

    def people_get_out(self, event: events.Event) -> None:
        """The way out of an escape route, and fire, never wait and are never refused."""
        if self.site.portal.kind is PortalKind.OPEN:
            return
        if self.fire:
            assert self.gate.released and effects.Tone.EVACUATION in self.gate.tones
            assert AlarmKind.FIRE in self.gate.open_alarms
        if isinstance(event, events.ExitRequested) and self.site.portal.escape_route:
            assert self.gate.released

    def recorded(self, written: effects.Append) -> None:
        self.tokens += [written.token] if written.token else []
        match written.body:
            case Visit() as visit:
                self.decided(visit)
                if visit.outcome is VisitOutcome.GRANTED:
                    self.granted[written.token] = visit.pass_type
            case AlarmRecord() as record:
                self.alarm(record)

    def decided(self, visit: Visit) -> None:
        """Granted means that nothing is missing."""
        if visit.outcome is not VisitOutcome.GRANTED:
            return
        began = Moment(0, visit.started_ms)
        asked = self.site.required(visit.direction, visit.pass_type or PassType.VISITOR, visit.lane, began)
        passed = {step.step for step in visit.steps if step.passed}
        at_escape = visit.direction is Direction.EXIT and self.site.portal.escape_route
        assert {Step.CREDENTIAL, *(() if at_escape else asked)} <= passed
        threshold_c = self.site.temperature.threshold_c
        assert Step.TEMPERATURE not in passed or (visit.object_c is not None and visit.object_c < threshold_c)

    def alarm(self, record: AlarmRecord) -> None:
        """Nothing is lost, and nothing goes from raised to gone without somebody's word or its end."""
        alarm, life = record.alarm, RULES[record.alarm.kind].life
        match record.action:
            case AlarmAction.RAISED:
                assert alarm.id not in self.open
                self.begun[alarm.id] = self.gate.now.mono_ms
            case AlarmAction.ACKNOWLEDGED:
                assert record.by and alarm.acknowledged
            case AlarmAction.CLEARED:
                assert (record.by and alarm.acknowledged) or life is not Life.MOMENT
                assert life is not Life.LATCHED or alarm.acknowledged
                del self.open[alarm.id]
                return
            case AlarmAction.ENDED:
                assert life is not Life.MOMENT and not alarm.acknowledged
            case AlarmAction.REPEATED if life is Life.LASTING:
                self.begun[alarm.id] = self.gate.now.mono_ms  # while it was over nobody had to answer it
        if record.action is not AlarmAction.NOTED or alarm.id in self.open:
            self.open[alarm.id] = alarm

    @invariant()
    def what_is_told_is_what_is_open(self) -> None:
        status = self.gate.core.status()
        assert {alarm.id for alarm in status.alarms} == set(self.open)
        assert all(_as_recorded(alarm, self.open[alarm.id]) == self.open[alarm.id] for alarm in status.alarms)
        assert status.door != "forced" or AlarmKind.DOOR_FORCED in self.gate.open_alarms

    @invariant()
    def what_nobody_acknowledges_rises_in_time(self) -> None:
        rises = self.site.alarms
        levels = {
            Level.LOUDER: rises.louder_after_s,
            Level.DUTY_ROOM: rises.duty_room_after_s,
            Level.LEADER: rises.leader_after_s,
        }
        over = self.gate.core.status().ended
        for alarm in self.open.values():
            if RULES[alarm.kind].life is Life.LASTING and (alarm.id in over or alarm.count >= TOLD_EACH):
                continue  # what comes and goes has to be answered while it is there
            waits_ms = self.gate.now.mono_ms - self.begun[alarm.id]
            due = [level for level, after_s in levels.items() if after_s and waits_ms >= seconds(after_s)]
            most = max(rises_to(alarm.kind, alarm.detail), RULES[alarm.kind].level)
            assert alarm.level <= most, "a notice wakes nobody whom it does not concern"
            if not alarm.acknowledged:
                assert alarm.level >= max((level for level in due if level <= most), default=Level.GATE)

    @invariant()
    def forced_is_raised_within_its_debounce(self) -> None:
        kind, door = self.site.portal.kind, self.gate.core.status().door
        if self.leaf_ms is not None and kind is not PortalKind.OPEN and door in SHUT:
            assert self.gate.now.mono_ms - self.leaf_ms < seconds(self.site.portal.forced_debounce_s)

    @invariant()
    def the_journal_holds_what_a_restart_needs(self) -> None:
        held, needed = self.gate.durable, self.gate.core.durable()
        often = {f"alarm/{alarm.id}" for alarm in self.gate.core.status().alarms if alarm.count > TOLD_EACH}
        assert held.keys() >= often
        assert _firm(held, often) == _firm(needed, often)
        deadline = self.gate.core.deadline()
        assert deadline is None or deadline > self.gate.now.mono_ms

    # time

    def wait(self, ms: int) -> None:
        end = self.gate.now.mono_ms + ms
        while (deadline := self.gate.core.deadline()) is not None and deadline <= end:
            self.gate.now = self.gate.now.after(deadline - self.gate.now.mono_ms)
            self.turn(events.Tick())
            self.forced_is_raised_within_its_debounce()
            self.what_nobody_acknowledges_rises_in_time()
        self.gate.now = self.gate.now.after(end - self.gate.now.mono_ms)

    @rule(ms=SHORT)
    def a_moment_passes(self, ms: int) -> None:
        self.wait(ms)

    @rule(ms=LONG)
    def a_while_passes(self, ms: int) -> None:
        self.wait(ms)

    @rule(ms=LONG)
    def the_loop_was_busy(self, ms: int) -> None:
        self.gate.now = self.gate.now.after(ms)
        self.turn(events.Tick())

    # people

    @rule(present=st.booleans())
    def presence(self, present: bool) -> None:
        self.turn(events.Presence(present))

    @rule(verdict=st.sampled_from(VERDICTS), leaving=st.booleans(), age_ms=st.sampled_from([0, 0, 0, 6_000]))
    def reads(self, verdict: events.Verdict, leaving: bool, age_ms: int) -> None:
        direction, read_ms = Direction.EXIT if leaving else Direction.ENTRY, self.gate.now.mono_ms - age_ms
        self.turn(events.CredentialResolved(verdict, "entry-reader", direction, read_ms))

    @rule(
        object_c=st.sampled_from([36.5, 36.5, 38.5, 34.0, 12.0, None]),
        ambient_c=st.sampled_from([24.0, 24.0, 2.0, None]),
    )
    def measures(self, object_c: float | None, ambient_c: float | None) -> None:
        read_ms = self.gate.now.mono_ms
        self.turn(
            events.TemperatureMeasured(thermometer="t", object_c=object_c, ambient_c=ambient_c, read_mono_ms=read_ms)
        )

    @rule(
        holder=st.integers(0, 3), pass_type=st.sampled_from([PassType.RESIDENT, PassType.TENANT]), goes_in=st.booleans()
    )
    def somebody_does_it_as_it_is_meant(self, holder: int, pass_type: PassType, goes_in: bool) -> None:
        self.turn(events.Presence(True))
        self.wait(600)
        self.reads(card(f"h-{holder}", pass_type), leaving=False, age_ms=0)
        self.measures(36.5, 24.0)
        self.the_journal_answers(fails=False)
        if goes_in:
            for event in (events.DoorContact(True), events.Crossing(None), events.DoorContact(False)):
                self.wait(700)
                self.turn(event)

    @rule(open_=st.booleans())
    def the_leaf_moves(self, open_: bool) -> None:
        self.turn(events.DoorContact(open_))

    @rule(free=st.booleans())
    def the_bolt_moves(self, free: bool) -> None:
        self.turn(events.LatchMonitor(free))

    @rule(ms=st.sampled_from([900, 1_000, 1_500]))
    def somebody_pulls_at_the_door(self, ms: int) -> None:
        self.turn(events.DoorContact(False))
        self.turn(events.DoorContact(True))
        self.wait(ms)

    @rule(way=st.sampled_from([None, *Direction]))
    def somebody_crosses(self, way: Direction | None) -> None:
        self.turn(events.Crossing(way))

    @rule(active=st.booleans())
    def fire_alarm(self, active: bool) -> None:
        self.turn(events.FireInput(active))

    @rule(mode=MODES)
    def fire_breaks_out(self, mode: Mode) -> None:
        self.turn(events.ModeOrdered(mode, "li"))
        self.turn(events.FireInput(True))
        self.turn(events.ExitRequested())

    @rule(
        event=st.sampled_from(
            [
                events.ExitRequested(),
                events.ExitRequested(),
                events.CallPressed(),
                events.TamperInput(True),
                events.TamperInput(False),
                events.Approach(True),
                events.Approach(False),
                events.Approach(True, vehicle=True),
                events.Approach(False, vehicle=True),
                events.TooClose(True),
                events.TooClose(False),
                events.CodeUnread("closer", "entry-camera", Direction.ENTRY),
                events.CodeUnread("hold-still", "exit-camera", Direction.EXIT),
            ]
        )
    )
    def somebody_does(self, event: events.Event) -> None:
        self.turn(event)

    # the guard and the office

    @rule(
        event=st.sampled_from(
            [
                events.Acknowledge("button"),
                events.GuardRelease("li"),
                events.Registered("e-1", "li"),
                events.Registered("e-2", "li", True),
                events.CountCorrected(0, "li"),
                events.CountCorrected(2, "li"),
                events.SirenStopped("li"),
                events.VehicleNoted("A1", "li", True),
                events.ShiftChanged(ShiftAction.BEGUN, "li"),
                events.ShiftChanged(ShiftAction.HANDED_OVER, "li", "wu"),
                events.RoundConfirmed("lobby", "li"),
                events.DrillStamped(DrillStage.ASSEMBLED, "li"),
                events.SiteCount(2, 0),
                events.Heard("office", False),
                events.Heard("office", True),
                events.Heard("post", False),
                events.Heard("post", True),
            ]
        )
    )
    def the_guard_does(self, event: events.Event) -> None:
        self.turn(event)

    @rule(which=st.integers(0, 5), note=st.booleans())
    @precondition(lambda self: self.open)
    def about_one_alarm(self, which: int, note: bool) -> None:
        alarm = sorted(self.open)[which % len(self.open)]
        self.turn(events.AlarmNoted(alarm, "li", "done", "…") if note else events.Acknowledge("li", alarm))

    @rule(mode=MODES, drill=st.booleans(), office=st.booleans())
    def mode_ordered(self, mode: Mode, drill: bool, office: bool) -> None:
        self.number += 1
        order = ModeOrder(id=f"{self.number:032x}", mode=mode.value, by="chief", at_ms=0, drill=drill)
        self.turn(events.Desired({"*": order}) if office else events.ModeOrdered(mode, "li", drill))

    @rule(again=st.booleans())
    def office_releases(self, again: bool) -> None:
        self.number += 0 if again else 1
        until = self.gate.now.mono_ms + 5_000
        name, boot = f"{self.number:032x}", "0" * 32
        self.turn(events.Commanded(Release(gate="main", id=name, boot=boot, not_after_mono=until, by="chief")))

    # the machine

    @rule(fails=st.sampled_from([False, False, False, True]))
    def the_journal_answers(self, fails: bool) -> None:
        while self.tokens:
            token = self.tokens.pop(0)
            self.turn(events.CommitFailed(token, "…") if fails else events.Committed(token))
        if not fails:
            self.turn(events.JournalWorks())

    @rule(device=DEVICES, state=st.sampled_from(["lost", "stale", "ok", "ok"]))
    def device_changes(self, device: str, state: str) -> None:
        self.turn(events.DeviceChanged(device, state))

    @rule(reason=st.sampled_from(["", *events.SCARCE]))
    def disk(self, reason: str) -> None:
        self.turn(events.DiskScarce(reason))

    @rule(step_ms=st.sampled_from([-3_600_000, 1_000, 3_600_000]))
    def clock_steps(self, step_ms: int) -> None:
        self.gate.now = replace(self.gate.now, at_ms=self.gate.now.at_ms + step_ms)
        self.turn(events.ClockStepped(step_ms, True))

    # restarts

    def stands(self) -> tuple[object, ...]:
        """What a restart leaves as it was."""
        status = self.gate.core.status()
        return status.mode, status.inside, status.drill, status.drill_stages, status.guard

    @rule(outage_ms=st.sampled_from([0, 2_000, 600_000]))
    def power_cut(self, outage_ms: int) -> None:
        before, alarms = self.stands(), self.open
        in_force = self.gate.core.status().mode
        self.boot(self.gate.durable, Moment(5_000, self.gate.now.at_ms + outage_ms))
        if self.gate.core.status().mode == in_force or not self.site.schedules:
            assert self.stands() == before
        gone = {alarm.kind for name, alarm in alarms.items() if name not in self.open}
        assert gone <= {*ENDS_WITH_THE_GATE, AlarmKind.LOCK_OUT, AlarmKind.ROUND_MISSED, AlarmKind.DEVICE_LOST}
        if self.fire:
            self.turn(events.FireInput(True))

    def settle(self) -> None:
        """Everybody goes, everything works, nothing waits."""
        for device in ("thermometer", "presence", "door-contact", "beam", "approach", "entry-reader", "?"):
            self.turn(events.DeviceChanged(device, "ok"))
        for event in (
            events.FireInput(False),
            events.DoorContact(False),
            events.Presence(True),
            events.Presence(False),
        ):
            self.turn(event)
        self.turn(events.Approach(False))
        self.turn(events.Approach(False, vehicle=True))
        for _ in range(2):
            self.the_journal_answers(fails=False)
            self.wait(130_000)

    def decisions(self) -> list[object]:
        """What becomes of the same people."""
        self.turn(events.SiteCount(0, 0))
        found: list[object] = []
        for verdict in (card("h-1"), card("h-2", PassType.TENANT), card("h-3", PassType.VISITOR)):
            before = len(self.gate.visits)
            self.turn(events.Presence(True))
            self.wait(600)
            self.reads(verdict, leaving=False, age_ms=0)
            self.measures(36.5, 24.0)
            self.the_journal_answers(fails=False)
            found.append((self.gate.released, self.gate.core.status().door))
            self.turn(events.Presence(False))
            self.wait(30_000)
            found += [(visit.outcome, visit.reasons, visit.mode) for visit in self.gate.visits[before:]]
        return found

    def teardown(self) -> None:
        if not self.boots:
            return
        self.settle()
        assert not self.gate.core.status().visiting, "a visit that does not end"
        self.it_is_the_same_again()
        state, now = self.gate.durable, self.gate.now
        as_it_was = self.decisions()
        self.boot(state, now)
        self.tokens = [1]  # of its start
        assert self.decisions() == as_it_was, "a restart decides otherwise"

    def it_is_the_same_again(self) -> None:
        """The same events at the same times have the same effects."""
        again: list[effects.Effect] = []
        boots = iter(self.boots)
        for event, now in self.told:
            if event is None:
                site, state, _ = boot = next(boots)
                gate = Gate(site, state=state, now=now, seed=self.boots.index(boot))
                again += gate.began
                gate.answers = False
            else:
                gate.now = now
                again += gate.send(event)
        assert again == self.brought


def _firm(state: dict[str, bytes], often: set[str]) -> dict[str, bytes]:
    """Without what goes on no record, as the count of an alarm that came very often."""
    return {key: value for key, value in state.items() if not key.startswith(WITHOUT_A_RECORD) and key not in often}


def _as_recorded(alarm: Alarm, recorded: Alarm) -> Alarm:
    """The same with the count, and the time of it, that are on record: beyond TOLD_EACH that is each doubling alone."""
    if alarm.count > TOLD_EACH and recorded.count <= alarm.count < 2 * recorded.count:
        return msgspec.structs.replace(alarm, count=recorded.count, last_ms=recorded.last_ms)
    return alarm


def test_whatever_happens() -> None:
    run_state_machine_as_test(
        AnyGate,
        settings=settings(
            max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
