"""The portal: grants, releases and the door, and who passes by whose leave. What follows from each goes onto the record.

Theory of operation. Entry is written before it is opened: a grant waits for its record, then everything that may have changed
meanwhile is looked at again. The way out and the guard's own release act at once and are recorded after. A crossing is held
against the leave that was given; one without leave is an alarm: *tailgating* right behind somebody who had leave, *refused and
passed* soon after somebody was refused, else *passed without grant*.
"""

from collections.abc import Callable, Mapping

from gateway.core import speech
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.attempt import Closed
from gateway.core.door import DoorMachine, DoorState
from gateway.core.effects import Priority
from gateway.core.equipment import Equipment
from gateway.core.findings import CLOSED_MANAGEMENT, FIRE, LOCKDOWN, SEALED
from gateway.core.grants import Grant, Grants
from gateway.core.latch import Latch
from gateway.core.mode import ModeMachine, Order
from gateway.core.moment import Moment
from gateway.core.outbox import Outbox
from gateway.core.passages import Passages
from gateway.core.passback import Passback
from gateway.core.phrases import Phrase
from gateway.core.policy import AntiPassback, JournalFailure, Mode, Policy, PortalKind
from gateway.core.refusals import Refusals
from gateway.core.tables import earliest, seconds
from sync.contract.alarms import AlarmKind
from sync.contract.colours import Lamp
from sync.contract.records import Body, Direction, Door, Passage, VisitOutcome

CREDENTIAL_NEEDED = "credential-needed"
REFUSED_MS = 15_000  # who passes within it of a refusal is taken for the one who was refused
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
_ORDERED_STATES = frozenset({DoorState.FREE, DoorState.LOCKED_DOWN, DoorState.FAULT})


class PortalDesk:
    """Moves the door. `went_in` is told when somebody with leave has gone in, `crossed` of every crossing."""

    def __init__(
        self,
        policy: Policy,
        has: Equipment,
        state: Mapping[str, bytes],
        *,
        mode: ModeMachine,
        desk: AlarmDesk,
        out: Outbox,
        went_in: Callable[[], None],
        crossed: Callable[[Direction, Moment], None],
    ) -> None:
        self._policy = policy
        self._has = has
        self._mode = mode
        self._desk = desk
        self._out = out
        self._went_in = went_in
        self._crossed = crossed
        self.door = DoorMachine(policy.portal)
        self.latch = Latch(policy.portal)
        self.passages = Passages(state, nets=policy.capacity.site_wide)
        self.passback = Passback(policy.portal, state)
        self.grants = Grants(policy.visit.commit_limit_s)
        self._refused_exits = Refusals("exit")
        self._beam_lost = not (has.has("beam") or has.has("beam-pair"))
        self._journal_fails = False
        self._refused_ms: int | None = None

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy
        self.door.adopt(policy.portal)
        self.latch.adopt(policy.portal)
        self.passback.adopt(policy.portal)
        self.passages.adopt(nets=policy.capacity.site_wide)
        self.grants.adopt(policy.visit.commit_limit_s)

    def lamp(self, *, busy: bool) -> Lamp:
        """What the lamp shows."""
        return LAMPS.get(self.door.state, Lamp.YELLOW if busy else Lamp.RED)

    def deadline(self) -> int | None:
        """When it wants to be asked again."""
        return earliest(
            self.door.deadline(), self.latch.deadline(), self.grants.deadline(), self._refused_exits.deadline()
        )

    def due(self, now: Moment) -> None:
        """Do what its deadline was for."""
        before, chirped = self.door.state, self.door.pre_alarm
        self.door.due(now.mono_ms)
        if self.door.pre_alarm and not chirped:
            self._out.say(Phrase.CLOSE_DOOR, Priority.PROMPT)
        self._moved(before, now, "time")
        for grant in self.grants.due(now.mono_ms):
            self._not_written(grant, now)
        for refused in self._refused_exits.due(now.mono_ms):
            self._out.record(refused)

    # write before you open

    def grant(self, closed: Closed, body: Body, now: Moment) -> None:
        """Let in, once the record is on disk."""
        self._refused_ms = None
        credential = closed.attempt.findings.credential
        extended = credential is not None and credential.extended
        portal = self._policy.portal
        grant = Grant(
            visit=closed.attempt.visit,
            release_ms=seconds(portal.release_s + (portal.extended_s if extended else 0)),
            celsius=speech.celsius(closed.attempt.findings),
            holder=closed.attempt.findings.holder,
            pass_type=None if credential is None else credential.pass_type,
        )
        if self._mode.order is Order.FREE:  # nothing to open; in a fire nobody is granted anything
            self._out.record(body)
            self._let_in(grant, now)
        else:
            before = self.door.state
            self.door.granted(now.mono_ms)
            self._out.record(body, self.grants.wait(grant, now.mono_ms))
            self._moved(before, now)

    def refused(self, now: Moment) -> None:
        """Somebody at the entry was refused, or is for the guard."""
        self._refused_ms = now.mono_ms

    def committed(self, token: int, now: Moment) -> None:
        """A record is on disk."""
        if not self._journal_fails:  # it was late, or failed in the last run; a failure ends with JournalWorks
            self._desk.over(AlarmKind.JOURNAL_FAILED)
        grant = self.grants.settle(token)
        if grant is None:
            return  # too late: it was settled without, or it was no grant
        if against := self._against_grant(grant, now):
            self._withdraw(grant, now, VisitOutcome.DENIED, against)
        else:
            self._let_in(grant, now)

    def _against_grant(self, grant: Grant, now: Moment) -> str:
        """What has come to speak against a grant while it was written; "" for nothing, and where nothing is to be opened."""
        if self._mode.fire:
            return FIRE
        if self._mode.order is Order.FREE:
            return ""
        if self._mode.order is Order.LOCKDOWN:
            return LOCKDOWN
        if self._mode.closed_to(grant.pass_type, self._policy.modes):
            return CLOSED_MANAGEMENT
        reason, denies = self.against(Direction.ENTRY, grant.holder, now)
        return reason if denies else ""

    def commit_failed(self, token: int, now: Moment) -> None:
        """A record could not be written."""
        self._journal_fails = True
        self._not_written(self.grants.settle(token), now)

    def journal_works(self) -> None:
        """It can again."""
        self._journal_fails = False
        self._desk.over(AlarmKind.JOURNAL_FAILED)

    def _let_in(self, grant: Grant, now: Moment) -> None:
        before = self.door.state
        self.door.committed(now.mono_ms, grant.release_ms)
        if (
            self._policy.portal.anti_passback is not AntiPassback.OFF
        ):  # a card handed back through the fence lets in one
            self.passages.take_back(Direction.ENTRY, grant.holder)
        self.passages.give(Direction.ENTRY, grant.visit, once=True, holder=grant.holder)
        self._out.add(speech.granted(grant.celsius))
        self._moved(before, now, visit=grant.visit)

    def _not_written(self, grant: Grant | None, now: Moment) -> None:
        self._desk.raise_(AlarmKind.JOURNAL_FAILED, now)
        if grant is None:
            return
        if against := self._against_grant(grant, now):
            self._withdraw(grant, now, VisitOutcome.DENIED, against)
        elif self._mode.order is Order.FREE:
            self._let_in(grant, now)
        elif self._policy.when_journal_fails is JournalFailure.OPEN:
            self._let_in(grant, now)
            self._record("journal-failed", visit=grant.visit)
        else:
            guard = self._policy.when_journal_fails is JournalFailure.GUARD
            self._withdraw(grant, now, VisitOutcome.REFERRED if guard else VisitOutcome.DENIED, "journal-failed")

    def _withdraw(self, grant: Grant, now: Moment, outcome: VisitOutcome, reason: str) -> None:
        """A grant that is (or will be) on record is not carried out: that goes on record too."""
        before = self.door.state
        self.door.withdrawn(now.mono_ms)
        self._out.show("decision", outcome=outcome.value, reason=reason)
        self._record(reason, visit=grant.visit)
        self._out.add(speech.withdrawn(reason))
        self._moved(before, now)

    # the way out, and the guard: at once, recorded after

    def exit_button(self, now: Moment) -> bool:
        """REX. Whether it lets out."""
        refused = "" if self._policy.portal.escape_route else self._against_exit
        if not refused:
            self.release(now, Direction.EXIT, "rex")
            self._out.say(Phrase.GOODBYE, Priority.CHIME)
            return True
        told = self._refused_exits.count(refused, now.mono_ms)
        if told is not None:
            self._out.record(told)
        self._out.say(Phrase.LOCKED_DOWN if refused in (LOCKDOWN, SEALED) else Phrase.SHOW_PASS, Priority.REFUSAL)
        return False

    def flee(self, now_ms: int) -> None:
        """The exit button, and the door alone: where all else fails."""
        if self._policy.portal.escape_route or not self._against_exit:
            self.door.release(now_ms, seconds(self._policy.portal.release_s))

    @property
    def _against_exit(self) -> str:
        """What speaks against letting out whoever presses the button, where nobody has to flee."""
        match self._mode.order:
            case Order.FREE:
                return ""
            case Order.LOCKDOWN:
                return LOCKDOWN
        if self._policy.portal.kind is PortalKind.SEALED:
            return SEALED
        return CREDENTIAL_NEEDED if self._asks_on_exit else ""

    @property
    def _asks_on_exit(self) -> bool:
        return self._policy.portal.exit_needs_credential and self._mode.mode is not Mode.FREE_EXIT

    def let_out(self, now: Moment, visit: str, holder: str, said: Phrase = Phrase.GOODBYE) -> None:
        """Whose credential was good for the way out."""
        before = self.door.state
        self.door.release(now.mono_ms, seconds(self._policy.portal.release_s))
        self.passages.give(Direction.EXIT, visit, once=True, holder=holder)
        self._out.say(said, Priority.CHIME)
        self._moved(before, now)

    def release(self, now: Moment, direction: Direction, cause: str, by: str = "", note: str = "") -> None:
        """Release at once."""
        before = self.door.state
        self.door.release(now.mono_ms, seconds(self._policy.portal.release_s))
        self.passages.give(direction, once=False)
        if self.door.state is not before or by:  # a button held down is one release that lasts
            self._record(cause, by=by, note=note)
        self._moved(before, now)

    def order(self, now: Moment, cause: str) -> None:
        """What the mode or the fire input orders."""
        before = self.door.state
        self.door.order(now.mono_ms, self._mode.order)
        if self._mode.fire and cause == "fire":
            self.passages.give(Direction.EXIT, once=False)  # whom a single beam sees now is on the way out
        self._moved(before, now, cause)

    # the door

    def contact(self, now: Moment, *, is_open: bool) -> None:
        """The leaf opened or closed."""
        before = self.door.state
        self.door.contact(now.mono_ms, is_open=is_open)
        self._moved(before, now, "contact")
        if not is_open:
            self._desk.over(AlarmKind.DOOR_FORCED)
            self._desk.over(AlarmKind.DOOR_HELD_OPEN)

    def contact_lost(self, now: Moment, *, lost: bool, told: bool = True) -> None:
        """Nobody knows whether it is open, or somebody does again. `told`: whether that is worth a record."""
        before = self.door.state
        self.door.contact_lost(now.mono_ms, lost=lost)
        self._moved(before, now, "device" if told else "")

    def look_at_latch(self, now: Moment) -> None:
        """Whether the lock holds the door, after whatever may have changed that."""
        news = self.latch.look(now.mono_ms, should_hold=self.door.should_hold)
        if news is not None:
            self._desk.lasting(AlarmKind.UNLATCHED, now, active=news)

    def beam_lost(self, *, lost: bool) -> None:
        """The beam's device is lost, or back: meanwhile the door alone tells who passes."""
        self._beam_lost = lost

    def _moved(self, before: DoorState, now: Moment, cause: str = "", *, visit: str = "") -> None:
        """What follows from a change of the door. With a `cause`, ordered states and faults go on record by it; `visit`:
        whose grant moved it."""
        state = self.door.state
        if state is before:
            return
        self._out.show("door", state=state.value, visit=visit)
        if cause and not _ORDERED_STATES.isdisjoint((before, state)):
            self._record(cause)
        if state is DoorState.FORCED:
            self._desk.raise_(AlarmKind.DOOR_FORCED, now)
        elif state is DoorState.HELD_OPEN:
            self._desk.raise_(AlarmKind.DOOR_HELD_OPEN, now)
        elif state is DoorState.OPEN and self.passages.expected and self._beam_lost:
            self.crossing(None, now)  # nothing but the door sees who passes
        if self.door.at_rest:
            self.passages.end(now.mono_ms)

    def _record(self, cause: str, *, visit: str = "", by: str = "", note: str = "") -> None:
        self._out.record(
            Door(
                portal=self._policy.portal.name,
                state=self.door.state.value,
                cause=cause,
                visit=visit,
                by=by,
                note=note,
            )
        )

    # who passes

    @property
    def inside_soon(self) -> int:
        """How many are inside when all who were let in have passed. Where the door is free nobody waits for it."""
        coming = 0 if self._mode.order is Order.FREE else self.passages.coming
        return self.passages.inside + coming + self.grants.waiting

    def crossing(self, direction: Direction | None, now: Moment) -> None:
        """The beam was crossed."""
        crossed = self.passages.crossing(direction, now.mono_ms)
        if crossed is None:
            return
        self.passback.passed(crossed.direction, crossed.holder, now)
        self._out.record(
            Passage(
                portal=self._policy.portal.name,
                direction=crossed.direction,
                visit=crossed.visit,
                inside=self.passages.inside,
            )
        )
        if crossed.granted:
            self._passed(crossed.direction, now)
        elif not self._is_free(direction):
            self._desk.raise_(self._trespass(now, behind=crossed.behind), now)
        self._crossed(crossed.direction, now)

    def _is_free(self, direction: Direction | None) -> bool:
        """Whether nobody needs leave to pass this way."""
        sealed = self._policy.portal.kind is PortalKind.SEALED
        return self._mode.order is Order.FREE or (direction is Direction.EXIT and not self._asks_on_exit and not sealed)

    def _trespass(self, now: Moment, *, behind: bool) -> AlarmKind:
        if self._refused_ms is not None and now.mono_ms - self._refused_ms <= REFUSED_MS:
            return AlarmKind.REFUSED_PASSED
        return AlarmKind.TAILGATING if behind else AlarmKind.PASSED_WITHOUT_GRANT

    def _passed(self, direction: Direction, now: Moment) -> None:
        if direction is Direction.ENTRY:
            self._went_in()
        if not self.passages.expected:
            before = self.door.state
            self.door.passed(now.mono_ms)
            self._moved(before, now)

    def against(self, direction: Direction, holder: str, now: Moment) -> tuple[str, bool]:
        """What anti-passback has against this holder ("" for nothing), and whether it denies."""
        reason = self.passback.against(direction, holder, now)
        portal = self._policy.portal
        flees = direction is Direction.EXIT and (portal.escape_route or self._mode.fire)
        return reason, bool(reason) and portal.anti_passback is not AntiPassback.SOFT and not flees
