"""What a post knows of one gate: its last state, alarms that are ahead of it, and whether it is heard. Pure: time is an argument.

Theory of operation. The state lists every open alarm and is the truth for what is open; an alarm message comes sooner, and
counts until a state comes that was made later. States are in order by (boot, connection, time since boot); what is older than
the last one, or of a boot that another has followed, changes nothing. A will, or a goodbye, says that its connection is over:
the gate is silent at once.

Whoever recorded a gate's messages can say them again, in their order and at their pace, and of any boot that this post has not heard
of; a broker can hold them back. So a sign of life is a state that answers a question which this post asked less than `SILENT_MS` ago
(`asked`), and it counts from when that was asked. Nothing else is one: no alarm, and nothing that the broker had kept. A gate that
answers is believed; what comes of another boot then has to answer, too. While no answer is heard, the first boot that was heard
stands, and of others alarms are added (`_claimed`) and none taken away: the guard had better be called once too often.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.post.heard import HeardAlarm, HeardMessage, HeardState
from sync.contract.alarms import AlarmAction
from sync.contract.post import SILENT_MS

KNOWN_BOOTS: Final = 16  # earlier ones of a gate, whose messages are late
MOST_AHEAD: Final = 256  # alarms that no state tells yet
KNOWN_QUESTIONS: Final = 16


class FollowedGate:
    """One gate. It has `SILENT_MS` from `now_ms` on to be heard. `post`: who asks it."""

    def __init__(self, post: str, now_ms: int) -> None:
        self._post = post
        self.state: HeardState | None = None  # the last one that was no will
        self.heard = False  # a sign of life came, since it was last silent
        self.doubted = False  # something came that has yet to be proven
        self._asked: deque[tuple[str, int]] = deque(maxlen=KNOWN_QUESTIONS)  # numbers, and when
        self._boot = ""
        self._proven = False  # that boot has answered
        self._order = (-1, -1)  # connection and time since boot of the last state
        self._gone = False  # that connection is over
        self._earlier: deque[str] = deque(maxlen=KNOWN_BOOTS)
        self._ahead: dict[str, HeardMessage] = {}  # of that boot
        self._claimed: dict[str, HeardAlarm] = {}  # of others
        self._last_ms = now_ms  # the last sign of life
        self._clock = (0, now_ms)  # the gate's, and ours then
        self._boot_at_ms: int | None = None  # when its clock was 0, by its own time of day

    @property
    def boot(self) -> str:
        """Of its last state."""
        return self._boot

    @property
    def alarms(self) -> Mapping[str, HeardAlarm]:
        """All that are open, as last heard."""
        found = dict(self._claimed)
        if self.state is not None:
            found.update({alarm.id: alarm for alarm in self.state.alarms})
        for name, message in self._ahead.items():
            if message.action == AlarmAction.CLEARED:
                found.pop(name, None)
            else:
                found[name] = message.alarm
        return found

    def silent_at(self) -> int:
        """When it is silent, unless something new is heard before."""
        return self._last_ms + SILENT_MS

    def is_silent(self, now_ms: int) -> bool:
        """Whether it is; then nothing was heard of it until it is heard again."""
        silent = now_ms >= self.silent_at()
        if silent:
            self.heard = False
        return silent

    def clock_ms(self, now_ms: int) -> int:
        """The least that its clock shows."""
        theirs, ours = self._clock
        return theirs + now_ms - ours

    def is_over(self, alarm: str) -> bool:
        """Whether an open alarm is over, as far as its last state says; what was heard since is not."""
        return self.state is not None and alarm in self.state.ended and alarm not in self._ahead

    def age_ms(self, alarm: HeardAlarm, now_ms: int) -> int:
        """How long it is since the alarm was raised, all by the gate's own clocks; 0 where it does not say."""
        if self._boot_at_ms is None or not alarm.since_ms:
            return 0
        return max(0, self._boot_at_ms + self.clock_ms(now_ms) - alarm.since_ms)

    def ask(self, number: str, now_ms: int) -> None:
        """It is asked this, now."""
        self._asked.append((number, now_ms))
        self.doubted = False

    def take_state(self, state: HeardState, now_ms: int, *, kept: bool) -> bool:
        """A state or a will came. Whether it is news; an old one changes nothing."""
        order = (state.connection, state.mono_ms)
        asked_ms = None if kept else self._answered(state, now_ms)
        if state.boot in self._earlier or (state.boot == self._boot and self._is_older(state, order, asked_ms)):
            return False
        if not state.online:
            return self._take_will(state, now_ms)
        if asked_ms is None and self._boot not in ("", state.boot):
            return self._claim(state.alarms)
        is_new = state.boot != self._boot or state.mono_ms > self._order[1]
        if state.boot != self._boot:
            self._follow(state.boot)
        self._order, self._gone, self.state = order, False, state
        self._ahead = {name: each for name, each in self._ahead.items() if each.mono_ms >= state.mono_ms}
        if is_new:
            self._clock = (state.mono_ms, now_ms)
            self._boot_at_ms = state.at_ms - state.mono_ms if state.at_ms else None
        if asked_ms is not None and is_new:
            self._last_ms, self.heard, self._proven = max(self._last_ms, asked_ms), True, True
            self._claimed.clear()
        self.doubted = not self.heard
        return True

    def take_alarm(self, message: HeardMessage) -> bool:
        """What happened to an alarm. Whether it is news."""
        if message.boot in self._earlier:
            return False
        if message.boot != self._boot:  # a gate that has a newer boot tells its state first
            return message.action != AlarmAction.CLEARED and self._claim((message.alarm,))
        known = self._ahead.get(message.alarm.id)
        before = max(0 if self.state is None else self.state.mono_ms, 0 if known is None else known.mono_ms)
        if message.mono_ms < before or (known is None and len(self._ahead) >= MOST_AHEAD):
            return False  # too many: the next state tells it
        self._ahead[message.alarm.id] = message
        return True

    def _answered(self, state: HeardState, now_ms: int) -> int | None:
        """When it was asked what this state answers; None where that is too long ago, or no question of ours."""
        numbers = {each.number for each in state.asked if each.post == self._post}
        times = [ms for number, ms in self._asked if number in numbers and now_ms - ms < SILENT_MS]
        return max(times, default=None)

    def _is_older(self, state: HeardState, order: tuple[int, int], asked_ms: int | None) -> bool:
        if not state.online:
            return state.connection < self._order[0]
        return order < self._order or (self._gone and state.connection <= self._order[0] and asked_ms is None)

    def _take_will(self, state: HeardState, now_ms: int) -> bool:
        if self._boot not in ("", state.boot) or (self._gone and state.connection == self._order[0]):
            return False  # of no connection that was heard, or told before
        self._boot, self._order, self._gone = state.boot, (state.connection, self._order[1]), True
        self._last_ms = min(self._last_ms, now_ms - SILENT_MS)  # only a sign of life ends that
        self._asked.clear()  # what was asked before may have been answered before
        return True

    def _follow(self, boot: str) -> None:
        """From now on it is this boot; of one that was believed, what still comes is late."""
        if self._proven:
            self._earlier.append(self._boot)
        self._boot, self._proven = boot, False
        self._ahead.clear()

    def _claim(self, alarms: Sequence[HeardAlarm]) -> bool:
        """Something of another boot came, and is not proven. Whether that is news."""
        self.doubted = True
        known = self.alarms
        new = [] if self.heard else [alarm for alarm in alarms if alarm.id not in known]
        room = MOST_AHEAD - len(self._claimed)
        self._claimed.update({alarm.id: alarm for alarm in new[:room]})
        return bool(new[:room])
