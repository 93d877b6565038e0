"""One open alarm, and what of it outlives a restart: above all, for how long nobody has answered it.

Theory of operation. An alarm's times run on the monotonic clock, which belongs to one boot; whoever knows one moment of a boot knows
all of it. So with each alarm is kept at which moment of which boot its times began, and, once a clock that is trusted has told
it, at which Unix time. After a restart within the same boot the first is exact. In another boot the second is, as soon as that
boot's clock is trusted, too: the time without power counts, as nobody answered then either. Until then, or where no clock ever told,
only that is believed which the level proves: an alarm that has come to the duty room has waited that long. So no level is
ever lost, and none is reached by a clock that may be wrong.
"""

from dataclasses import dataclass

from gateway.core import durable
from gateway.core.alarm_rules import RULES, TABLES, AlarmInput, AlarmState, Life, Rule, rises_to
from gateway.core.effects import Tone
from gateway.core.moment import Moment
from gateway.core.policy import AlarmPolicy
from gateway.core.tables import after, seconds
from sync.contract.alarms import Alarm, Level


class Kept(Alarm, frozen=True, kw_only=True, omit_defaults=True):
    """An open alarm in the durable state. `over`: what it is about is over; `boot`, `begun_mono_ms`: from which moment of which boot
    its times count, and `begun_ms`: the same in Unix milliseconds, 0 while no clock that is trusted has told it."""

    over: bool = False
    boot: str = ""
    begun_mono_ms: int = 0
    begun_ms: int = 0


def levels(policy: AlarmPolicy) -> tuple[tuple[int, Level], ...]:
    """After how many ms an alarm that nobody acknowledges rises to which level, by this policy."""
    every = (
        (policy.louder_after_s, Level.LOUDER),
        (policy.duty_room_after_s, Level.DUTY_ROOM),
        (policy.leader_after_s, Level.LEADER),
    )
    return tuple((seconds(after_s), level) for after_s, level in every if after_s)


@dataclass(slots=True)
class OpenAlarm:
    """`last_ms`: when it was raised last; `begun_ms`: from when its times count, on the monotonic clock; `at_ms`: the same in Unix
    milliseconds, 0 while that is not known; `doubtful`: `begun_ms` is no more than what its level proves; `flaps`: it came again too often
    within its window to be one of its own each time; `what`: what made it over the last time."""

    alarm: Alarm
    state: AlarmState
    last_ms: int
    begun_ms: int
    at_ms: int = 0
    doubtful: bool = False
    flaps: bool = False
    silenced: bool = False
    what: str = ""

    @classmethod
    def of(cls, kept: Kept) -> "OpenAlarm":
        """One from before a restart. What lasted then is taken to last, and what was over to be over, until its sensor says otherwise."""
        state = AlarmState.ENDED if kept.over else AlarmState.RAISED
        state = AlarmState.ACKNOWLEDGED if kept.acknowledged else state
        alarm = Alarm(**{name: getattr(kept, name) for name in Alarm.__struct_fields__})
        flaps = kept.over and RULES[kept.kind].life is Life.LASTING
        return cls(alarm, state, 0, kept.begun_mono_ms, kept.begun_ms, flaps=flaps)

    def kept(self, boot: str) -> bytes:
        """As the durable state has it."""
        return durable.encode(
            Kept(
                **{name: getattr(self.alarm, name) for name in Alarm.__struct_fields__},
                over=self.is_over,
                boot=boot,
                begun_mono_ms=self.begun_ms,
                begun_ms=self.at_ms,
            )
        )

    # time

    def go_on(self, now: Moment, policy: AlarmPolicy, *, same_boot: bool) -> None:
        """The gate starts: its window begins anew, and its levels' times go on."""
        self.last_ms = now.mono_ms
        if not same_boot:
            proven = [ms for ms, level in levels(policy) if level <= self.alarm.level]
            self.begun_ms, self.doubtful = now.mono_ms - max(proven, default=0), True
        self.clock(now)

    def clock(self, now: Moment) -> None:
        """What the wall clock says has changed, or is trusted from now on."""
        if not now.trusted:
            return
        if self.doubtful and self.at_ms:
            self.begun_ms = min(self.begun_ms, now.mono_ms - max(0, now.at_ms - self.at_ms))
        self.doubtful = False
        self.at_ms = now.at_ms - (now.mono_ms - self.begun_ms)

    def anew(self, now: Moment) -> None:
        """Its times count from now on."""
        self.begun_ms, self.doubtful = now.mono_ms, False
        self.at_ms = now.at_ms if now.trusted else 0

    def levels_above(self, policy: AlarmPolicy) -> list[tuple[int, Level]]:
        """After how many ms it rises to which level; none where nobody has to answer it, or it has come as far as its kind goes."""
        if self.answered or (self.is_over and self.rule.life is Life.LASTING):
            return []
        most = rises_to(self.alarm.kind, self.alarm.detail)
        return [(after_ms, level) for after_ms, level in levels(policy) if self.alarm.level < level <= most]

    # what it comes to

    def moves(self, given: AlarmInput) -> bool:
        """Whether this changes anything."""
        return given in TABLES[self.rule.life][self.state]

    def move(self, given: AlarmInput) -> None:
        """Change its state."""
        self.state = after(TABLES[self.rule.life], self.state, given)

    @property
    def rule(self) -> Rule:
        """How its kind behaves."""
        return RULES[self.alarm.kind]

    @property
    def is_over(self) -> bool:
        """Whether what it is about is over."""
        return self.state is AlarmState.ENDED

    @property
    def answered(self) -> bool:
        """Whether somebody has acknowledged it."""
        return self.state is AlarmState.ACKNOWLEDGED

    @property
    def tone(self) -> Tone | None:
        """What sounds for it. People flee from a fire that is, and are not called to one that was."""
        if self.is_over and (self.rule.tone is Tone.EVACUATION or self.rule.life is Life.LASTING):
            return None
        if self.rule.tone is Tone.EVACUATION:
            return self.rule.tone
        return None if self.answered or self.silenced else self.rule.tone

    @property
    def has_risen(self) -> bool:
        """Whether it has waited so long that it is more than the gate's, and still waits."""
        waits = not self.answered and not (self.is_over and self.rule.life is Life.LASTING)
        return waits and self.alarm.level > Level.GATE
