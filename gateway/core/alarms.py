"""The open alarms: raised, repeated, acknowledged, cleared.

Theory of operation. There are three lives. What happened in a moment (a call, a fever) is open until somebody acknowledges
it. What lasts (a device lost) is cleared when it is over, acknowledged or not. What lasts and has to be looked at
even so (a forced door that was shut again, a fire) is `ended` when it is over, and cleared when it is acknowledged too.
Acknowledging stops the sound and is not clearing. The fire's evacuation tone is no call for the guard: it lasts as long as
the fire does. After a restart a fire that was burning when last heard of is taken to burn until its input says otherwise; one that was
over is not sounded anew, and waits for its answer: the input is read as the gate starts, a cut wire reads as fire, and the contact in
the lock's own supply needs no gate.

Equal alarms (kind and detail) are one: what lasts is not raised twice, and what happens again within the kind's window, or
while the last was over and is not yet acknowledged, is a repetition that is counted. What lasts and comes and goes is one, too, from
the time on that it has come more than `MOST_APART` times, each within the window of the one before: it is then `ended` when it is over, without a
sound, until somebody acknowledges it or it has not come for its window. At most `MOST_EQUAL` moments of one
kind stand open side by side, so that a night without a guard does not fill the state message. A loose wire or a button that somebody plays
with fills no journal either: of repetitions within the window of the one before, after `TOLD_EACH` each doubling of their number is told,
and the number itself, with the time of the last, whenever else something becomes of the alarm.

An alarm that nobody acknowledges rises, level by level, at the times of the policy: louder, the duty room, the leader on shift;
also one that makes no sound, for most of these tell of something broken (`alarm_rules.RISES_TO` has those that are no more than notices,
and how far they go). Then the alarm lamp is on, and what sounds is louder. A restart takes nothing from these times
(`open_alarm`). Stopping the siren acknowledges nothing, and lasts until the alarm is raised again or rises.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from gateway.core import durable
from gateway.core.alarm_rules import RULES, AlarmInput, AlarmState, Life
from gateway.core.effects import Tone
from gateway.core.moment import Moment
from gateway.core.open_alarm import Kept, OpenAlarm
from gateway.core.policy import AlarmPolicy
from gateway.core.tables import earliest, seconds
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind

MOST_EQUAL = 8
MOST_APART = 3
TOLD_EACH = 16
KNOWN_CLOSED = 64  # alarms that are over, and may still be noted about
MOST_LATELY = 64  # kinds and details of which it is known when they came last
_PREFIX = "alarm/"


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to an alarm."""

    action: AlarmAction
    alarm: Alarm
    by: str = ""
    note: str = ""
    what: str = ""


class _Standing(NamedTuple):
    """What all open alarms come to: worked out when one has changed, and asked every turn."""

    open: tuple[Alarm, ...]
    ended: tuple[str, ...]
    tones: frozenset[Tone]
    loud: bool
    lamp: bool
    deadline: int | None
    durable: dict[str, bytes]


class AlarmBook:
    """All open alarms of a portal. `ids` gives 32 random hexadecimal digits; `boot`: the id of this boot, "" where that is not known.
    `news` grows with everything that is to be told of them."""

    def __init__(
        self, portal: str, ids: Callable[[], str], state: Mapping[str, bytes], policy: AlarmPolicy, boot: str = ""
    ) -> None:
        self._portal = portal
        self._policy = policy
        self._ids = ids
        self._boot = boot
        kept = [durable.decode(key, value, Kept) for key, value in state.items() if key.startswith(_PREFIX)]
        kept.sort(key=lambda each: (each.since_ms, each.id))
        self._boots = {each.id: each.boot for each in kept}
        self._closed: deque[Alarm] = deque(maxlen=KNOWN_CLOSED)
        self._open = [OpenAlarm.of(each) for each in kept]
        self._lately: dict[tuple[AlarmKind, str], tuple[int, int]] = {}  # what lasts: raised last, and how often lately
        self._known: _Standing | None = None  # None: something has changed
        self.news = 0

    def adopt(self, policy: AlarmPolicy) -> None:
        """Go by this from now on."""
        self._policy, self._known = policy, None

    def start(self, now: Moment) -> None:
        """Alarms from before a restart go on."""
        self._known = None
        for entry in self._open:
            boot = self._boots[entry.alarm.id]
            entry.go_on(now, self._policy, same_boot=bool(boot) and boot == self._boot)

    def clock(self, now: Moment) -> None:
        """The wall clock has stepped, or is trusted from now on."""
        self._known = None
        for entry in self._open:
            entry.clock(now)

    # what happens

    def raise_(self, kind: AlarmKind, now: Moment, detail: str = "") -> News | None:
        """Raise an alarm; None when it stands already, or when that is not worth telling."""
        self._known = None
        equal = [entry for entry in self._open if (entry.alarm.kind, entry.alarm.detail) == (kind, detail)]
        if equal and not self._is_new(equal, now.mono_ms):
            return self._again(equal[-1], now)
        level = RULES[kind].level
        alarm = Alarm(id=self._ids(), kind=kind, portal=self._portal, since_ms=now.at_ms, detail=detail, level=level)
        entry = OpenAlarm(
            alarm, AlarmState.RAISED, now.mono_ms, now.mono_ms, flaps=self._flaps(kind, detail, now.mono_ms)
        )
        entry.anew(now)
        self._open.append(entry)
        return self._told(AlarmAction.RAISED, alarm)

    def over(self, kind: AlarmKind, detail: str = "", what: str = "") -> News | None:
        """What lasted is over, and `what` made it so; None when it stands no more, or when that is not worth telling."""
        entry = self._find(kind, detail)
        if entry is None:
            return None
        given = AlarmInput.FLAPS if entry.flaps else AlarmInput.OVER
        if not entry.moves(given):
            return None
        self._move(entry, given)
        entry.what = what
        if entry.is_over:
            return self._told(AlarmAction.ENDED, entry.alarm) if _each_is_told(entry.alarm.count) else None
        return self._told(AlarmAction.CLEARED, entry.alarm, what=what) if entry.state is AlarmState.CLEARED else None

    def acknowledge(self, alarm: str, by: str, note: str = "") -> News | None:
        """Acknowledge one alarm by its id; None when there was nothing to acknowledge."""
        entry = next((entry for entry in self._open if entry.alarm.id == alarm), None)
        if entry is None or not entry.moves(AlarmInput.ACKNOWLEDGE):
            return None
        entry.alarm = msgspec.structs.replace(entry.alarm, acknowledged=True, acknowledged_by=by)
        self._lately.pop((entry.alarm.kind, entry.alarm.detail), None)
        self._move(entry, AlarmInput.ACKNOWLEDGE)
        cleared = entry.state is AlarmState.CLEARED
        return self._told(AlarmAction.CLEARED if cleared else AlarmAction.ACKNOWLEDGED, entry.alarm, by, note)

    def silence(self, by: str) -> list[News]:
        """Stop the noise, which acknowledges nothing: what was stopped. An evacuation goes on."""
        self._known = None
        loud = [entry for entry in self._open if entry.tone not in (None, Tone.EVACUATION)]
        for entry in loud:
            entry.silenced = True
        return [self._told(AlarmAction.SILENCED, entry.alarm, by) for entry in loud]

    def noted(self, alarm: str, by: str, what: str, note: str) -> News | None:
        """What was instructed or done about an alarm that is open, or was lately; None when there is none with this id."""
        known = next((each for each in (*self.open, *self._closed) if each.id == alarm), None)
        return None if known is None else self._told(AlarmAction.NOTED, known, by, note, what)

    def _told(self, action: AlarmAction, alarm: Alarm, by: str = "", note: str = "", what: str = "") -> News:
        self.news += 1
        return News(action, alarm, by, note, what)

    # time

    def deadline(self) -> int | None:
        """When the next alarm rises, or one that came and went has been quiet for its window."""
        return self._standing().deadline

    def due(self, now_ms: int) -> list[News]:
        """The alarms that nobody has acknowledged for long enough, at their new level; and those that have not come again."""
        if (deadline := self.deadline()) is None or now_ms < deadline:
            return []
        self._known = None
        return self._risen(now_ms) + self._quiet(now_ms)

    def _risen(self, now_ms: int) -> list[News]:
        news = []
        for entry in self._open:
            above = entry.levels_above(self._policy)
            reached = [level for after_ms, level in above if now_ms - entry.begun_ms >= after_ms]
            if reached:
                entry.alarm = msgspec.structs.replace(entry.alarm, level=max(reached))
                entry.silenced = False
                news.append(self._told(AlarmAction.ESCALATED, entry.alarm))
        return news

    def _quiet(self, now_ms: int) -> list[News]:
        quiet = [entry for entry in self._open if (at_ms := _quiet_at(entry)) is not None and now_ms >= at_ms]
        for entry in quiet:
            self._move(entry, AlarmInput.QUIET)
        return [self._told(AlarmAction.CLEARED, entry.alarm, what=entry.what) for entry in quiet]

    # which one

    def can_acknowledge(self, alarm: str) -> bool:
        """Whether there is anything to acknowledge about the alarm with this id."""
        return any(entry.alarm.id == alarm and entry.moves(AlarmInput.ACKNOWLEDGE) for entry in self._open)

    def stands(self, kind: AlarmKind, detail: str = "") -> bool:
        """Whether there is such an alarm, and what it is about is not over."""
        entry = self._find(kind, detail)
        return entry is not None and not entry.is_over

    def _find(self, kind: AlarmKind, detail: str) -> OpenAlarm | None:
        same = (entry for entry in self._open if (entry.alarm.kind, entry.alarm.detail) == (kind, detail))
        return next(same, None)

    def _flaps(self, kind: AlarmKind, detail: str, now_ms: int) -> bool:
        """Whether what lasts has come too often within its window to be an alarm of its own once more."""
        if RULES[kind].life is not Life.LASTING:
            return False
        last_ms, times = self._lately.pop((kind, detail), (now_ms, 0))
        times = times + 1 if now_ms - last_ms < seconds(RULES[kind].window_s) else 1
        while len(self._lately) >= MOST_LATELY:
            del self._lately[next(iter(self._lately))]
        self._lately[kind, detail] = now_ms, times
        return times > MOST_APART

    @staticmethod
    def _is_new(equal: list[OpenAlarm], now_ms: int) -> bool:
        last = equal[-1]
        beyond = now_ms - last.last_ms >= seconds(last.rule.window_s)
        return last.rule.life is Life.MOMENT and beyond and len(equal) < MOST_EQUAL

    def _again(self, entry: OpenAlarm, now: Moment) -> News | None:
        if not entry.moves(AlarmInput.AGAIN):
            return None
        is_late = now.mono_ms - entry.last_ms >= seconds(entry.rule.window_s)
        entry.last_ms, entry.silenced = now.mono_ms, False
        count = entry.alarm.count + 1
        said_over = entry.is_over and _each_is_told(entry.alarm.count)  # that may not stand as the last word
        entry.alarm = msgspec.structs.replace(entry.alarm, count=count, last_ms=now.at_ms)
        if entry.rule.life is Life.LASTING:  # while it was over nobody had to answer it
            entry.anew(now)
        self._move(entry, AlarmInput.AGAIN)
        told = is_late or said_over or _each_is_told(count)
        return self._told(AlarmAction.REPEATED, entry.alarm) if told else None

    def _move(self, entry: OpenAlarm, given: AlarmInput) -> None:
        self._known = None
        entry.move(given)
        if entry.state is AlarmState.CLEARED:
            self._open.remove(entry)
            self._closed.append(entry.alarm)

    # what stands

    @property
    def open(self) -> tuple[Alarm, ...]:
        """All open alarms, the oldest first."""
        return self._standing().open

    @property
    def ended(self) -> tuple[str, ...]:
        """The ids of those that are over, and wait only to be acknowledged, or to come no more."""
        return self._standing().ended

    @property
    def tones(self) -> frozenset[Tone]:
        """The tones that are to sound."""
        return self._standing().tones

    @property
    def loud(self) -> bool:
        """Whether an alarm that sounds has waited so long that it is to be as loud as can be."""
        return self._standing().loud

    @property
    def lamp(self) -> bool:
        """Whether any alarm, with a sound or without, has waited so long that it is to be seen from afar."""
        return self._standing().lamp

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return self._standing().durable

    def _standing(self) -> _Standing:
        if self._known is None:
            wanted = [_quiet_at(entry) for entry in self._open]
            for entry in self._open:
                wanted += [entry.begun_ms + after_ms for after_ms, _ in entry.levels_above(self._policy)]
            self._known = _Standing(
                open=tuple(entry.alarm for entry in self._open),
                ended=tuple(entry.alarm.id for entry in self._open if entry.is_over),
                tones=frozenset(entry.tone for entry in self._open if entry.tone is not None),
                loud=any(entry.has_risen and entry.tone is not None for entry in self._open),
                lamp=any(entry.has_risen for entry in self._open),
                deadline=earliest(*wanted),
                durable={_PREFIX + entry.alarm.id: entry.kept(self._boot) for entry in self._open},
            )
        return self._known


def _each_is_told(count: int) -> bool:
    """Whether an alarm's coming and going is told, when it has come so often."""
    return count <= TOLD_EACH or count.bit_count() == 1


def _quiet_at(entry: OpenAlarm) -> int | None:
    """When what came and went counts as gone."""
    if not entry.is_over or entry.rule.life is not Life.LASTING:
        return None
    return entry.last_ms + seconds(entry.rule.window_s)
