"""The checkpoint: routes events to the machines and what they tell to the shell. Each rule stands in its machine.

Nothing here blocks or asks for the time. Every turn ends in the same way: what is switched, the lock first; then what
happened, in order; then, where it changed, that the state is to be told.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from gateway.core import events
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.alarms import AlarmBook
from gateway.core.duties import MINUTE_MS, Duties
from gateway.core.effects import Effect, Say, SetVolume, StateChanged, Tone
from gateway.core.equipment import Equipment
from gateway.core.ledger import Ledger, Part
from gateway.core.mode import ModeMachine
from gateway.core.moment import Moment
from gateway.core.ordering import MAX_NOTE, MAX_WORD, OrderDesk
from gateway.core.outbox import Outbox
from gateway.core.panel import Panel
from gateway.core.phrases import Phrase
from gateway.core.policy import Policy
from gateway.core.portal import PortalDesk
from gateway.core.reception import Reception
from gateway.core.status import Status
from gateway.core.tables import earliest
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp
from sync.contract.records import ClockChange, Device, Direction, Started

__all__ = ["Checkpoint", "Status"]

BIG_STEP_MS = 60_000  # a wall clock that jumps this far is an alarm
PAGE = "page"  # the detail of its lock-out, which is none of the readers
NOTES = frozenset({"instruction", "done"})
DEVICE_STATES = frozenset({"ok", "stale", "lost"})


class Checkpoint:
    """Decides. `ids` gives 32 random hexadecimal digits; `state` is the durable state as the journal gives it back; `boot`: the id of
    this boot, "" where that is not known.

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
        boot: str = "",
    ) -> None:
        state = {} if state is None else state
        self._policy = policy
        self._has = Equipment() if has is None else has
        self._policy_version = policy_version
        self._version = version
        parts: list[Part] = []
        self._ledger = Ledger(parts)
        self._out = Outbox(self._ledger)
        self._alarms = AlarmBook(policy.portal.name, ids, state, policy.alarms, boot)
        self._desk = AlarmDesk(self._alarms, self._out)
        self._mode = ModeMachine(state)
        self._duties = Duties(policy, state, desk=self._desk, out=self._out)
        self._portal = PortalDesk(
            policy, self._has, state, mode=self._mode, desk=self._desk, out=self._out,
            went_in=self._went_in, crossed=self._crossed,
        )  # fmt: skip
        self._orders = OrderDesk(
            policy, self._has, state, mode=self._mode, portal=self._portal, alarms=self._alarms,
            desk=self._desk, out=self._out, ordered=self._ordered,
        )  # fmt: skip
        self._reception = Reception(
            policy, self._has, state, ids=ids, mode=self._mode, portal=self._portal, orders=self._orders,
            duties=self._duties, desk=self._desk, out=self._out, sounding=lambda: self._alarms.tones,
            policy_version=policy_version,
        )  # fmt: skip
        parts += (
            self._mode.durable, self._portal.passages.durable, self._portal.passback.durable, *self._reception.durables,
            self._alarms.durable, self._orders.durable, self._duties.durable,
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
        self._news = self._alarms.news

    # what the shell calls

    def start(self, now: Moment) -> tuple[Effect, ...]:
        """The door at rest, before everything else; then what the last run left, and what holds by order."""
        at_rest = self._panel.changes(released=False, lamp=Lamp.RED, tones=frozenset())
        self._alarms.start(now)
        self._reception.start(now)
        self._duties.start(now.mono_ms)
        self._out.record(
            Started(version=self._version, config_sha256=self._policy_version), self._portal.grants.token()
        )
        self._desk.forget(self._has, locked_out=self._reception.locked_out)
        self._reception.begin(now)
        self._portal.order(now, "start")
        self._minute(now)
        self._out.show("door", state=self._portal.door.state.value)
        self._deadline = self._wanted_at()
        return at_rest + self._finish(now)

    def handle(self, event: events.Event, now: Moment) -> tuple[Effect, ...]:
        """What to do about everything that is due by now, about the event, and about what is due because of it."""
        self._due(now)
        if self._missed is not None:
            self._route(self._missed, now)
            self._missed = None  # and not before: it may fail again
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
            self._reception.deadline(),
            self._portal.deadline(),
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
                self._reception.presence(now, present=present)
            case events.CredentialResolved():
                self._reception.credential(event, now)
            case events.TemperatureMeasured():
                self._reception.temperature(event, now)
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
                self._reception.approach(now, active=active, vehicle=vehicle)
            case events.TooClose(active):
                self._reception.too_close(now, active=active)
            case events.CodeUnread():
                self._reception.unread(event, now)
            case events.ExitRequested():
                let_out = self._portal.exit_button(now)
                self._reception.exit_button(now, let_out=let_out)
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
                self._desk.answered(AlarmKind.NIGHT_ARRIVAL, by[:MAX_WORD])
                self._portal.release(now, Direction.ENTRY, "guard", by=by[:MAX_WORD], note=reason[:MAX_NOTE])
            case events.Registered(reference, by, instead, visit):
                done = events.Registered(reference[:MAX_WORD], by[:MAX_WORD], instead, visit[:MAX_WORD])
                self._reception.registered(done, now)
            case events.VehicleNoted(plate, by, delivery):
                self._reception.vehicle(plate[:MAX_WORD], by[:MAX_WORD], now, delivery=delivery)
            case events.ModeOrdered(mode, by, drill):
                self._orders.mode(mode, by[:MAX_WORD], now, drill=drill)
            case events.CountCorrected(inside, by):
                self._orders.count(inside, by[:MAX_WORD])
                self._reception.count_people(now)
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
                self._reception.count_people(now)
            case events.SiteCount():
                self._reception.told_elsewhere(event, now)
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
                self._alarms.clock(now)
                self._out.record(ClockChange(step_ms=step_ms, trusted=trusted))
                if abs(step_ms) >= BIG_STEP_MS:
                    self._desk.raise_(AlarmKind.CLOCK, now)
                self._minute(now)
            case events.JournalReplaced():
                self._desk.raise_(AlarmKind.JOURNAL_REPLACED, now)

    def _went_in(self) -> None:
        self._reception.went_in()

    def _crossed(self, direction: Direction, now: Moment) -> None:
        self._reception.crossed(direction, now)

    def _ordered(self, now: Moment) -> None:
        self._reception.ordered(now)

    # time

    def _due(self, now: Moment) -> None:
        while self._deadline is not None and self._deadline <= now.mono_ms:
            self._reception.due(now)
            self._portal.due(now)
            self._portal.look_at_latch(now)
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
        if self._next_policy is None or self._reception.deciding:
            return
        policy, self._policy_version = self._next_policy.policy, self._next_policy.version
        self._next_policy = None
        self._policy = policy
        for machine in (self._portal, self._orders, self._duties):
            machine.adopt(policy)
        self._reception.adopt(policy, self._policy_version)
        self._alarms.adopt(policy.alarms)
        self._reception.count_people(now)
        self._minute(now)
        self._deadline = self._wanted_at()

    # the end of every turn

    def _finish(self, now: Moment) -> tuple[Effect, ...]:
        door = self._portal.door
        tones = self._alarms.tones | ({Tone.PRE_ALARM} if door.pre_alarm else frozenset())
        lamp = self._portal.lamp(busy=self._reception.busy)
        switched = self._panel.changes(
            released=door.lock_released, lamp=lamp, tones=tones, loud=self._alarms.loud, alarm_lamp=self._alarms.lamp
        )
        happened = self._out.take()
        if self._mode.fire:  # nothing is said but to leave
            happened = tuple(each for each in happened if not isinstance(each, Say) or each.phrase == Phrase.FIRE)
        if any(isinstance(effect, Say) for effect in happened):
            switched += self._set_volume(now)
        before, self._status = self._status, self._stands()
        news, self._news = self._news, self._alarms.news
        return switched + happened + ((StateChanged(),) if self._is_told(before, news) else ())

    def _is_told(self, before: Status, news: int) -> bool:
        """Whether the state is to be told at once: not for an alarm that comes and goes all the time, which the next one has anyway."""
        if before == self._status:
            return False
        alike = replace(
            before, alarms=self._status.alarms, ended=self._status.ended, devices_lost=self._status.devices_lost
        )
        return news != self._news or alike != self._status

    def _set_volume(self, now: Moment) -> tuple[Effect, ...]:
        before, self._volume = self._volume, self._reception.volume(now)
        return () if self._volume == before else (SetVolume(self._volume),)

    def _stands(self) -> Status:
        """The status, made anew when something of it has changed: most turns change nothing of it."""
        stands = (
            self._mode.mode, self._portal.door.state, self._portal.passages.inside, self._alarms.open,
            self._alarms.ended, self._orders.commanded.answers, self._mode.drill, self._orders.drill.stages, self._duties.guard,
            self._duties.rounds.waiting, self._duties.office, self._reception.visiting, self._reception.vehicle_waits,
            self._reception.visit,
        )  # fmt: skip
        if stands == self._stood:
            return self._status
        self._stood = stands
        return Status(
            mode=self._mode.mode.value,
            door=self._portal.door.state.value,
            inside=self._portal.passages.inside,
            devices_lost=tuple(
                alarm.detail
                for alarm in self._alarms.open
                if alarm.kind is AlarmKind.DEVICE_LOST and alarm.id not in self._alarms.ended
            ),
            alarms=self._alarms.open,
            commands=self._orders.commanded.answers,
            drill=self._mode.drill,
            drill_stages=self._orders.drill.stages,
            guard=self._duties.guard,
            office=self._duties.office,
            ended=self._alarms.ended,
            rounds=self._duties.rounds.waiting,
            visiting=self._reception.visiting,
            vehicle=self._reception.vehicle_waits,
            visit=self._reception.visit,
        )

    # devices

    def _on_device(self, event: events.DeviceChanged, now: Moment) -> None:
        if event.state not in DEVICE_STATES:
            return
        device, lost = event.device[:MAX_WORD], event.state != "ok"
        told = self._desk.lasting(AlarmKind.DEVICE_LOST, now, device, active=lost)
        if told:
            self._out.record(Device(device=device, state=event.state, detail=event.detail[:MAX_NOTE]))
        self._use_lost(self._has.use_of(device), now, lost=lost, told=told)

    def _use_lost(self, use: str, now: Moment, *, lost: bool, told: bool) -> None:
        match use:
            case "thermometer":
                self._reception.thermometer_lost(now, lost=lost)
            case "presence":
                self._reception.presence_lost(now, lost=lost)
            case "approach" | "vehicle":
                self._reception.approach_lost(now, vehicle=use == "vehicle")
            case "door-contact":
                self._portal.contact_lost(now, lost=lost, told=told)
            case "latch":
                self._portal.latch.lost()  # where it is back, its level follows
            case "beam" | "beam-pair":
                self._portal.beam_lost(lost=lost)
