"""What a post knows of one gate: its last state, alarms that are ahead of it, and whether it is heard. Pure: time is an argument.

Theory of operation. The state lists every open alarm and is the truth for what is open; an alarm message comes sooner, and
counts until a state comes that was made later. States are in order by (boot, connection, time since boot); what is older than
the last one, or of a boot that another has followed, changes nothing. A will, or a goodbye, says that its connection is over:
the gate is silent at once. Otherwise it is silent when nothing new has come for `SILENT_MS`. What the broker had kept tells the
state, and is no sign of life; nor is what comes a second time.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

from gateway.post.heard import HeardAlarm, HeardMessage, HeardState
from sync.contract.alarms import AlarmAction
from sync.contract.post import SILENT_MS

KNOWN_BOOTS: Final = 16  # earlier ones of a gate, whose messages are late
MOST_AHEAD: Final = 256  # alarms that no state tells yet


class FollowedGate:
    """One gate. It has `SILENT_MS` from `now_ms` on to be heard."""

    def __init__(self, now_ms: int) -> None:
        self.state: HeardState | None = None  # the last one that was no will
        self.heard = False  # a sign of life came, since it was last silent
        self._boot = ""
        self._order = (-1, -1)  # connection and time since boot of the last state
        self._gone = False  # that connection is over
        self._earlier: deque[str] = deque(maxlen=KNOWN_BOOTS)
        self._ahead: dict[str, HeardMessage] = {}
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
        found = {alarm.id: alarm for alarm in self.state.alarms} if self.state is not None else {}
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

    def take_state(self, state: HeardState, now_ms: int, *, kept: bool) -> bool:
        """A state or a will came. Whether it is news; an old one changes nothing."""
        order = (state.connection, state.mono_ms)
        if state.boot in self._earlier or (state.boot == self._boot and self._is_older(state, order)):
            return False
        if not state.online:
            return self._take_will(state, now_ms)
        alive = state.boot != self._boot or state.mono_ms > self._order[1]
        if self._boot and state.boot != self._boot:
            self._earlier.append(self._boot)
        self._boot, self._order, self._gone, self.state = state.boot, order, False, state
        # of another boot: from before this one; a gate that has a newer boot tells its state first
        self._ahead = {
            name: each
            for name, each in self._ahead.items()
            if each.boot == state.boot and each.mono_ms >= state.mono_ms
        }
        if alive:
            self._sign(state, now_ms, kept=kept)
        return True

    def take_alarm(self, message: HeardMessage, now_ms: int) -> bool:
        """What happened to an alarm. Whether it is news."""
        known = self._ahead.get(message.alarm.id)
        if not self._is_ahead(message) or (known is not None and message.mono_ms < known.mono_ms):
            return False
        if known is None and len(self._ahead) >= MOST_AHEAD:
            return False  # the next state tells it
        self._ahead[message.alarm.id] = message
        if message.boot == self._boot and message.mono_ms > self._clock[0] and not self._gone:
            self._sign(message, now_ms, kept=False)
        return True

    def _is_older(self, state: HeardState, order: tuple[int, int]) -> bool:
        if not state.online:
            return state.connection < self._order[0]
        return order < self._order or (self._gone and state.connection <= self._order[0])

    def _take_will(self, state: HeardState, now_ms: int) -> bool:
        if self._boot not in ("", state.boot) or (self._gone and state.connection == self._order[0]):
            return False  # of no connection that was heard, or told before
        self._boot, self._order, self._gone = state.boot, (state.connection, self._order[1]), True
        self._last_ms = min(self._last_ms, now_ms - SILENT_MS)  # only a sign of life ends that
        return True

    def _is_ahead(self, message: HeardMessage) -> bool:
        if message.boot in self._earlier:
            return False
        return message.boot != self._boot or self.state is None or message.mono_ms >= self.state.mono_ms

    def _sign(self, said: HeardState | HeardMessage, now_ms: int, *, kept: bool) -> None:
        if not kept:
            self._last_ms, self.heard = now_ms, True
        self._clock = (said.mono_ms, now_ms)
        self._boot_at_ms = said.at_ms - said.mono_ms if said.at_ms else None
