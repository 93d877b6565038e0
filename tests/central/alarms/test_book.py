"""What the office knows of alarms: the same in the end, in whatever order news comes, and however often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.accounts.models import User
from central.alarms.book import acknowledge, raise_at_office, raise_cloned
from central.alarms.models import ENDED, Alarm, AlarmEvent, Origin
from central.registry.models import Gate as Row
from central.registry.states import CLONE_TIMES
from sync.contract.alarms import Alarm as Told
from sync.contract.alarms import AlarmAction, AlarmKind, AlarmMessage, StateMessage
from sync.contract.records import AlarmRecord
from sync.log.records import GENESIS, Record, chain_hash
from tests.central.ingest.sending import NORTH, NOW, NOW_MS, Desk, admitted, batch, log_id, record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]
RAISED, REPEATED = AlarmAction.RAISED, AlarmAction.REPEATED
ACKNOWLEDGED, CLEARED = AlarmAction.ACKNOWLEDGED, AlarmAction.CLEARED
End = dict[str, tuple[object, ...]]


@dataclass
class Gate:
    """A gate that tells the truth: what happens to its alarms, and the three ways in which it tells so."""

    messages: list[AlarmMessage] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    states: list[StateMessage] = field(default_factory=list)
    open: dict[str, Told] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)  # as each stood last
    over: set[str] = field(default_factory=set)  # of those that are open
    let_in: set[str] = field(default_factory=set)
    events: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    boot: int = 1
    connection: int = 1
    mono_ms: int = 0

    def happens(self, action: AlarmAction, alarm: Told, by: str = "", what: str = "") -> None:
        """Something happens to an alarm: it is sent ahead, and a record is written."""
        self.mono_ms += 10
        self.let_in |= {alarm.id} if what else set()
        self.over -= {alarm.id} if action in (CLEARED, REPEATED) else set()
        if action is CLEARED:
            self.open.pop(alarm.id, None)
        else:
            self.open[alarm.id] = alarm
        self.told[alarm.id] = alarm
        step = alarm.count if action is REPEATED else 0
        self.events.setdefault(alarm.id, set()).add((str(action), step))
        boot = bytes([self.boot]) * 16
        self.messages.append(
            AlarmMessage(action=action, alarm=alarm, at_ms=NOW_MS, boot=boot.hex(), mono_ms=self.mono_ms)
        )
        written = record(AlarmRecord(action=action, alarm=alarm, by=by, what=what), len(self.records) + 1)
        self.records.append(msgspec.structs.replace(written, boot=boot, mono=self.mono_ms))

    def states_itself(self) -> None:
        """It sends its state."""
        self.mono_ms += 10
        self.states.append(
            StateMessage(
                online=True,
                boot=(bytes([self.boot]) * 16).hex(),
                connection=self.connection,
                mono_ms=self.mono_ms,
                log_id=log_id(),
                head=len(self.records),
                alarms=tuple(self.open.values()),
                ended=tuple(sorted(self.over)),
            )
        )

    def reboots(self) -> None:
        """It starts again; open alarms survive."""
        self.boot, self.connection, self.mono_ms = self.boot + 1, self.connection + 1, 0
        self.over.clear()  # its sensors tell it anew
        self.states_itself()

    def end(self) -> End:
        """What the office must know of every alarm once it has heard everything."""
        return {
            name: (
                alarm.kind.value,
                alarm.count,
                alarm.acknowledged,
                alarm.acknowledged_by,
                name not in self.open,
                name not in self.open or name in self.over,
                name not in self.open
                and (alarm.acknowledged or alarm.kind is AlarmKind.CAPACITY or name in self.let_in),
            )
            for name, alarm in self.told.items()
        }


def known() -> tuple[End, dict[str, set[tuple[str, int]]]]:
    """What the office knows of the gate's alarms."""
    gates = Alarm.objects.filter(origin=Origin.GATE)
    rows: End = {
        row.pk: (
            row.kind,
            row.count,
            row.gate_acknowledged,
            row.gate_acknowledged_by,
            row.cleared,
            row.over,
            row.settled,
        )
        for row in gates
    }
    events: dict[str, set[tuple[str, int]]] = {}
    happened = AlarmEvent.objects.filter(alarm__in=gates).exclude(
        action=ENDED
    )  # only a state says that, and it may be lost
    for name, action, step in happened.values_list("alarm", "action", "step"):
        events.setdefault(name, set()).add((action, step))
    return rows, events


def an_alarm(number: int, kind: AlarmKind = AlarmKind.DOOR_FORCED) -> Told:
    """An alarm as it is raised."""
    return Told(id=f"{number:032x}", kind=kind, portal="main", since_ms=NOW_MS)


@st.composite
def stories(draw: st.DrawFn) -> Gate:
    """A gate that has had up to three alarms."""
    gate = Gate()
    for step in draw(
        st.lists(st.sampled_from(["raise", "repeat", "end", "acknowledge", "clear", "state", "reboot"]), max_size=9)
    ):
        some = draw(st.sampled_from(sorted(gate.open))) if gate.open else None
        match step:
            case "raise" if len(gate.told) < 3:
                kinds = (AlarmKind.DOOR_FORCED, AlarmKind.NIGHT_ARRIVAL, AlarmKind.CAPACITY)
                gate.happens(RAISED, an_alarm(len(gate.told) + 1, draw(st.sampled_from(kinds))))
            case "repeat" if some is not None:
                gate.happens(REPEATED, msgspec.structs.replace(gate.open[some], count=gate.open[some].count + 1))
            case "end" if some is not None and not gate.open[some].acknowledged:
                gate.over.add(some)
            case "acknowledge" if some is not None and not gate.open[some].acknowledged:
                alarm = msgspec.structs.replace(gate.open[some], acknowledged=True, acknowledged_by="guard")
                gate.happens(ACKNOWLEDGED, alarm, by="guard")
            case "clear" if some is not None:
                may_be = ("", "granted", "went-out") if gate.open[some].kind is AlarmKind.NIGHT_ARRIVAL else ("",)
                gate.happens(CLEARED, gate.open[some], what=draw(st.sampled_from(may_be)))
            case "state":
                gate.states_itself()
            case "reboot":
                gate.reboots()
    gate.states_itself()
    return gate


@st.composite
def deliveries(draw: st.DrawFn, gate: Gate) -> list[AlarmMessage | StateMessage | Record]:
    """Everything in any order: messages lost or doubled, states lost but the last; records once each, in their order.

    No state comes for the first time when one of a later boot has come before: which of two boots is the later, only
    hearing of them can tell."""
    what: list[AlarmMessage | StateMessage | None] = [None] * len(gate.records)
    for message in gate.messages:
        what += [message] * draw(st.integers(0, 2))
    for state in gate.states[:-1]:
        what += [state] * draw(st.integers(0, 2))
    what.append(gate.states[-1])
    records = iter(gate.records)
    order = [next(records) if item is None else item for item in draw(st.permutations(what))]
    heard: list[str] = []  # boots, in the order of their states
    for item in list(order):
        if isinstance(item, StateMessage):
            if heard and item.boot < max(heard) and item.boot not in heard:
                order = [other for other in order if other is not item]
            else:
                heard.append(item.boot)
    return order


def deliver(order: Sequence[AlarmMessage | StateMessage | Record]) -> None:
    """Let it all arrive."""
    desk = Desk()
    previous = GENESIS
    for item in order:
        if isinstance(item, Record):
            desk.take(batch(item, previous=previous))
            previous = chain_hash(previous, item)
        else:
            desk.take(item)
    assert desk.refusals.total == 0


def came_back(order: Sequence[AlarmMessage | StateMessage | Record]) -> int:
    """How many states came late: of a boot that a later one had superseded by then. From here, that is what two machines look like."""
    late: set[int] = set()
    latest = ""
    for item in order:
        if isinstance(item, StateMessage):
            latest = max(latest, item.boot)
            if item.boot < latest:
                late.add(item.mono_ms)
    return len(late)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_in_whatever_order_news_comes_the_office_knows_the_same_in_the_end(data: st.DataObject) -> None:
    gate = data.draw(stories())
    order = data.draw(deliveries(gate))
    with transaction.atomic():
        admitted()
        deliver(order)
        end, events = known()
        own = {alarm.kind for alarm in Alarm.objects.filter(origin=Origin.OFFICE)}
        transaction.set_rollback(True)
    assert end == gate.end()
    assert events == gate.events
    assert own == ({"cloned-gate"} if came_back(order) >= CLONE_TIMES else set())


def test_a_state_alone_raises_acknowledges_and_clears() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, an_alarm(1))
    gate.happens(RAISED, an_alarm(2))
    gate.states_itself()
    desk.take(gate.states[-1])
    assert not Alarm.objects.filter(cleared=True).exists()
    gate.happens(ACKNOWLEDGED, msgspec.structs.replace(an_alarm(1), acknowledged=True, acknowledged_by="guard"))
    gate.happens(CLEARED, an_alarm(2))
    gate.states_itself()
    desk.take(gate.states[-1])
    assert known() == (gate.end(), gate.events)


def test_an_alarm_that_is_over_and_unanswered_is_open_and_over_since_the_state_that_said_so() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, an_alarm(1))
    gate.states_itself()
    gate.over.add(an_alarm(1).id)
    for at_ms in (NOW_MS + 5_000, NOW_MS + 35_000):
        gate.states_itself()
        gate.states[-1] = msgspec.structs.replace(gate.states[-1], at_ms=at_ms)
    desk.take(*gate.states)
    row = Alarm.objects.get()
    assert (row.cleared, row.over_ms, row.standing) == (False, NOW_MS + 5_000, "over")
    assert list(row.events.values_list("action", "at_ms")) == [("raised", NOW_MS), (ENDED, NOW_MS + 5_000)]
    acknowledge([row.pk], User.objects.create(username="li"), "shut it")
    assert Alarm.objects.get().standing == "over-open", "its gate still waits"
    gate.happens(CLEARED, msgspec.structs.replace(an_alarm(1), acknowledged=True))
    desk.take(gate.messages[-1])
    row = Alarm.objects.get()
    assert (row.over_ms, row.standing) == (NOW_MS + 5_000, "closed")


def test_what_was_over_and_happens_again_goes_on_at_once_and_is_told_when_it_ends_again() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, an_alarm(1))
    gate.over.add(an_alarm(1).id)
    gate.states_itself()
    desk.take(*gate.messages, *gate.states)
    assert Alarm.objects.get().standing == "over"
    gate.happens(REPEATED, msgspec.structs.replace(an_alarm(1), count=2))
    desk.take(gate.messages[-1])
    assert Alarm.objects.get().standing == "new", "before any state says so"
    desk.take(batch(*gate.records))
    gate.over.add(an_alarm(1).id)
    gate.states_itself()
    desk.take(gate.states[-1])
    desk.take(gate.messages[-1])  # late, and told before
    assert Alarm.objects.get().standing == "over"
    assert list(AlarmEvent.objects.filter(action=ENDED).values_list("step", flat=True)) == [1, 2]


def test_a_state_from_before_a_repetition_does_not_end_it() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, an_alarm(1))
    gate.over.add(an_alarm(1).id)
    gate.states_itself()
    gate.happens(REPEATED, msgspec.structs.replace(an_alarm(1), count=2))
    desk.take(*gate.messages, *gate.states)  # what overtakes the state is the later news
    assert Alarm.objects.get().standing == "new"


def test_a_state_that_is_older_than_an_alarm_does_not_close_it() -> None:
    gate, desk = Gate(), Desk()
    gate.states_itself()
    gate.happens(RAISED, an_alarm(1))
    desk.take(*gate.messages, *gate.states)
    assert not Alarm.objects.get().cleared


def test_an_alarm_of_a_gate_that_was_just_admitted_is_open() -> None:
    gate, desk = Gate(), Desk(admit=False)
    gate.happens(RAISED, an_alarm(1))
    gate.states_itself()
    assert desk.take(*gate.states) == []
    Row.objects.update(admitted=True)
    desk.take(batch(*gate.records))
    assert not Alarm.objects.get().cleared, "its state, which lists the alarm, was not taken"


def test_what_a_record_says_more_than_the_message_is_added() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, an_alarm(1))
    gate.happens(ACKNOWLEDGED, msgspec.structs.replace(an_alarm(1), acknowledged=True), by="li at the gate")
    desk.take(*gate.messages)
    assert Alarm.objects.get().gate_acknowledged_by == ""
    desk.take(batch(*gate.records))
    assert Alarm.objects.get().gate_acknowledged_by == "li at the gate"
    assert AlarmEvent.objects.get(action="acknowledged").by == "li at the gate"


@pytest.mark.parametrize("name", ["", "x", "A" * 32, f"{1:031x}", f"{1:033x}", f"{1:032x}\n"])
def test_an_id_that_is_none_is_refused_and_doubted(name: str) -> None:
    gate, desk = Gate(), Desk()
    admitted()
    gate.happens(RAISED, msgspec.structs.replace(an_alarm(1), id=name))
    desk.take(*gate.messages)
    assert desk.refusals.counts == {NORTH: 1}
    assert len(desk.take(batch(*gate.records))) == 1, "the record is kept"
    assert [(alarm.kind, alarm.origin) for alarm in Alarm.objects.all()] == [("record-doubtful", "office")]


def test_numbers_of_an_alarm_record_that_no_64_bits_hold_are_kept_in_the_record_alone() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, msgspec.structs.replace(an_alarm(1), since_ms=10**30))
    assert len(desk.take(batch(*gate.records))) == 1
    assert not Alarm.objects.exists()


def test_hostile_words_of_an_alarm_are_one_harmless_line() -> None:
    gate, desk = Gate(), Desk()
    words = "\x1b[2J\u202e<script>" + "x" * 500
    gate.happens(
        RAISED, msgspec.structs.replace(an_alarm(1), portal=words, detail=words, acknowledged_by=words), by=words
    )
    desk.take(*gate.messages, batch(*gate.records))
    alarm, event = Alarm.objects.get(), AlarmEvent.objects.get()
    for text, limit in ((alarm.portal, 64), (alarm.detail, 200), (alarm.gate_acknowledged_by, 64), (event.by, 150)):
        assert text.isprintable()
        assert text.startswith("\N{REPLACEMENT CHARACTER}[2J")
        assert len(text) == limit


# the office's own


def test_an_alarm_of_the_office_is_raised_once_and_closed_by_taking_notice() -> None:
    gate = admitted()
    for _ in range(2):
        raise_at_office(gate, "log-fork", "key", "detail", NOW)
    raise_at_office(gate, "log-fork", "another key", "detail", NOW)
    clerk = User.objects.create(username="li")
    first, second = Alarm.objects.order_by("pk")
    assert acknowledge([first.pk], clerk, "looked at\x00it") == 1
    assert acknowledge([first.pk, "nobody"], clerk, "again") == 0
    first.refresh_from_db()
    assert (first.cleared, first.office_acknowledged_by, first.office_note) == (
        True,
        clerk,
        "looked at\N{REPLACEMENT CHARACTER}it",
    )
    second.refresh_from_db()
    assert not second.cleared
    assert list(first.events.values_list("action", flat=True)) == ["raised", "office-ack"]


def test_taking_notice_of_a_gates_alarm_does_not_close_it() -> None:
    gate, desk = Gate(), Desk()
    gate.happens(RAISED, an_alarm(1))
    desk.take(*gate.messages)
    acknowledge([an_alarm(1).id], User.objects.create(username="li"), "called them")
    alarm = Alarm.objects.get()
    assert (alarm.acknowledged, alarm.gate_acknowledged, alarm.cleared) == (True, False, False)


def test_a_call_that_was_answered_by_its_end_and_a_notice_that_is_over_are_settled_and_a_danger_is_not() -> None:
    gate, desk = Gate(), Desk()
    ends = {
        AlarmKind.NIGHT_ARRIVAL: "granted",
        AlarmKind.CAPACITY: "",
        AlarmKind.DOOR_HELD_OPEN: "",
        AlarmKind.CALL: "",
    }
    for number, (kind, what) in enumerate(ends.items(), start=1):
        gate.happens(RAISED, an_alarm(number, kind))
        gate.happens(CLEARED, an_alarm(number, kind), what=what)
    desk.take(*gate.messages)
    found = {row.kind: row.standing for row in Alarm.objects.all()}
    assert found == {
        "night-arrival": "unanswered",
        "capacity": "passed",
        "door-held-open": "over",
        "call": "unanswered",
    }
    previous = GENESIS
    for written in gate.records:
        desk.take(batch(written, previous=previous))
        previous = chain_hash(previous, written)
    assert {row.kind: row.standing for row in Alarm.objects.all()} == found | {"night-arrival": "visit-ended"}
    assert Alarm.objects.get(kind="night-arrival").events.get(action="cleared").what == "granted"


def test_of_two_machines_it_is_said_again_when_they_still_run_an_hour_after_somebody_knew() -> None:
    admitted()
    gate = Row.objects.get()
    gate.boot = "0a" * 16
    li = User.objects.create(username="li")

    def open_ones(minutes: int) -> list[str]:
        raise_cloned(gate, "0b" * 16, NOW + timedelta(minutes=minutes))
        return list(Alarm.objects.filter(kind="cloned-gate", settled=False).values_list("pk", flat=True))

    (first,) = open_ones(0)
    assert open_ones(180) == [first], "known to nobody, it is one"
    acknowledge([first], li, "shall look")
    Alarm.objects.update(office_acknowledged_at=NOW + timedelta(minutes=200))
    assert open_ones(259) == []
    (second,) = open_ones(261)
    assert second != first
    acknowledge([second], li, "took the copy away")
    Alarm.objects.filter(pk=second).update(office_acknowledged_at=NOW + timedelta(minutes=270))
    assert open_ones(300) == []
    assert len(open_ones(10_000)) == 1, "the copy is back, and was not switched off"
