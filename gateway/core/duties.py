"""The guard's duties and what he relies on: his shift, the presence check, the timetable's rounds, the roads to office and post.

Theory of operation. Once a minute by the wall clock, and whenever that steps, it is looked at what the time has brought. Each of the
machines says what follows; here it goes onto the record, is said and becomes an alarm.
"""

from collections.abc import Mapping

from gateway.core import durable
from gateway.core.alarm_desk import AlarmDesk
from gateway.core.effects import Priority
from gateway.core.moment import Moment
from gateway.core.outbox import Outbox
from gateway.core.phrases import Phrase
from gateway.core.policy import Due, Policy
from gateway.core.rounds import RoundInput, Rounds, Turn
from gateway.core.tables import earliest
from gateway.core.watch import Watch
from sync.contract.alarms import AlarmKind
from sync.contract.records import Round, Shift, ShiftAction

MINUTE_MS = 60_000
OFFICE, POST = "office", "post"
_SAID: Mapping[Due, Phrase] = {
    Due.DISINFECTION: Phrase.DISINFECTION_DUE,
    Due.ANNOUNCEMENT: Phrase.ANNOUNCEMENT_DUE,
}
_KEY = "shift"


class Duties:
    """Looks after them. `guard`: whose shift it is, "" when nobody has begun one."""

    def __init__(self, policy: Policy, state: Mapping[str, bytes], *, desk: AlarmDesk, out: Outbox) -> None:
        self._policy = policy
        self._desk = desk
        self._out = out
        self.guard = durable.read(state, _KEY, str, "")
        self.rounds = Rounds(policy, state)
        self.watch = Watch(policy)
        self.office = False  # whether it is heard
        self._unheard_ms: int | None = None  # since when nothing is heard of the office

    def adopt(self, policy: Policy) -> None:
        """Go by this from now on."""
        self._policy = policy
        self.rounds.adopt(policy)
        self.watch.adopt(policy)
        self._forget_rounds()

    def start(self, now_ms: int) -> None:
        """The gate starts: as if the guard had been heard just now."""
        self.watch.start(now_ms)
        self._forget_rounds()
        for name in self._policy.rounds.keys() - self.rounds.waiting.keys():
            self._desk.over(AlarmKind.ROUND_MISSED, name)  # done in the last run, and only not acknowledged there

    # time

    def deadline(self) -> int | None:
        """When it wants to be asked again, but for the minutes."""
        return earliest(self.watch.deadline(), self._offline_at())

    def due(self, now: Moment) -> None:
        """Do what its deadline was for."""
        if self.watch.due(now.mono_ms):
            self._out.record(Shift(action=ShiftAction.ABSENT, by=self.guard))
            self._desk.over(AlarmKind.PRESENCE_CHECK)
            self._desk.raise_(AlarmKind.GUARD_ABSENT, now)
        offline_at = self._offline_at()
        if offline_at is not None and now.mono_ms >= offline_at:
            self._unheard_ms = None
            self._desk.raise_(AlarmKind.NETWORK, now)

    @property
    def timed(self) -> bool:
        """Whether the minutes bring anything."""
        return bool(self._policy.rounds or self._policy.watch.every_min)

    def minute(self, now: Moment) -> None:
        """A minute has begun."""
        for turn in self.rounds.look(now):
            self._turn(turn, "", now)
        if self.watch.look(now):
            self._desk.raise_(AlarmKind.PRESENCE_CHECK, now)

    # the guard

    def sign_of_life(self, by: str, now: Moment) -> None:
        """A guard has done something."""
        if self.watch.sign(now.mono_ms):
            self._out.record(Shift(action=ShiftAction.PRESENT, by=by))
        self._desk.over(AlarmKind.PRESENCE_CHECK)
        self._desk.over(AlarmKind.GUARD_ABSENT)  # also one from before a restart

    def shift(self, action: ShiftAction, by: str, to: str, note: str) -> None:
        """A guard begins, hands over or ends his shift."""
        match action:
            case ShiftAction.BEGUN:
                self.guard = by
            case ShiftAction.HANDED_OVER:
                self.guard = to
            case ShiftAction.ENDED:
                self.guard = ""
            case _:
                return  # presence is what the gate says, not the guard
        self._out.record(Shift(action=action, by=by, to=to, note=note))

    # rounds

    def confirm(self, name: str, by: str, now: Moment) -> None:
        """Somebody has done what was due."""
        turn = self.rounds.confirm(name)
        if turn is not None:
            self._turn(turn, by, now)

    def card(self, holder: str, now: Moment) -> bool:
        """A card was shown: whether it is the one that confirms."""
        names = self.rounds.confirmed_by(holder)
        for name in names:
            self.confirm(name, holder, now)
        if names:
            self._out.say(Phrase.ROUND_DONE, Priority.PROMPT)
        return bool(names)

    def _turn(self, turn: Turn, by: str, now: Moment) -> None:
        self._out.show("round", round=turn.name, due=turn.policy.what.value, given=turn.given.value)
        if turn.given is RoundInput.TIME:
            self._out.say(_SAID[turn.policy.what], Priority.CHIME)
            self._desk.over(AlarmKind.ROUND_MISSED, turn.name)  # of the time before
            return
        done = turn.given is RoundInput.CONFIRMED
        outcome = "done" if done else "missed"
        what = turn.policy.what.value
        self._out.record(Round(round=turn.name, what=what, due_ms=turn.due_ms, outcome=outcome, by=by))
        self._desk.lasting(AlarmKind.ROUND_MISSED, now, turn.name, active=not done)

    def _forget_rounds(self) -> None:
        """Nobody can confirm any more what the timetable does not have."""
        for name in self.rounds.forget():
            self._desk.over(AlarmKind.ROUND_MISSED, name)

    # the roads

    def heard(self, who: str, now: Moment, *, heard: bool) -> None:
        """Whether the office, or the post, is heard."""
        if who == POST:
            self._desk.lasting(AlarmKind.POST_LOST, now, active=not heard and self._policy.alarms.post)
        elif heard:
            self.office, self._unheard_ms = True, None
            self._desk.over(AlarmKind.NETWORK)
        else:
            self.office = False
            self._unheard_ms = now.mono_ms if self._unheard_ms is None else self._unheard_ms

    def _offline_at(self) -> int | None:
        limit_min = self._policy.alarms.offline_after_min
        return self._unheard_ms + limit_min * MINUTE_MS if limit_min and self._unheard_ms is not None else None

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return self.rounds.durable() | ({_KEY: durable.encode(self.guard)} if self.guard else {})
