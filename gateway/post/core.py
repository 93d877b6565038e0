"""What the post does: which alarms of which gates call the guard, what sounds, what is said, and what goes to the gates. Pure.

Theory of operation. An alarm calls from when it is heard until its gate says that it is acknowledged, or is over. The button
answers all that call: it goes to each gate as a command, and what a gate has not confirmed within `ANSWER_MS` calls again. So
neither a lost command nor a stopped siren makes an alarm silent that the gate holds open. Of a gate that is silent nothing can
be confirmed: its alarms are answered here until it is heard again. Its silence is an alarm of its own, which ends with it.

One tone sounds at a time: the alarm tone, or the night guard's own where nothing worse calls. The evacuation signal is for who
stands at the fire: here a fire is the alarm tone, and is said before everything else. The alarm tone is also for a kind of alarm that is not known
here, as its gate is newer. Every alarm that calls is said, and again
every `REPEAT_MS`; of many at once, one at a time, the one not said for the longest first.

Every gate is asked something new every `BEAT_MS`, and sooner when something came that has yet to be proven: only who answers is
heard (`gates`). A gate that is heard gets a heartbeat as often, as long as something here can sound.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.core.alarm_rules import RULES, urgency
from gateway.core.effects import Tone
from gateway.post.gates import FollowedGate
from gateway.post.heard import HeardAlarm, HeardMessage, HeardState
from sync.contract import commands
from sync.contract.alarms import AlarmKind, Level
from sync.contract.post import BEAT_MS, Heartbeat, Question
from sync.contract.text import harmless

ANSWER_MS: Final = commands.LIFE_MS
REPEAT_MS: Final = 20_000
LINE_MS: Final = 2_500  # to say a line in one language
ASK_AGAIN_MS: Final = 500
LOUDER_MS: Final = 60_000  # a silence that nobody answers for so long is louder; other alarms rise at their gate
OFFICE_DATA: Final = "office-data"  # such a part is lost as a device is
OFFICE_PARTS: Final = frozenset({"policy", "directory", "directory-age", "trust-list"})
GATE_SILENT: Final = "gate-silent"
KNOWN: Final = frozenset(AlarmKind)
MOST_KIND: Final = 32  # characters of a kind that is not known
_SILENCE: Final = ""  # in the place of an alarm's id


@dataclass(frozen=True, slots=True)
class StateHeard:
    """A state or will came. `kept`: the broker had kept it."""

    gate: str
    state: HeardState
    kept: bool = False


@dataclass(frozen=True, slots=True)
class AlarmHeard:
    """What happened to an alarm."""

    gate: str
    message: HeardMessage


@dataclass(frozen=True, slots=True)
class Pressed:
    """The button was pressed. `by`: the guard on duty."""

    by: str


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device of the post was lost, or works again."""

    device: str
    works: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time."""


Event = StateHeard | AlarmHeard | Pressed | DeviceChanged | Tick


@dataclass(frozen=True, slots=True)
class Sound:
    """From now on: this tone (None: silence), as loud as it goes or as always, and the lamp."""

    tone: Tone | None = None
    loud: bool = False
    lamp: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Say the line of this name for this gate; `first`: before everything else."""

    kind: str
    gate: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """A command for a gate."""

    gate: str
    command: commands.Acknowledge


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat for a gate."""

    heartbeat: Heartbeat


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for a gate."""

    question: Question


@dataclass(frozen=True, slots=True)
class Show:
    """For who watches: `opened`, `acknowledged`, `over` of an alarm at a gate."""

    what: str
    gate: str
    kind: str
    alarm: str = ""
    by: str = ""


Effect = Sound | Say | Send | Beat | Ask | Show


class GateState(StrEnum):
    """Whether a gate is heard."""

    WAITED_FOR = "waited-for"  # since the post's start
    HEARD = "heard"
    SILENT = "silent"


@dataclass(slots=True)
class Entry:
    """An open alarm. `gate` holds it, it has been known here since `seen_ms`, and was raised at `begun_ms` by our clock."""

    gate: str
    alarm: str
    kind: str
    seen_ms: int
    begun_ms: int = 0
    level: Level = Level.GATE
    over: bool = False
    acknowledged: bool = False
    by: str = ""
    detail: str = ""
    answered_ms: int | None = None  # by the button
    said_ms: int | None = None

    @property
    def is_fire(self) -> bool:
        """Whether people may be in danger of their lives now."""
        return self.kind == AlarmKind.FIRE and not self.over

    @property
    def is_said(self) -> bool:
        """Whether it is said, too: nobody is told of a fire, or to make up for a round, that is over."""
        return not self.over or self.kind not in (AlarmKind.FIRE, AlarmKind.ROUND_MISSED)

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """Its place among others."""
        return urgency(self.kind, over=self.over, acknowledged=self.acknowledged, level=self.level)

    @property
    def line(self) -> str:
        """What is said: by its kind, but for what the office sends and a gate cannot go by, which has no plug to look at."""
        return OFFICE_DATA if self.kind == AlarmKind.DEVICE_LOST and self.detail in OFFICE_PARTS else self.kind

    @property
    def tone(self) -> Tone:
        """What calls the guard for it. What makes no sound at its gate still calls here, softly."""
        if self.alarm == _SILENCE:
            return Tone.ALARM
        if self.kind not in KNOWN:  # of a newer gate: nobody here can say how bad it is
            return Tone.ALARM
        tone = RULES[AlarmKind(self.kind)].tone
        return Tone.ALARM if tone in (Tone.ALARM, Tone.EVACUATION) else Tone.NIGHT

    def take(self, alarm: HeardAlarm) -> None:
        """As its gate has it now."""
        self.level, self.acknowledged, self.by, self.detail = (
            alarm.known_level,
            alarm.acknowledged,
            alarm.acknowledged_by,
            alarm.detail,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One gate, to be shown; its open alarms, the most urgent first, then the newest."""

    gate: str
    state: GateState
    told: HeardState | None
    entries: tuple[Entry, ...]


class Post:
    """`handle` with every event, and at `deadline`. `sounding`: the devices of which one has to work; `ids` gives 32 random
    hexadecimal digits."""

    def __init__(
        self,
        name: str,
        gates: Sequence[str],
        *,
        sounding: Sequence[str],
        ids: Callable[[], str],
        now_ms: int,
        languages: int = 2,
    ) -> None:
        self._name = name
        self._gates = {gate: FollowedGate(name, now_ms) for gate in gates}
        self._works = dict.fromkeys(sounding, True)
        self._ids = ids
        self._line_ms = languages * LINE_MS
        self._entries: dict[tuple[str, str], Entry] = {}
        self._beat_ms: dict[str, int] = {}  # when each gate that is heard gets its next
        self._asked_ms = dict.fromkeys(gates, now_ms - BEAT_MS)  # when each was asked last
        self._sequence = 0
        self._quiet_until = now_ms  # a line is being said
        self._sound = Sound()
        self._silent: set[str] = set()

    def handle(self, event: Event, now_ms: int) -> tuple[Effect, ...]:
        """What is to be done upon an event."""
        effects: list[Effect] = []
        match event:
            case StateHeard(name, state, kept) if name in self._gates:
                self._gates[name].take_state(state, now_ms, kept=kept)
            case AlarmHeard(name, message) if name in self._gates:
                self._gates[name].take_alarm(message)
            case DeviceChanged(device, works) if device in self._works:
                self._works[device] = works
        for name, gate in self._gates.items():
            self._look(name, gate, now_ms, effects)
        if isinstance(event, Pressed):
            self._answer(event.by, now_ms, effects)
        self._call(now_ms, effects)
        self._beat(now_ms, effects)
        self._ask(now_ms, effects)
        return tuple(effects)

    def deadline(self, now_ms: int) -> int:
        """When it wants to be asked again."""
        due = [gate.silent_at() for name, gate in self._gates.items() if name not in self._silent]
        due += [self._ask_due(name) for name in self._gates]
        due += self._beat_ms.values() if any(self._works.values()) else ()
        due += [each for entry in self._entries.values() for each in self._due_of(entry)]
        return max(now_ms, min(due, default=now_ms + BEAT_MS))

    def _due_of(self, entry: Entry) -> Iterator[int]:
        """When it is to be said again, calls again, or is louder."""
        answered_here = entry.alarm == _SILENCE or entry.gate in self._silent
        if entry.acknowledged or (entry.answered_ms is not None and answered_here):
            return
        if entry.answered_ms is not None:
            yield entry.answered_ms + ANSWER_MS
            return
        if entry.is_said:
            yield max(self._quiet_until, 0 if entry.said_ms is None else entry.said_ms + REPEAT_MS)
        if entry.alarm == _SILENCE and entry.level is Level.GATE:
            yield entry.seen_ms + LOUDER_MS

    # what stands

    def rows(self) -> tuple[Row, ...]:
        """Every gate, in the order of the file."""
        return tuple(self._row(name, gate) for name, gate in self._gates.items())

    @property
    def can_sound(self) -> bool:
        """Whether anything here works that a guard would hear."""
        return any(self._works.values())

    @property
    def sound(self) -> Sound:
        """What sounds now."""
        return self._sound

    def calling(self, now_ms: int) -> list[Entry]:
        """What calls the guard."""
        return [entry for entry in self._entries.values() if self._calls(entry, now_ms)]

    def _row(self, name: str, gate: FollowedGate) -> Row:
        state = GateState.SILENT if name in self._silent else GateState.HEARD if gate.heard else GateState.WAITED_FOR
        mine = sorted(
            (entry for entry in self._entries.values() if entry.gate == name),
            key=lambda entry: (entry.urgency, -entry.begun_ms),
        )
        return Row(name, state, gate.state, tuple(mine))

    # alarms

    def _look(self, name: str, gate: FollowedGate, now_ms: int, effects: list[Effect]) -> None:
        """Bring what is open here in line with what the gate was heard to hold."""
        silent, was_silent = gate.is_silent(now_ms), name in self._silent
        (self._silent.add if silent else self._silent.discard)(name)
        held: dict[str, HeardAlarm | None] = dict(gate.alarms)
        if silent:
            held[_SILENCE] = None
        for key in [key for key in self._entries if key[0] == name and key[1] not in held]:
            entry = self._entries.pop(key)
            effects.append(Show("over", name, entry.kind, entry.alarm))
        for alarm, told in held.items():
            entry = self._entries.get((name, alarm)) or self._open(name, alarm, told, now_ms, effects)
            self._take(entry, told, now_ms, effects)
            if told is not None:
                entry.over = gate.is_over(alarm)
                entry.begun_ms = min(entry.seen_ms, now_ms - gate.age_ms(told, now_ms))
            if was_silent and not silent:
                entry.answered_ms = None  # that was among us: the gate has not heard of it

    def _open(self, gate: str, alarm: str, told: HeardAlarm | None, now_ms: int, effects: list[Effect]) -> Entry:
        kind = GATE_SILENT if told is None else harmless(told.kind, MOST_KIND)
        entry = self._entries[gate, alarm] = Entry(gate, alarm, kind, now_ms, now_ms)
        effects.append(Show("opened", gate, kind, alarm))
        return entry

    def _take(self, entry: Entry, told: HeardAlarm | None, now_ms: int, effects: list[Effect]) -> None:
        if told is None:
            entry.level = Level.LOUDER if now_ms - entry.seen_ms >= LOUDER_MS else Level.GATE
            return
        before = entry.acknowledged
        entry.take(told)
        if entry.acknowledged and not before:
            effects.append(Show("acknowledged", entry.gate, entry.kind, entry.alarm, entry.by))

    def _calls(self, entry: Entry, now_ms: int) -> bool:
        if entry.acknowledged:
            return False
        if entry.answered_ms is None:
            return True
        answered_here = entry.alarm == _SILENCE or entry.gate in self._silent
        return not answered_here and now_ms >= entry.answered_ms + ANSWER_MS

    def _answer(self, by: str, now_ms: int, effects: list[Effect]) -> None:
        for entry in self.calling(now_ms):
            entry.answered_ms = now_ms
            if entry.alarm == _SILENCE:
                entry.by = by
                effects.append(Show("acknowledged", entry.gate, entry.kind, by=by))
            elif entry.gate not in self._silent and self._gates[entry.gate].boot:
                effects.append(Send(entry.gate, self._command(entry, by, now_ms)))

    def _command(self, entry: Entry, by: str, now_ms: int) -> commands.Acknowledge:
        gate = self._gates[entry.gate]
        return commands.Acknowledge(
            gate=entry.gate,
            id=self._ids(),
            boot=gate.boot,
            not_after_mono=gate.clock_ms(now_ms) + commands.LIFE_MS,
            by=by,
            alarm=entry.alarm,
        )

    # what is heard here

    def _call(self, now_ms: int, effects: list[Effect]) -> None:
        calling = self.calling(now_ms)
        for entry in calling:
            if entry.answered_ms is not None:
                entry.answered_ms = entry.said_ms = None  # its gate has not confirmed it: it calls as if anew
        tones = {entry.tone for entry in calling}
        tone = Tone.ALARM if Tone.ALARM in tones else Tone.NIGHT if tones else None
        sound = Sound(tone, any(entry.level > Level.GATE for entry in calling), bool(calling))
        if sound != self._sound:
            self._sound = sound
            effects.append(sound)
        self._say_next(calling, now_ms, effects)

    def _say_next(self, calling: Sequence[Entry], now_ms: int, effects: list[Effect]) -> None:
        due = [
            entry
            for entry in calling
            if entry.is_said and (entry.said_ms is None or now_ms - entry.said_ms >= REPEAT_MS)
        ]
        if not due:
            return
        entry = min(due, key=lambda each: (not each.is_fire, each.said_ms or 0, each.seen_ms))
        if now_ms >= self._quiet_until or (entry.is_fire and entry.said_ms is None):
            entry.said_ms, self._quiet_until = now_ms, now_ms + self._line_ms
            effects.append(Say(entry.line, entry.gate, first=entry.is_fire))

    # what the gates hear of us

    def _ask_due(self, name: str) -> int:
        return self._asked_ms[name] + (ASK_AGAIN_MS if self._gates[name].doubted else BEAT_MS)

    def _ask(self, now_ms: int, effects: list[Effect]) -> None:
        for name, gate in self._gates.items():
            if now_ms >= self._ask_due(name):
                question = Question(gate=name, post=self._name, number=self._ids())
                gate.ask(question.number, now_ms)
                self._asked_ms[name] = now_ms
                effects.append(Ask(question))

    def _beat(self, now_ms: int, effects: list[Effect]) -> None:
        heard = {name for name, gate in self._gates.items() if gate.heard and name not in self._silent}
        self._beat_ms = {name: self._beat_ms.get(name, now_ms) for name in self._gates if name in heard}
        for name, due in self._beat_ms.items():
            if now_ms >= due and self.can_sound:
                self._beat_ms[name] = now_ms + BEAT_MS
                effects.append(Beat(self._heartbeat(name, self._gates[name], now_ms)))

    def _heartbeat(self, name: str, gate: FollowedGate, now_ms: int) -> Heartbeat:
        self._sequence += 1
        return Heartbeat(
            gate=name, post=self._name, boot=gate.boot, mono_ms=gate.clock_ms(now_ms), sequence=self._sequence
        )
