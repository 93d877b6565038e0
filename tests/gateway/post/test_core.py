"""The post's core, towards gates that raise, answer, fall silent and come back, over a road that loses, doubles and delays."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alarm_rules import RULES
from gateway.core.effects import Tone
from gateway.post.core import (
    ANSWER_MS,
    ASK_AGAIN_MS,
    GATE_SILENT,
    LOUDER_MS,
    REPEAT_MS,
    AlarmHeard,
    Ask,
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
from gateway.post.gates import MOST_AHEAD
from gateway.post.heard import HeardAlarm, HeardMessage, HeardState
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage, Asked, Level, StateMessage
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
        self.asked: tuple[Asked, ...] = ()
        self.connect(now_ms)

    def connect(self, now_ms: int) -> None:
        """A new connection."""
        self.connection = now_ms - self.booted_ms

    def mono_ms(self, now_ms: int) -> int:
        return now_ms - self.booted_ms

    def state(self, now_ms: int, **changes: Any) -> StateMessage:
        message = StateMessage(
            online=True, boot=self.boot_id, connection=self.connection, mono_ms=self.mono_ms(now_ms),
            alarms=tuple(self.alarms.values()), asked=self.asked,
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
        self.send(Tick())

    def send(self, event: Event) -> tuple[Effect, ...]:
        done = self.post.handle(event, self.now_ms)
        self.did += done
        for each in done:
            if isinstance(each, Ask):
                question = each.question
                self.gates[question.gate].asked = (Asked(post=question.post, number=question.number),)
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


def test_a_gates_alarms_are_shown_as_its_page_shows_them(site: Site) -> None:
    for kind in (AlarmKind.FIRE, AlarmKind.DOOR_FORCED, AlarmKind.CALL, AlarmKind.TAMPER, AlarmKind.DEVICE_LOST):
        site.now_ms += 1_000
        site.alarm(kind)
    worst_first = ["fire", "tamper", "door-forced", "call", "device-lost"]
    assert [kind for kind, _ in site.kinds()] == worst_first
    lost = next(each for each in site.gates[EAST].alarms.values() if each.kind == "device-lost")
    site.gates[EAST].alarms[lost.id] = msgspec.structs.replace(lost, level=Level.LEADER)
    site.heard()
    assert [kind for kind, _ in site.kinds()] == worst_first


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
    site.wait(ASK_AGAIN_MS)
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
    assert site.post.sound == Sound(), "that may be anybody"
    site.wait(ASK_AGAIN_MS)
    site.heard()
    assert site.post.sound.tone is Tone.ALARM


def test_another_gate_is_nothing_to_this_post(site: Site) -> None:
    stranger = FakeGate("north", site.now_ms)
    site.send(StateHeard("north", stranger.state(site.now_ms)))
    site.send(AlarmHeard("north", stranger.open(AlarmKind.FIRE, site.now_ms)))
    assert site.post.sound == Sound()


# whoever recorded what a gate said, and says it again


def recorded(site: Site, ms: int) -> list[HeardState]:
    """What this gate, which is well and heard, says in that time."""
    gate = site.gates[EAST]
    begun = len(gate.told)
    site.keep_alive(ms)
    assert site.state_of() is GateState.HEARD
    return [told for told in gate.told[begun:] if isinstance(told, HeardState)]


def started_again(site: Site) -> None:
    """The post starts again, and knows nothing."""
    site.post = Post("lodge", [EAST], sounding=["speaker"], ids=lambda: uuid4().hex, now_ms=site.now_ms)
    site.did.clear()
    site.send(Tick())


def played(site: Site, states: Sequence[HeardState], *, kept: bool = False) -> list[GateState]:
    """They come again, at the pace of a gate. How it stands after each."""
    found = []
    for state in states:
        site.send(StateHeard(EAST, state, kept=kept))
        found.append(site.state_of())
        site.wait(BEAT_MS)
    return found


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("boots", [1, 3])
def test_a_recorded_gate_is_no_gate_to_a_post_that_starts(site: Site, kept: bool, boots: int) -> None:
    states = recorded(site, 30_000)
    for _ in range(boots - 1):
        site.gates[EAST].boot(site.now_ms)
        site.heard()
        site.wait(ASK_AGAIN_MS)
        states += recorded(site, 30_000)
    started_again(site)
    begun = site.now_ms
    assert GateState.HEARD not in played(site, states, kept=kept)
    told = [each for each in site.did if isinstance(each, Show)]
    assert told[0] == Show("opened", EAST, GATE_SILENT) and site.now_ms > begun + SILENT_MS
    assert not any(isinstance(each, Beat) for each in site.did), "the gate would believe that it is heard"
    assert site.state_of() is GateState.SILENT
    site.gates[EAST].boot(site.now_ms)  # and the gate itself, whatever came before it
    site.heard()
    site.wait(ASK_AGAIN_MS)
    site.heard()
    assert site.state_of() is GateState.HEARD


def test_one_that_is_heard_for_the_first_time_is_waited_for_until_it_answers(site: Site) -> None:
    answered = site.gates[EAST].asked
    started_again(site)
    asked, site.gates[EAST].asked = site.gates[EAST].asked, answered
    site.wait(1)
    site.heard()
    assert site.state_of() is GateState.WAITED_FOR
    site.gates[EAST].asked = (Asked(post="another", number=asked[0].number),)
    site.wait(1)
    site.heard()
    assert site.state_of() is GateState.WAITED_FOR
    site.gates[EAST].asked = asked
    site.wait(1)
    site.heard()
    assert site.state_of() is GateState.HEARD


def test_a_recorded_boot_takes_nothing_from_the_gate_that_is_heard(site: Site) -> None:
    calm = recorded(site, 6_000)
    site.gates[EAST].boot(site.now_ms)
    started_again(site)
    site.heard()
    alarm = site.alarm(AlarmKind.DOOR_FORCED)
    for state in calm:
        site.send(StateHeard(EAST, state))
        site.send(StateHeard(EAST, msgspec.structs.replace(state, online=False)))
        assert (site.state_of(), site.kinds()) == (GateState.HEARD, [("door-forced", False)])
    site.wait(ASK_AGAIN_MS)
    site.heard()
    assert site.state_of() is GateState.HEARD, "the recorded one came later, and is not the later one"
    site.send(Pressed("Wang"))
    assert sent(site.did)[-1].command.alarm == alarm.id
    assert sent(site.did)[-1].command.boot == site.gates[EAST].boot_id


def test_a_gate_that_is_cut_off_is_not_made_calm_by_what_was_recorded(site: Site) -> None:
    calm = recorded(site, 30_000)
    started_again(site)
    site.gates[EAST].boot(site.now_ms)
    site.alarm(AlarmKind.DOOR_FORCED)
    site.heard()  # and nothing after that
    site.wait(1_000)
    assert GateState.HEARD not in played(site, calm)[3:]
    assert ("door-forced", False) in site.kinds() and (GATE_SILENT, False) in site.kinds()


def test_alarms_of_another_boot_call_while_no_answer_is_heard_and_end_with_one(site: Site) -> None:
    site.wait(SILENT_MS)
    site.gates[EAST].boot(site.now_ms)
    site.alarm(AlarmKind.FIRE)
    assert ("fire", False) in site.kinds()
    site.send(AlarmHeard(EAST, site.gates[EAST].over(next(iter(site.gates[EAST].alarms)), site.now_ms)))
    assert ("fire", False) in site.kinds(), "who says so has not answered"
    site.heard()
    site.wait(ASK_AGAIN_MS)
    site.heard()
    assert site.kinds() == []


def test_what_a_broker_holds_back_is_no_sign_of_life(site: Site) -> None:
    gate, held = site.gates[EAST], list[HeardState]()
    for _ in range(10):
        site.wait(BEAT_MS)
        held.append(gate.state(site.now_ms))
        site.send(StateHeard(EAST, held[0])) if len(held) == 1 else None
    assert site.state_of() is GateState.SILENT
    assert GateState.HEARD not in played(site, held[:-4]), "each of them is new, and too old"


def test_a_recorded_will_does_not_keep_a_gate_silent_that_answers(site: Site) -> None:
    will = site.gates[EAST].will()
    site.wait(1_000)
    site.send(StateHeard(EAST, will))
    assert site.state_of() is GateState.SILENT
    site.wait(BEAT_MS)
    site.heard()
    assert site.state_of() is GateState.HEARD, "it has answered what was asked since"


def test_strangers_boots_are_bounded() -> None:
    site = Site([EAST])
    for number in range(3 * MOST_AHEAD):
        alarm = HeardAlarm(id=f"{number:032x}", kind="call")
        site.send(AlarmHeard(EAST, HeardMessage(action="raised", alarm=alarm, boot=f"{number:032x}", mono_ms=1)))
    assert len(site.post.rows()[0].entries) == MOST_AHEAD


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whoever_says_again_what_was_said_makes_no_gate_heard_and_no_alarm_silent(data: st.DataObject) -> None:
    site = Site([EAST])
    gate = site.gates[EAST]
    for _ in range(data.draw(st.integers(1, 4))):
        gate.boot(site.now_ms)
        for _ in range(data.draw(st.integers(0, 2))):
            site.alarm(data.draw(st.sampled_from(AlarmKind)))
        site.keep_alive(data.draw(st.integers(1, 4)) * BEAT_MS)
        gate.alarms.clear()
    told: list[Any] = [*gate.told, heard_state(gate.will())]
    alive = data.draw(st.booleans())
    if alive:
        gate.boot(site.now_ms)
    started_again(site)
    if alive:
        site.wait(1)
        site.heard()
        site.alarm(AlarmKind.TAMPER)
    for _ in range(data.draw(st.integers(1, 30))):
        message = data.draw(st.sampled_from(told))
        if isinstance(message, HeardMessage):
            site.send(AlarmHeard(EAST, message))
        else:
            site.send(StateHeard(EAST, message, kept=data.draw(st.booleans())))
        assert (site.state_of() is GateState.HEARD) == alive
        assert not alive or site.kinds() == [("tamper", False)]
        site.wait(data.draw(st.integers(1, BEAT_MS)))
        if alive:
            site.heard()


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
        gate = self.gates[name]
        message = gate.open(kind, self.now_ms)
        self._alarm(name, message, arrives=arrives)
        (row,) = (row for row in self.post.rows() if row.gate == name)
        if arrives and row.state is GateState.HEARD and row.told is not None and row.told.boot != gate.boot_id:
            self._do_state(name)  # another boot is believed when it has answered
        elif arrives:
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
        self.wait(ASK_AGAIN_MS)  # it may have had to be asked
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
        """A message that is older than the last state, once more: nothing changes. While its gate is not heard, one of a boot that
        was never heard of here may call."""
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
        before, sound = self._snapshot(), self.post.sound
        self.send(StateHeard(name, message) if isinstance(message, HeardState) else AlarmHeard(name, message))
        after = self._snapshot()
        if self.state_of(name) is not GateState.HEARD:
            after = {each: after[each] for each in before}
        else:
            assert sound == self.post.sound
        assert after == before

    def _snapshot(self) -> dict[object, object]:
        rows = {row.gate: (row.state, row.told) for row in self.post.rows()}
        return {**rows, **{(each.gate, each.alarm): replace(each) for row in self.post.rows() for each in row.entries}}

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
        site.wait(1)
        site.heard(name)
        site.wait(ASK_AGAIN_MS)
        site.heard(name)
    assert site.post.sound == Sound()


def test_an_alarm_is_as_old_as_its_gate_says_and_one_that_is_over_says_so() -> None:
    site = Site([EAST])
    gate, post = site.gates[EAST], site.post
    gate.open(AlarmKind.FIRE, START_MS)
    name, alarm = next(iter(gate.alarms.items()))
    at_ms = 1_800_000_000_000
    gate.alarms[name] = msgspec.structs.replace(alarm, since_ms=at_ms - 32 * 60_000)
    site.heard(at_ms=at_ms)
    (entry,) = post.rows()[0].entries
    assert START_MS - entry.begun_ms == 32 * 60_000 and entry.is_fire and not entry.over
    begun = len(site.did)
    for _ in range(10):
        site.heard(at_ms=at_ms + site.now_ms - START_MS, ended=(name,))
        site.wait(REPEAT_MS // 10)
    later = site.now_ms
    found = site.did[begun:]
    assert entry.over and not entry.is_fire and not entry.acknowledged and post.sound.tone is Tone.ALARM
    assert later - entry.begun_ms == 32 * 60_000 + REPEAT_MS
    assert not [each for each in found if isinstance(each, Say)], "it calls, and is not said to burn"
