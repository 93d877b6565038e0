"""The post's core, towards gates that raise, answer, fall silent and come back, over a road that loses, doubles and delays."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alarm_rules import RULES
from gateway.core.effects import Tone
from gateway.post.core import (
    ANSWER_MS,
    GATE_SILENT,
    LOUDER_MS,
    REPEAT_MS,
    AlarmHeard,
    Beat,
    DeviceChanged,
    Effect,
    Entry,
    Event,
    GateState,
    Post,
    Pressed,
    Say,
    Send,
    Show,
    Sound,
    StateHeard,
    Tick,
)
from gateway.post.heard import HeardAlarm, HeardMessage, HeardState
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, Level, StateMessage
from sync.contract.post import BEAT_MS, SILENT_MS
from tests.gateway.post.hearing import heard_alarm, heard_state

START_MS = 1_000_000
EAST, WEST = "east", "west"
Told = StateMessage | AlarmMessage


class FakeGate:
    """What a gate is: alarms, and messages about them. Its clock runs from its own boot."""

    def __init__(self, name: str, now_ms: int) -> None:
        self.name = name
        self.boots = count(1)
        self.numbers = count(1)
        self.told: list[Told] = []
        self.alarms: dict[str, Alarm] = {}
        self.boot(now_ms)

    def boot(self, now_ms: int) -> None:
        """A new boot: its alarms outlive it."""
        self.boot_id = f"{next(self.boots):032x}"
        self.booted_ms = now_ms - 5_000
        self.connect(now_ms)

    def connect(self, now_ms: int) -> None:
        """A new connection."""
        self.connection = now_ms - self.booted_ms

    def mono_ms(self, now_ms: int) -> int:
        return now_ms - self.booted_ms

    def state(self, now_ms: int, **changes: Any) -> StateMessage:
        message = StateMessage(
            online=True, boot=self.boot_id, connection=self.connection, mono_ms=self.mono_ms(now_ms),
            alarms=tuple(self.alarms.values()),
        )  # fmt: skip
        return self._told(msgspec.structs.replace(message, **changes))

    def will(self) -> StateMessage:
        return StateMessage(online=False, boot=self.boot_id, connection=self.connection)

    def open(self, kind: AlarmKind, now_ms: int, **more: Any) -> AlarmMessage:
        alarm = Alarm(id=f"{next(self.numbers):032x}", kind=kind, portal=self.name, since_ms=0, **more)
        self.alarms[alarm.id] = alarm
        return self.about(alarm, AlarmAction.RAISED, now_ms)

    def answer(self, name: str, by: str, now_ms: int) -> AlarmMessage | None:
        alarm = self.alarms.get(name)
        if alarm is None or alarm.acknowledged:
            return None
        self.alarms[name] = msgspec.structs.replace(alarm, acknowledged=True, acknowledged_by=by)
        return self.about(self.alarms[name], AlarmAction.ACKNOWLEDGED, now_ms)

    def over(self, name: str, now_ms: int) -> AlarmMessage:
        return self.about(self.alarms.pop(name), AlarmAction.CLEARED, now_ms)

    def about(self, alarm: Alarm, action: AlarmAction, now_ms: int) -> AlarmMessage:
        return self._told(
            AlarmMessage(action=action, alarm=alarm, at_ms=0, boot=self.boot_id, mono_ms=self.mono_ms(now_ms))
        )

    def _told(self, message: Any) -> Any:
        heard = heard_alarm(message) if isinstance(message, AlarmMessage) else heard_state(message)
        self.told.append(heard)
        return heard


@dataclass
class Site:
    """A post and its gates. The post is asked at each deadline, as its program does."""

    names: Sequence[str] = (EAST, WEST)
    now_ms: int = START_MS
    did: list[Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = count(1)
        self.post = Post(
            "lodge", self.names, sounding=["speaker", "siren"], ids=lambda: f"{next(numbers):032x}", now_ms=self.now_ms
        )
        self.gates = {name: FakeGate(name, self.now_ms) for name in self.names}

    def send(self, event: Event) -> tuple[Effect, ...]:
        done = self.post.handle(event, self.now_ms)
        self.did += done
        assert self.post.deadline(self.now_ms) > self.now_ms, "it would go round for ever"
        assert (self.post.sound.tone is None) == (not self.post.calling(self.now_ms))
        assert self.post.sound.tone not in (Tone.EVACUATION, Tone.PRE_ALARM)
        return done

    def wait(self, ms: int) -> list[Effect]:
        """Time passes. What was done meanwhile."""
        until, begun = self.now_ms + ms, len(self.did)
        while (due := self.post.deadline(self.now_ms)) <= until:
            self.now_ms = due
            self.send(Tick())
        self.now_ms = until
        self.send(Tick())
        return self.did[begun:]

    def heard(self, name: str = EAST, **changes: Any) -> tuple[Effect, ...]:
        """The gate's state comes."""
        return self.send(StateHeard(name, self.gates[name].state(self.now_ms, **changes)))

    def alarm(self, kind: AlarmKind, name: str = EAST, **more: Any) -> Alarm:
        """An alarm is raised there, and heard here."""
        message = self.gates[name].open(kind, self.now_ms, **more)
        self.send(AlarmHeard(name, message))
        return message.alarm

    def keep_alive(self, ms: int, name: str = EAST) -> list[Effect]:
        """Time passes while this gate is heard."""
        begun = len(self.did)
        for _ in range(ms // BEAT_MS):
            self.wait(BEAT_MS)
            self.heard(name)
        return self.did[begun:]

    def kinds(self, name: str = EAST) -> list[tuple[str, bool]]:
        (row,) = (row for row in self.post.rows() if row.gate == name)
        return [(entry.kind, entry.acknowledged) for entry in row.entries]

    def state_of(self, name: str = EAST) -> GateState:
        return next(row.state for row in self.post.rows() if row.gate == name)


@pytest.fixture
def site() -> Site:
    site = Site([EAST])
    site.heard()
    return site


def sounds(effects: Sequence[Effect]) -> list[Sound]:
    return [each for each in effects if isinstance(each, Sound)]


def said(effects: Sequence[Effect]) -> list[tuple[str, str]]:
    return [(each.gate, each.kind) for each in effects if isinstance(each, Say)]


def sent(effects: Sequence[Effect]) -> list[Send]:
    return [each for each in effects if isinstance(each, Send)]


# one thing at a time


@pytest.mark.parametrize("kind", AlarmKind)
def test_every_kind_is_heard_said_and_lit(site: Site, kind: AlarmKind) -> None:
    site.alarm(kind)
    loud = RULES[kind].tone in (Tone.ALARM, Tone.EVACUATION)
    assert site.post.sound == Sound(Tone.ALARM if loud else Tone.NIGHT, loud=False, lamp=True)
    assert said(site.did) == [(EAST, kind.value)]


@pytest.mark.parametrize("by_state", [False, True])
def test_a_kind_that_only_a_newer_gate_knows_calls_the_guard_and_its_gate_is_heard(site: Site, by_state: bool) -> None:
    site.heard()
    flood = HeardAlarm(id="f" * 32, kind="flood", level=7)
    if by_state:
        site.gates[EAST].alarms[flood.id] = flood
        site.keep_alive(2 * SILENT_MS)
    else:
        site.send(AlarmHeard(EAST, HeardMessage(
            action="simmering", alarm=flood, boot=site.gates[EAST].boot_id, mono_ms=site.gates[EAST].mono_ms(site.now_ms)
        )))  # fmt: skip
    assert site.post.sound == Sound(Tone.ALARM, loud=True, lamp=True)
    assert site.kinds() == [("flood", False)] and site.state_of() is GateState.HEARD
    assert set(said(site.did)) >= {(EAST, "flood")} and (EAST, GATE_SILENT) not in said(site.did)
    assert len(sent(site.send(Pressed("Wang")))) == 1


def test_a_newer_gates_messages_are_read_whatever_words_are_new_in_them() -> None:
    alarm = {"id": "f" * 32, "kind": "flood\u202e" + "x" * 100, "portal": "p", "since_ms": 0, "level": 9, "where": [1]}
    raw = {
        "online": True, "boot": "0" * 32, "connection": 1, "mode": "siege", "alarms": [alarm], "weather": {"rain": 1},
        "commands": [{"id": "0", "outcome": "pondered"}],
    }  # fmt: skip
    state = msgspec.json.decode(json.dumps(raw), type=HeardState)
    post = Post("lodge", [EAST], sounding=["siren"], ids=str, now_ms=0)
    did = post.handle(StateHeard(EAST, state), 1)
    (entry,) = post.rows()[0].entries
    assert (
        entry.kind.startswith("flood\N{REPLACEMENT CHARACTER}")
        and len(entry.kind) == 32
        and entry.level is Level.LEADER
    )
    assert [each.kind for each in did if isinstance(each, Say)] == [entry.kind]


def test_an_alarm_is_said_again_until_its_gate_says_that_it_is_acknowledged(site: Site) -> None:
    alarm = site.alarm(AlarmKind.DOOR_FORCED)
    assert len(said(site.keep_alive(3 * REPEAT_MS + BEAT_MS))) == 3
    message = site.gates[EAST].answer(alarm.id, "page", site.now_ms)
    assert message is not None
    site.send(AlarmHeard(EAST, message))
    assert site.post.sound == Sound()
    assert said(site.keep_alive(3 * REPEAT_MS)) == []
    assert site.kinds() == [("door-forced", True)]


def test_the_button_answers_at_the_gate_in_the_guards_name(site: Site) -> None:
    alarm = site.alarm(AlarmKind.TAMPER)
    site.wait(700)
    (sending,) = sent(site.send(Pressed("Wang")))
    command = sending.command
    assert (command.alarm, command.by, command.boot) == (alarm.id, "Wang", site.gates[EAST].boot_id)
    assert command.not_after_mono == site.gates[EAST].mono_ms(site.now_ms) + 5_000
    assert site.post.sound == Sound()


def test_a_command_that_is_lost_makes_nothing_silent(site: Site) -> None:
    site.alarm(AlarmKind.TAMPER)
    site.send(Pressed("Wang"))
    site.heard()
    did = site.wait(ANSWER_MS)
    assert sounds(did)[-1].tone is Tone.ALARM
    assert said(did) == [(EAST, "tamper")]
    assert len(sent(site.send(Pressed("Wang")))) == 1


def test_a_stopped_siren_is_no_acknowledgement(site: Site) -> None:
    alarm = site.alarm(AlarmKind.TAMPER)
    site.send(AlarmHeard(EAST, site.gates[EAST].about(alarm, AlarmAction.SILENCED, site.now_ms)))
    site.heard()
    assert site.post.sound.tone is Tone.ALARM


def test_what_nobody_answers_is_louder_by_its_level(site: Site) -> None:
    alarm = site.alarm(AlarmKind.CALL)
    site.gates[EAST].alarms[alarm.id] = raised = msgspec.structs.replace(alarm, level=Level.LOUDER)
    site.send(AlarmHeard(EAST, site.gates[EAST].about(raised, AlarmAction.ESCALATED, site.now_ms)))
    assert site.post.sound == Sound(Tone.NIGHT, loud=True, lamp=True)


@pytest.mark.parametrize(("part", "line"), [("policy", "office-data"), ("scanner", "device-lost")])
def test_what_the_office_sent_is_not_told_as_a_device(part: str, line: str) -> None:
    entry = Entry(EAST, "a", "device-lost", 0, detail=part)
    assert entry.line == line


def test_a_fire_is_said_first_and_at_once() -> None:
    site = Site()
    for name in site.names:
        site.heard(name)
    for kind in (AlarmKind.TAMPER, AlarmKind.CALL, AlarmKind.FIRE):
        site.alarm(kind, WEST)
    fire = Say("fire", WEST, first=True)
    assert [each for each in site.did if isinstance(each, Say)] == [Say("tamper", WEST), fire]
    assert site.post.rows()[1].entries[0].is_fire


def test_of_many_alarms_each_is_said_in_turn(site: Site) -> None:
    kinds = [AlarmKind.TAMPER, AlarmKind.CALL, AlarmKind.DOOR_FORCED, AlarmKind.DISK, AlarmKind.FEVER, AlarmKind.CLOCK]
    for kind in kinds:
        site.alarm(kind)
    did = said(site.did) + said(site.keep_alive(60_000))
    assert [kind for _, kind in did[: 2 * len(kinds)]] == [kind.value for kind in kinds] * 2


def test_a_will_is_silence_at_once_and_only_a_sign_of_life_ends_it(site: Site) -> None:
    site.wait(2_000)
    will = site.gates[EAST].will()
    done = site.send(StateHeard(EAST, will))
    assert Show("opened", EAST, GATE_SILENT) in done
    assert site.post.sound.tone is Tone.ALARM
    site.gates[EAST].connect(site.now_ms)
    kept = site.gates[EAST].state(site.now_ms)
    site.send(StateHeard(EAST, kept, kept=True))  # no sign of life
    assert site.state_of() is GateState.SILENT
    site.wait(1_000)
    assert Show("over", EAST, GATE_SILENT) in site.heard()
    site.send(StateHeard(EAST, will))  # once more, late
    assert site.state_of() is GateState.HEARD


def test_a_gate_that_is_silent_is_told_once_and_louder_after_a_while(site: Site) -> None:
    did = site.wait(SILENT_MS)
    assert did.count(Show("opened", EAST, GATE_SILENT)) == 1
    assert [each.loud for each in sounds(site.wait(LOUDER_MS))] == [True]
    assert sent(site.send(Pressed("Wang"))) == []
    assert site.post.sound == Sound()
    assert said(site.wait(10 * REPEAT_MS)) == []  # answered, until it is over
    site.heard()
    assert site.kinds() == []


def test_a_post_that_starts_without_a_gate_says_so() -> None:
    site = Site([EAST])
    assert site.state_of() is GateState.WAITED_FOR
    assert Show("opened", EAST, GATE_SILENT) in site.wait(SILENT_MS)


def test_the_alarms_of_a_silent_gate_are_answered_here_until_it_is_back(site: Site) -> None:
    site.alarm(AlarmKind.TAMPER)
    site.wait(SILENT_MS)
    assert sent(site.send(Pressed("Wang"))) == []
    assert site.post.sound == Sound()
    assert sounds(site.wait(60_000)) == []
    site.heard()
    assert site.post.sound.tone is Tone.ALARM  # the gate has not heard of it
    assert len(sent(site.send(Pressed("Wang")))) == 1


def test_heartbeats_go_to_whoever_is_heard_while_something_can_sound(site: Site) -> None:
    beats = [each.heartbeat for each in [*site.did, *site.keep_alive(9_000)] if isinstance(each, Beat)]
    assert [beat.sequence for beat in beats] == [1, 2, 3, 4]
    assert {(beat.gate, beat.post, beat.boot) for beat in beats} == {(EAST, "lodge", site.gates[EAST].boot_id)}
    assert beats[-1].mono_ms == site.gates[EAST].mono_ms(site.now_ms)
    site.send(DeviceChanged("speaker", works=False))
    assert any(isinstance(each, Beat) for each in site.keep_alive(6_000))  # there is the siren
    site.send(DeviceChanged("siren", works=False))
    assert not any(isinstance(each, Beat) for each in site.keep_alive(6_000))
    site.send(DeviceChanged("siren", works=True))
    assert any(isinstance(each, Beat) for each in site.keep_alive(3_000))
    site.wait(SILENT_MS)
    assert not any(isinstance(each, Beat) for each in site.wait(SILENT_MS))


def test_an_alarm_that_no_state_tells_yet_stands_and_an_older_one_does_not_come_back(site: Site) -> None:
    gate = site.gates[EAST]
    before = gate.state(site.now_ms)
    site.wait(100)
    alarm = site.alarm(AlarmKind.CALL)
    site.send(StateHeard(EAST, msgspec.structs.replace(before, mono_ms=before.mono_ms + 50)))
    assert site.kinds() == [("call", False)]
    site.wait(100)
    over = gate.over(alarm.id, site.now_ms)
    site.wait(100)
    site.heard()
    assert site.kinds() == []
    site.send(AlarmHeard(EAST, gate.told[2]))  # type: ignore[arg-type]  # that it was raised, late
    site.send(AlarmHeard(EAST, over))
    assert site.kinds() == []


def test_what_an_earlier_boot_said_comes_too_late(site: Site) -> None:
    gate = site.gates[EAST]
    site.wait(1_000)
    late_alarm, late_state = gate.open(AlarmKind.CALL, site.now_ms), gate.state(site.now_ms)
    gate.alarms.clear()
    gate.boot(site.now_ms)
    site.heard()
    site.send(AlarmHeard(EAST, late_alarm))
    site.send(StateHeard(EAST, late_state))
    assert site.kinds() == []


def test_a_state_of_a_connection_that_is_over_is_no_sign_of_life(site: Site) -> None:
    gate = site.gates[EAST]
    site.wait(1_000)
    late = gate.state(site.now_ms)
    site.send(StateHeard(EAST, gate.will()))
    site.send(StateHeard(EAST, late))
    assert site.state_of() is GateState.SILENT


def test_an_alarm_that_comes_again_and_again_keeps_no_gate_alive(site: Site) -> None:
    site.wait(1_000)
    message = site.gates[EAST].open(AlarmKind.CALL, site.now_ms)
    for _ in range(2 * SILENT_MS // 1_000):
        site.send(AlarmHeard(EAST, message))
        site.wait(1_000)
    assert site.state_of() is GateState.SILENT


def test_what_was_answered_while_its_gate_was_silent_calls_at_once_when_it_is_back(site: Site) -> None:
    site.alarm(AlarmKind.TAMPER)
    site.send(StateHeard(EAST, site.gates[EAST].will()))
    site.send(Pressed("Wang"))
    assert site.post.sound == Sound()
    site.wait(500)
    site.gates[EAST].connect(site.now_ms)
    site.heard()
    assert site.post.sound.tone is Tone.ALARM


def test_another_gate_is_nothing_to_this_post(site: Site) -> None:
    stranger = FakeGate("north", site.now_ms)
    site.send(StateHeard("north", stranger.state(site.now_ms)))
    site.send(AlarmHeard("north", stranger.open(AlarmKind.FIRE, site.now_ms)))
    assert site.post.sound == Sound()


# anything at all

GATES = st.sampled_from([EAST, WEST])
STEPS = st.one_of(
    st.tuples(st.just("raise"), GATES, st.sampled_from(AlarmKind), st.booleans()),
    st.tuples(st.just("answer"), GATES, st.integers(0, 5), st.booleans()),
    st.tuples(st.just("over"), GATES, st.integers(0, 5), st.booleans()),
    st.tuples(st.just("state"), GATES),
    st.tuples(st.just("late"), GATES, st.integers(0, 50)),
    st.tuples(st.just("will"), GATES),
    st.tuples(st.just("connect"), GATES),
    st.tuples(st.just("boot"), GATES),
    st.tuples(st.just("press"), st.booleans()),
    st.tuples(st.just("wait"), st.integers(1, 15_000)),
)


class Anything(Site):
    """Plays steps, and looks after each."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alive_ms = dict.fromkeys(self.names, self.now_ms)
        self.pressed_ms = -ANSWER_MS

    def play(self, step: tuple[Any, ...]) -> None:
        self.wait(1)  # no two things happen at once
        getattr(self, f"_do_{step[0]}")(*step[1:])
        for name in self.names:
            unheard = self.now_ms - self.alive_ms[name]
            assert unheard < SILENT_MS or self.state_of(name) is GateState.SILENT, "silence was not told"
            assert self.state_of(name) is not GateState.SILENT or (GATE_SILENT, False) in self.kinds(name)

    def _alarm(self, name: str, message: AlarmMessage, *, arrives: bool) -> None:
        if not arrives:
            return
        self.send(AlarmHeard(name, message))
        if self.state_of(name) is GateState.HEARD:
            self.alive_ms[name] = self.now_ms  # at most: it may not have counted as a sign

    def _do_raise(self, name: str, kind: AlarmKind, arrives: bool) -> None:
        message = self.gates[name].open(kind, self.now_ms)
        self._alarm(name, message, arrives=arrives)
        if arrives:
            assert self.post.sound.tone is not None, "it was heard, and is silent"

    def _do_answer(self, name: str, number: int, arrives: bool) -> None:
        for alarm in list(self.gates[name].alarms)[number : number + 1]:
            message = self.gates[name].answer(alarm, "page", self.now_ms)
            if message is not None:
                self._alarm(name, message, arrives=arrives)

    def _do_over(self, name: str, number: int, arrives: bool) -> None:
        for alarm in list(self.gates[name].alarms)[number : number + 1]:
            self._alarm(name, self.gates[name].over(alarm, self.now_ms), arrives=arrives)

    def _do_state(self, name: str) -> None:
        """It is the truth: what is open there is open here, and what is not acknowledged calls."""
        self.heard(name)
        self.alive_ms[name] = self.now_ms
        held = self.gates[name].alarms
        (row,) = (row for row in self.post.rows() if row.gate == name)
        assert {entry.alarm: entry.acknowledged for entry in row.entries} == {
            alarm.id: alarm.acknowledged for alarm in held.values()
        }
        calling = {entry.alarm for entry in self.post.calling(self.now_ms) if entry.gate == name}
        silent = {alarm.id for alarm in held.values() if not alarm.acknowledged} - calling
        assert not silent or self.now_ms < self.pressed_ms + ANSWER_MS, "the gate holds it open, and it is silent"

    def _do_late(self, name: str, back: int) -> None:
        """A message that is older than the last state, once more: nothing changes."""
        gate = self.gates[name]
        (row,) = (row for row in self.post.rows() if row.gate == name)
        if row.told is None:
            return
        at = max((number for number, told in enumerate(gate.told) if told is row.told), default=0)
        older = [told for told in gate.told[:at] if told != row.told]
        if not older:
            return
        message = older[max(0, len(older) - 1 - back)]
        self.send(Tick())
        before = self._snapshot()
        self.send(StateHeard(name, message) if isinstance(message, HeardState) else AlarmHeard(name, message))
        assert self._snapshot() == before

    def _snapshot(self) -> object:
        rows = [(row.gate, row.state, row.told, [replace(each) for each in row.entries]) for row in self.post.rows()]
        return rows, self.post.sound

    def _do_will(self, name: str) -> None:
        self.send(StateHeard(name, self.gates[name].will()))
        self.gates[name].connect(self.now_ms)

    def _do_connect(self, name: str) -> None:
        self.gates[name].connect(self.now_ms)

    def _do_boot(self, name: str) -> None:
        self.gates[name].boot(self.now_ms)

    def _do_press(self, arrives: bool) -> None:
        self.pressed_ms = self.now_ms
        for each in sent(self.send(Pressed("Wang"))):
            gate = self.gates[each.gate]
            good = each.command.boot == gate.boot_id and gate.mono_ms(self.now_ms) <= each.command.not_after_mono
            if arrives and good:
                gate.answer(each.command.alarm, each.command.by, self.now_ms)

    def _do_wait(self, ms: int) -> None:
        self.wait(ms)


@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_nothing_open_is_silent_nothing_old_counts_and_silence_is_told(steps: list[tuple[Any, ...]]) -> None:
    site = Anything()
    for step in steps:
        site.play(step)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_whatever_happened_a_heard_gate_that_is_well_and_answered_is_quiet(steps: list[tuple[Any, ...]]) -> None:
    """The other side: nothing calls for ever."""
    site = Anything()
    for step in steps:
        site.play(step)
    for name in site.names:
        site.gates[name].alarms.clear()
        site.now_ms += 1
        site.heard(name)
    assert site.post.sound == Sound()


def test_an_alarm_is_as_old_as_its_gate_says_and_one_that_is_over_says_so() -> None:
    gate, post = FakeGate(EAST, START_MS), Post("post", [EAST], sounding=["speaker"], ids=str, now_ms=START_MS)
    gate.open(AlarmKind.FIRE, START_MS)
    name, alarm = next(iter(gate.alarms.items()))
    at_ms = 1_800_000_000_000
    gate.alarms[name] = msgspec.structs.replace(alarm, since_ms=at_ms - 32 * 60_000)
    post.handle(StateHeard(EAST, heard_state(gate.state(START_MS, at_ms=at_ms))), START_MS)
    (entry,) = post.rows()[0].entries
    assert START_MS - entry.begun_ms == 32 * 60_000 and entry.is_fire and not entry.over
    later = START_MS + REPEAT_MS
    found = post.handle(StateHeard(EAST, heard_state(gate.state(later, at_ms=at_ms + REPEAT_MS, ended=(name,)))), later)
    assert entry.over and not entry.is_fire and not entry.acknowledged and post.sound.tone is Tone.ALARM
    assert later - entry.begun_ms == 32 * 60_000 + REPEAT_MS
    assert not [each for each in found if isinstance(each, Say)], "it calls, and is not said to burn"
