"""The gate's end: who asks is known here, and nothing of what the page says is believed."""

import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.child import ChildMisbehaved
from gateway.config import load
from gateway.core import events
from gateway.core.effects import Append, Show
from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import AntiPassback, CapacityPolicy, Due, Mode, Policy, RoundPolicy
from gateway.core.status import Status
from gateway.directory import Directory
from gateway.page import messages
from gateway.page.alarms import LATELY, LATELY_MS, MOST_SHOWN, RecentAlarms
from gateway.page.desk import CARD_MS, MOST_CARDS, MOST_ORDERS, SAME_CARD_MS, WITHIN_MS, Gate, PageDesk
from gateway.page.guards import Guard, Role, new_guard, write_guards
from gateway.page.messages import Answer, Ask, HandOver, Person, Snapshot, decode_to_page, encode
from gateway.page.recall import recall
from gateway.page.settings import setup_of
from gateway.page.snapshot import on_duty, packed, take
from gateway.page.view import View
from gateway.page.visits import LAST, RecentVisits
from gateway.page.words import Words
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, DeviceReport, Level
from sync.contract.colours import PassType
from sync.contract.directory import Duty, DutyRole
from sync.contract.records import AlarmRecord, Direction, Door, DrillStage, Shift, ShiftAction, Visit, VisitOutcome
from tests.gateway.config.files import devices, sections
from tests.gateway.core.acting import Gate as Core
from tests.gateway.core.acting import at, card, health, policy
from tests.gateway.journaling import NOW, opened
from tests.gateway.journaling import Answer as Answered

ALARM, VISIT = "ab" * 16, "cd" * 16
GUARDS = [
    new_guard("Li", "739164", Role.GUARD, "h-li"),
    new_guard("Chen", "502847", Role.LEADER, "h-chen"),
]


@dataclass
class World:
    """A desk whose page is this test."""

    folder: Path
    now_ms: int = 1_000_000
    status: Status = field(
        default_factory=lambda: Status(
            mode="normal",
            door="locked",
            inside=0,
            devices_lost=(),
            rounds={"lift": 1},
            alarms=(Alarm(id=ALARM, kind=AlarmKind.FEVER, portal="main", since_ms=1),),
            visiting=True,
        )
    )
    posted: list[events.Event] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = self.folder / "gate.toml"
        path.write_text(sections() + '[page]\nhost = "127.0.0.1"\nplaintext = true\nidle_min = 5\n' + devices())
        (self.folder / "data").mkdir(exist_ok=True)
        self.guards = self.folder / "data" / "guards.json"
        write_guards(self.guards, GUARDS)
        directory = Directory(self.folder / "data" / "directory.sqlite")
        directory.open()
        gate = Gate(
            status=lambda: self.status,
            turned_ms=lambda: self.now_ms,
            now=lambda: Moment(mono_ms=self.now_ms, at_ms=1_800_000_000_000 + self.now_ms, trusted=True),
            post=self.posted.append,
            directory=directory,
        )
        self.desk = PageDesk(load(path), gate)
        self.desk._child.send = lambda packet: self.sent.append(decode_to_page(packet))  # type: ignore[method-assign]

    def say(self, what: Any, token: str = "", address: str = "10.0.0.9") -> Answer | None:
        """What the page says; the answer, unless it comes later."""
        before = len(self.sent)
        self.desk._hear(encode(Ask(id=7, token=token, address=address, what=what)))
        answers = [each for each in self.sent[before:] if isinstance(each, Answer)]
        return answers[0] if answers else None

    def ask(self, what: Any, token: str = "", address: str = "10.0.0.9") -> Answer:
        answer = self.say(what, token, address)
        assert answer is not None
        return answer

    def log_in(self, name: str = "Li", pin: str = "739164", **asked: str) -> Answer:
        tablet = asked.pop("tablet", "")
        return self.ask(messages.LogIn(name=name, pin=pin, tablet=tablet), **asked)

    def orders(self) -> list[events.Event]:
        return [each for each in self.posted if not isinstance(each, events.AccessRefused | events.AccessLocked)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def read(holder: str, outcome: Outcome = Outcome.VALID) -> CredentialResolved:
    verdict = Verdict(outcome=outcome, reason="ok", kind="card", credential="c", holder=holder)
    return CredentialResolved(verdict, "reader", Direction.ENTRY, 0)


ORDERS: list[tuple[messages.Action, Callable[[str], events.Event]]] = [
    (messages.Acknowledge(alarm=ALARM, note=" seen "), lambda by: events.Acknowledge(by, ALARM, "seen")),
    (messages.NoteAlarm(alarm=ALARM, what="done", note="x"), lambda by: events.AlarmNoted(ALARM, by, "done", "x")),
    (messages.StopSiren(), events.SirenStopped),
    (messages.Release(reason="a\u202eb\nc"), lambda by: events.GuardRelease(by, "a\ufffdb\ufffdc")),
    (messages.Vehicle(plate="京A12345", delivery=True), lambda by: events.VehicleNoted("京A12345", by, True)),
    (messages.Correct(inside=3), lambda by: events.CountCorrected(3, by)),
    (messages.Switch(mode=Mode.CLOSED), lambda by: events.ModeOrdered(Mode.CLOSED, by)),
    (
        messages.Shift(action=ShiftAction.HANDED_OVER, to="Wu", note="n"),
        lambda by: events.ShiftChanged(ShiftAction.HANDED_OVER, by, "Wu", "n"),
    ),
    (messages.Confirm(round="lift"), lambda by: events.RoundConfirmed("lift", by)),
]


@pytest.mark.parametrize(("action", "event"), ORDERS, ids=[type(action).__name__ for action, _ in ORDERS])
def test_an_order_is_the_event_of_whose_log_in_it_is(
    world: World, action: messages.Action, event: Callable[[str], events.Event]
) -> None:
    token = world.log_in().token
    assert world.ask(action, token).ok
    assert world.orders() == [event("Li")]


@pytest.mark.parametrize("token", ["", "x", "A" * 43])
@pytest.mark.parametrize(
    "action", [action for action, _ in ORDERS], ids=[type(action).__name__ for action, _ in ORDERS]
)
def test_without_a_log_in_nothing_is_done(world: World, action: messages.Action, token: str) -> None:
    world.log_in()
    answer = world.ask(action, token)
    assert (answer.ok, answer.reason) == (False, "logged-out")
    assert world.orders() == []


LEADERS: list[messages.Action] = [
    messages.Switch(mode=Mode.LOCKDOWN),
    messages.Switch(mode=Mode.FREE),
    messages.Switch(mode=Mode.NORMAL, drill=True),
    messages.NoteAlarm(alarm=ALARM, what="instruction", note="x"),
]


@pytest.mark.parametrize("action", LEADERS)
def test_what_only_the_leader_may(world: World, action: messages.Action) -> None:
    assert world.ask(action, world.log_in().token).reason == "leader-only"
    assert world.orders() == []
    assert world.ask(action, world.log_in("Chen", "502847").token).ok
    assert len(world.orders()) == 1


@pytest.mark.parametrize(("mode", "drill"), [("lockdown", False), ("free", False), ("normal", True)])
def test_what_the_leader_ordered_no_guard_undoes(world: World, mode: str, drill: bool) -> None:
    world.status = Status(mode=mode, door="locked", inside=0, devices_lost=(), alarms=(), drill=drill)
    assert world.ask(messages.Switch(mode=Mode.NORMAL), world.log_in().token).reason == "leader-only"
    assert world.ask(messages.Switch(mode=Mode.NORMAL), world.log_in("Chen", "502847").token).ok


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (messages.Acknowledge(alarm="cd" * 16), "nothing-to-acknowledge"),
        (messages.Register(name="a", host="b"), "nobody-there"),
        (messages.Stamp(stage=DrillStage.ASSEMBLED), "no-drill"),
        (messages.Confirm(round="other"), "not-due"),
        (messages.Shift(action=ShiftAction.HANDED_OVER), "no-name"),
        (messages.Shift(action=ShiftAction.PRESENT), "unknown-action"),
    ],
)
def test_what_cannot_be_done_is_said(world: World, action: messages.Action, reason: str) -> None:
    token = world.log_in().token
    if reason == "nobody-there":
        world.status = Status(mode="normal", door="locked", inside=0, devices_lost=(), alarms=())
    assert world.ask(action, token).reason == reason
    assert world.orders() == []


def register(world: World, token: str, *, instead: bool = True) -> events.Registered:
    """What the core is told; nothing is answered before it has decided."""
    asked = messages.Register(name="王小明", host="3-2-501", phone="139", instead=instead, visit=VISIT)
    assert world.say(asked, token) is None
    event = world.orders()[-1]
    assert isinstance(event, events.Registered)
    return event


def decided(world: World, reference: str, outcome: str, reason: str, **more: str) -> Answer:
    """The core shows what came of it: the answer that the page is given then."""
    before = len(world.sent)
    values = {"reference": reference, "outcome": outcome, "reason": reason, **more}
    world.desk.watch(Show("registered", values), Moment(world.now_ms, 1_800_000_000_000))
    (answer,) = world.sent[before:]
    assert isinstance(answer, Answer)
    return answer


def test_a_registration_leaves_a_reference_and_the_guards_name(world: World) -> None:
    event = register(world, world.log_in().token)
    assert (event.by, event.instead, event.visit) == ("Li", True, VISIT)
    assert "王" not in event.reference
    kept = world.folder / "data" / "visitors.jsonl"
    assert kept.stat().st_mode & 0o077 == 0
    assert event.reference in kept.read_text()
    answer = decided(world, event.reference, "granted", "ok")
    assert (answer.id, answer.ok, answer.reason) == (7, True, "registered-granted")


@pytest.mark.parametrize(
    ("outcome", "reason", "number", "told"),
    [
        ("denied", "full", "3", Answer(id=7, ok=True, reason="registered-denied", why=("full",), number=3)),
        (
            "denied",
            "locked-out,unknown-code",
            "",
            Answer(id=7, ok=True, reason="registered-denied", why=("locked-out", "unknown-code")),
        ),
        ("waits", "temperature", "", Answer(id=7, ok=True, reason="registered-waits", why=("temperature",))),
        ("turned-away", "somebody-else", "", Answer(id=7, ok=False, reason="somebody-else")),
        ("turned-away", "visit-over", "", Answer(id=7, ok=False, reason="visit-over")),
    ],
)
def test_a_registration_is_answered_with_what_came_of_it(
    world: World, outcome: str, reason: str, number: str, told: Answer
) -> None:
    event = register(world, world.log_in().token)
    assert decided(world, event.reference, outcome, reason, number=number) == told
    for language in ("zh", "en"):
        assert Words(language).has(f"said-{told.reason}")


def test_what_came_of_a_registration_that_nobody_waits_for_is_told_nobody(world: World) -> None:
    event = register(world, world.log_in().token)
    decided(world, event.reference, "granted", "ok")
    before = len(world.sent)
    for reference in (event.reference, "r-other"):
        values = {"reference": reference, "outcome": "granted", "reason": "ok"}
        world.desk.watch(Show("registered", values), Moment(world.now_ms, 1))
    assert world.sent[before:] == []


def test_a_form_that_was_begun_when_nobody_was_there_is_for_nobody(world: World) -> None:
    answer = world.ask(messages.Register(name="a", host="b"), world.log_in().token)
    assert (answer.ok, answer.reason) == (False, "somebody-else")
    assert world.orders() == []


def test_a_round_is_named_as_people_call_it_due_or_missed_or_done_late(world: World) -> None:
    rounds = {"r1": RoundPolicy(times=("09:00",), title="3号楼大堂"), "r2": RoundPolicy(times=("09:00",))}
    world.desk.adopt(replace(Policy(), rounds=rounds))
    missed = Alarm(id=ALARM, kind=AlarmKind.ROUND_MISSED, portal="main", since_ms=1, detail="r1")
    world.status = replace(world.status, rounds={"r2": 1}, alarms=(missed,), ended=(ALARM,))
    told = world.desk._snapshot(world.desk._gate.now())
    assert told.titles == {"r1": "3号楼大堂"} and told.kinds == dict.fromkeys(("r1", "r2"), "disinfection")


def test_a_plate_is_taken_where_nobody_is_at_the_readers(world: World) -> None:
    """The driver may sit in the van still, or be a delivery that never comes to them."""
    token = world.log_in().token
    world.status = replace(world.status, visiting=False, vehicle=True)
    assert world.ask(messages.Vehicle(plate="京A12345", delivery=True), token).ok
    assert world.orders() == [events.VehicleNoted("京A12345", "Li", True)]
    assert world.desk._snapshot(world.desk._gate.now()).vehicle


def test_the_limit_is_the_policys_in_force(world: World) -> None:
    world.desk.adopt(replace(Policy(), capacity=CapacityPolicy(limit=40)))
    assert world.desk._snapshot(world.desk._gate.now()).limit == 40


def test_a_registration_that_cannot_be_kept_lets_nobody_in(world: World) -> None:
    token = world.log_in().token
    (world.folder / "data" / "visitors.jsonl").mkdir()
    asked = messages.Register(name="a", host="b", instead=True, visit=VISIT)
    assert world.ask(asked, token).reason == "not-kept"
    assert world.orders() == []


def test_wrong_pins_wait_are_recorded_and_told(world: World) -> None:
    answers = [world.log_in(pin="111222") for _ in range(3)]
    assert [each.wait_s for each in answers] == [0, 0, 5]
    assert world.log_in().reason == "wait"  # the right one is not even tried
    assert world.posted.count(events.AccessRefused("wrong-pin", "10.0.0.9")) == 3
    assert events.AccessLocked(True) in world.posted
    assert world.log_in(address="10.0.0.7").ok  # nobody is locked out elsewhere
    world.now_ms += 5_000
    world.desk._look_at_waiting(world.now_ms)
    assert world.posted[-1] == events.AccessLocked(False)
    assert world.log_in().ok


def test_a_name_that_is_nobodys_is_answered_like_a_wrong_pin(world: World) -> None:
    wrong, nobody = world.log_in(pin="111222", address="a"), world.log_in(name="Wu", pin="739164", address="b")
    assert (wrong.ok, wrong.reason, wrong.wait_s) == (nobody.ok, nobody.reason, nobody.wait_s)


def test_a_tablet_that_is_known_has_its_own_count(world: World) -> None:
    tablet = world.log_in().tablet
    for _ in range(6):
        world.log_in(pin="111222")
    assert world.log_in().reason == "wait"
    assert world.log_in(tablet=tablet).ok


def test_a_log_in_ends_by_itself_and_when_the_guard_is_taken_off(world: World) -> None:
    token = world.log_in().token
    world.now_ms += 5 * 60_000 - 1
    assert world.ask(messages.Who(), token).person is not None
    world.now_ms += 1
    assert world.ask(messages.Who(), token).reason == "logged-out"
    token = world.log_in().token
    write_guards(world.guards, GUARDS[1:])
    assert world.ask(messages.StopSiren(), token).reason == "logged-out"
    world.guards.write_text("{")
    assert world.log_in("Chen", "502847").reason == "guards-unreadable"


def test_another_pin_ends_the_log_ins_of_before(world: World) -> None:
    token = world.log_in().token
    assert world.ask(messages.Who(), token).ok
    write_guards(world.guards, [new_guard("Li", "415926", Role.GUARD), GUARDS[1]])
    assert world.ask(messages.Who(), token).reason == "logged-out"


def test_a_tablet_at_the_wall_goes_on_after_a_restart_and_may_do_nothing(world: World) -> None:
    logged_in = world.log_in()
    tablet = messages.Watch(tablet=logged_in.tablet)
    kept = world.folder / "data" / "tablets.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert logged_in.tablet not in kept.read_text() and logged_in.token not in kept.read_text()
    again = World(world.folder)
    assert again.ask(tablet) == Answer(id=7, ok=True)  # and no name, and no log-in
    assert not again.ask(messages.Watch(tablet="x" * 43)).ok and not again.ask(messages.Watch(tablet="")).ok
    assert again.ask(messages.Who(), logged_in.token).reason == "logged-out"
    assert again.ask(messages.Release(reason="x"), logged_in.tablet).reason == "logged-out"
    assert again.ask(messages.LogInByCard(tablet=logged_in.tablet)).reason == "unknown-tablet"
    assert again.orders() == []
    again.log_in(tablet=logged_in.tablet)
    again.ask(messages.LogOut(), again.log_in(tablet=logged_in.tablet).token)
    assert again.ask(tablet).ok  # a shift that ended is no reason to show nothing


@pytest.mark.parametrize("guards", [[GUARDS[1]], [new_guard("Li", "415926", Role.GUARD), GUARDS[1]], []])
def test_a_tablet_shows_nothing_once_its_guard_is_gone_or_has_another_pin(world: World, guards: list[Guard]) -> None:
    tablet = messages.Watch(tablet=world.log_in().tablet)
    assert world.ask(tablet).ok
    write_guards(world.guards, guards)
    assert world.ask(tablet).reason == "unknown-tablet"


@pytest.mark.parametrize("content", [b"", b"{", b'{"tablets": {"x": {}}}', b'{"tablets": {}, "more": 1}', b"\xff" * 9])
def test_a_file_of_tablets_that_is_none_is_said_and_made_anew(
    world: World, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    kept = world.folder / "data" / "tablets.json"
    kept.write_bytes(content)
    again = World(world.folder)
    assert "tablets.json" in caplog.text
    tablet = again.log_in().tablet
    assert World(world.folder).ask(messages.Watch(tablet=tablet)).ok
    kept.unlink()
    kept.mkdir()
    assert again.log_in().ok and "cannot be written" in caplog.text  # it cannot be kept: who logs in is in all the same


def test_a_card_logs_in_the_one_tablet_that_waits(world: World) -> None:
    tablet = world.log_in().tablet
    assert world.log_in("Chen", "502847", tablet=tablet).tablet == tablet
    seen: list[CredentialResolved] = []
    post = world.desk.seeing(seen.append)
    assert world.say(messages.LogInByCard(tablet=tablet)) is None
    post(read("h-li", Outcome.REVOKED))
    post(read("h-somebody"))
    post(read(""))
    assert not [each for each in world.sent if isinstance(each, Answer)][2:]
    post(read("h-chen"))
    answer = world.sent[-1]
    assert answer.ok
    assert answer.person == messages.Person(name="Chen", leader=True)
    assert [each.verdict.holder for each in seen] == ["h-li", "h-somebody", ""], "the gate hears of no other"
    post(read("h-li"))
    assert world.sent[-1] is answer  # nobody waits any more


@dataclass
class Between:
    """A gate behind the page's desk: what is read goes by the desk to the core."""

    world: World

    def __post_init__(self) -> None:
        rounds = {"lobby": RoundPolicy(times=("09:00",), within_min=1, confirmed_by=("h-chen",))}
        self.gate = Core(policy(rounds=rounds, portal__anti_passback=AntiPassback.HARD), now=at("08:58"))
        self.gate.wait(180)  # due at 09:00, and missed a minute later
        self.post = self.world.desk.seeing(self._take)

    def _take(self, event: CredentialResolved) -> None:
        self.gate.send(event)

    def show(self, verdict: Verdict, direction: Direction = Direction.ENTRY) -> None:
        self.post(CredentialResolved(verdict, "reader", direction, self.gate.now.mono_ms))

    @property
    def stands(self) -> tuple[object, ...]:
        return (
            self.gate.core.durable(),
            self.gate.core.status(),
            self.gate.core.deadline(),
            len(self.gate.seen),
            len(self.gate.commits),
        )


SHOWN = (
    card("h-chen"),
    card("h-chen", kind="pass", credential="pass-1", counter=7),
    card("h-chen", PassType.VISITOR, stays_home=True),
    health(holder="h-chen"),
)
"""Whatever is the leader's and is good."""


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.kind}-{shown.pass_type}")
def test_a_card_that_is_shown_for_a_log_in_does_nothing_else(
    world: World, shown: Verdict, there: bool, direction: Direction
) -> None:
    between = Between(world)
    assert between.gate.core.status().rounds, "the round is overdue"
    if there:
        between.gate.send(events.Presence(True))
    tablet = world.log_in("Chen", "502847").tablet
    assert world.say(messages.LogInByCard(tablet=tablet)) is None
    before = between.stands
    between.show(shown, direction)
    between.show(shown, direction)  # it still lies there
    assert world.sent[-1].ok and between.stands == before
    world.now_ms += SAME_CARD_MS
    between.show(card("h-chen"))
    assert not between.gate.core.status().rounds, "shown anew it confirms"


@pytest.mark.parametrize("kind", ["nobody-waits", "somebody-else-waits", "too-late", "not-good", "other-reader"])
def test_a_card_that_is_shown_for_no_log_in_is_the_gates(world: World, kind: str) -> None:
    between = Between(world)
    tablet = world.log_in(*(("Li", "739164") if kind == "somebody-else-waits" else ("Chen", "502847"))).tablet
    if kind != "nobody-waits":
        assert world.say(messages.LogInByCard(tablet=tablet)) is None
    if kind == "too-late":
        world.now_ms += CARD_MS
    if kind == "other-reader":  # somebody holds a copy to another one
        between.post(CredentialResolved(card("h-chen"), "other", Direction.ENTRY, between.gate.now.mono_ms))
        assert world.sent[-1].ok and between.gate.core.status().rounds
    if kind == "not-good":
        between.show(card("h-chen", outcome=Outcome.EXPIRED, reason="expired"))
        assert between.gate.visits, "it is refused like any other"
        return
    between.show(card("h-chen"))
    assert not between.gate.core.status().rounds


def test_a_guard_who_waits_with_a_browser_of_his_own_gets_no_log_in_of_the_leader(world: World) -> None:
    own = world.log_in().tablet
    assert world.say(messages.LogInByCard(tablet=own)) is None
    before = len(world.sent)
    world.desk.seeing(lambda _event: None)(read("h-chen"))
    assert len(world.sent) == before
    world.desk.seeing(lambda _event: None)(read("h-li"))  # but his own card still does
    answer = world.sent[-1]
    assert answer.ok and answer.person == messages.Person(name="Li", leader=False)


def test_logging_in_himself_in_between_lets_no_guard_guess_at_the_leaders_pin(world: World) -> None:
    waits = []
    for _ in range(6):
        own = world.log_in()  # with a browser that is new each time, and right: his own guesses are forgotten
        waits += [world.log_in("Chen", "111222", tablet=own.tablet).wait_s for _ in range(2)]
    assert max(waits) >= 5, waits
    assert world.log_in("Chen", "502847", tablet=own.tablet).reason == "wait"
    assert world.log_in("Chen", "502847", address="10.0.0.7").ok, "the leader is not locked out elsewhere"


def test_many_addresses_of_one_ipv6_network_are_one_that_guesses(world: World) -> None:
    answers = [world.log_in(pin="111222", address=f"2001:db8::{at:x}") for at in range(1, 5)]
    assert [each.reason for each in answers] == ["wrong-pin", "wrong-pin", "wrong-pin", "wait"]


def test_a_card_at_the_door_waits_for_nobody_who_tries_a_pin(world: World) -> None:
    world.log_in()
    reading = threading.Thread(target=world.desk.seeing(lambda _event: None), args=(read("h-li"),), daemon=True)
    with world.desk._lock:  # as while a PIN is hashed
        reading.start()
        reading.join(10)
        assert not reading.is_alive()


def test_a_strangers_browser_waits_for_no_card(world: World) -> None:
    world.log_in()
    assert world.ask(messages.LogInByCard(tablet="")).reason == "unknown-tablet"
    assert world.ask(messages.LogInByCard(tablet="x" * 43)).reason == "unknown-tablet"


def test_two_tablets_that_wait_get_nothing_and_nobody_waits_for_ever(world: World) -> None:
    first, second = world.log_in().tablet, world.log_in().tablet
    world.say(messages.LogInByCard(tablet=first))
    world.say(messages.LogInByCard(tablet=second))
    world.desk.seeing(lambda _event: None)(read("h-li"))
    assert [each.reason for each in world.sent[-2:]] == ["several-tablets"] * 2
    for _ in range(MOST_CARDS):
        assert world.say(messages.LogInByCard(tablet=first)) is None
    assert world.ask(messages.LogInByCard(tablet=first)).reason == "busy"
    world.now_ms += CARD_MS
    world.desk._look_at_waiting(world.now_ms)
    assert [each.reason for each in world.sent[-MOST_CARDS:]] == ["no-card"] * MOST_CARDS


def test_a_page_that_was_taken_over_cannot_flood_the_gate(world: World) -> None:
    token = world.log_in().token
    answers = [world.ask(messages.Correct(inside=at), token) for at in range(MOST_ORDERS + 5)]
    assert [each.ok for each in answers] == [True] * MOST_ORDERS + [False] * 5
    assert answers[-1].reason == "too-fast"
    assert world.ask(messages.Release(reason="x"), world.log_in("Chen", "502847").token).ok, "another guard still can"
    world.now_ms += WITHIN_MS
    assert world.ask(messages.Correct(inside=1), token).ok


@given(st.binary(max_size=300) | st.sampled_from([b"{}", b'{"type":"now"}', b'{"type":"ask","id":1}', b"[" * 9000]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_else_the_page_says_ends_it(world: World, packet: bytes) -> None:
    with pytest.raises(ChildMisbehaved):
        world.desk._hear(packet)


def test_the_page_up_and_down_is_a_device_that_comes_and_goes(world: World) -> None:
    world.desk._hear(encode(messages.Beat(listening=False)))
    world.desk._hear(encode(messages.Beat(listening=True)))
    world.desk._hear(encode(messages.Beat(listening=True)))
    world.desk._lost("fell silent, killed")
    assert world.posted == [
        events.DeviceChanged("page", "ok", ""),
        events.DeviceChanged("page", "lost", "the page's process fell silent, killed"),
    ]


# what it is told


def test_it_is_told_how_the_gate_stands(world: World) -> None:
    setup, now = map(decode_to_page, world.desk._greet())
    assert isinstance(setup, messages.Setup)
    assert setup.port == 8443
    assert isinstance(now, Snapshot)
    assert now.alive
    assert not now.office
    assert [alarm.id for alarm in now.alarms] == [ALARM]


def test_a_gate_in_more_trouble_than_fits_is_told_in_one_packet() -> None:
    alarms = tuple(
        Alarm(id=f"{at:032x}", kind=AlarmKind.DEVICE_LOST, portal="x" * 64, since_ms=at, detail="门" * 400,
              acknowledged=at < 100, level=Level.GATE, acknowledged_by="x" * 64)
        for at in range(200)
    )  # fmt: skip
    status = Status(mode="normal", door="locked", inside=0, devices_lost=("x" * 64,) * 200, alarms=alarms)
    moment = Moment(mono_ms=1, at_ms=1, trusted=True)
    packet = packed(take(status, RecentVisits(), RecentAlarms(), (), moment, limit=0, alive=True))
    assert len(packet) <= messages.MAX_PACKET
    told = decode_to_page(packet)
    assert isinstance(told, Snapshot)
    assert len(told.alarms) + told.more_alarms == 200
    assert not any(alarm.acknowledged for alarm in told.alarms)


def test_alarms_stand_by_their_urgency_and_not_by_their_time() -> None:
    def alarm(at: int, kind: AlarmKind, level: Level = Level.GATE, *, acknowledged: bool = False) -> Alarm:
        return Alarm(
            id=f"{at:032x}",
            kind=kind,
            portal="main",
            since_ms=at,
            level=level,
            acknowledged=acknowledged,
            detail=f"{at}",
        )

    oldest_first = (
        alarm(1, AlarmKind.FIRE),
        alarm(2, AlarmKind.DOOR_FORCED),
        alarm(3, AlarmKind.FIRE, acknowledged=True),
        alarm(4, AlarmKind.DEVICE_LOST, Level.LEADER),
        alarm(5, AlarmKind.FEVER),
        alarm(6, AlarmKind.CALL),
        alarm(7, AlarmKind.TAMPER, Level.LOUDER),
        alarm(8, AlarmKind.DEVICE_LOST),
        alarm(9, AlarmKind.FIRE),
    )
    status = Status(
        mode="normal", door="locked", inside=0, devices_lost=(), alarms=oldest_first, ended=(oldest_first[0].id,)
    )
    now = take(
        status, RecentVisits(), RecentAlarms(), (), Moment(mono_ms=1, at_ms=1, trusted=True), limit=0, alive=True
    )
    assert [each.since_ms for each in now.alarms] == [9, 7, 5, 2, 1, 6, 4, 8, 3]


def visit(number: int, **changed: Any) -> Visit:
    values: dict[str, Any] = {
        "visit": f"{number:032x}", "portal": "main", "direction": Direction.ENTRY, "outcome": VisitOutcome.GRANTED,
        "reasons": ("ok",), "started_ms": 1, "duration_ms": 1, "object_c": 36.5, "holder": "h-1",
        "pass_type": PassType.TENANT,
    }  # fmt: skip
    return Visit(**(values | changed))


def test_the_last_visits_have_a_temperature_only_where_it_was_denied_for_it() -> None:
    visits = RecentVisits()
    for number in range(LAST + 3):
        visits.recorded(visit(number), 5)
    visits.recorded(visit(90, outcome=VisitOutcome.DENIED, reasons=("revoked",)), 5)
    visits.recorded(visit(91, outcome=VisitOutcome.REFERRED, reasons=("fever",), object_c=38.2), 5)
    assert len(visits.last) == LAST
    assert [each.object_c for each in visits.last[:3]] == [38.2, None, None]
    assert b"h-1" not in msgspec.json.encode(visits.last)


def test_a_grant_that_was_not_carried_out_is_shown_as_none() -> None:
    visits = RecentVisits()
    visits.recorded(visit(1), 5)
    visits.recorded(Door(portal="main", state="locked", cause="lockdown", visit=f"{1:032x}"), 5)
    assert (visits.last[0].outcome, visits.last[0].reasons) == ("denied", ("lockdown",))


def test_the_steps_are_those_of_one_visit() -> None:
    visits = RecentVisits()

    def step(name: str, result: str) -> None:
        visits.watch(Show("step", {"step": name, "result": result, "reason": "ok"}))

    step("credential", "passed")
    step("temperature", "failed")
    step("temperature", "passed")
    assert [(each.step, each.passed) for each in visits.steps] == [("credential", True), ("temperature", True)]
    visits.watch(Show("decision", {"outcome": "denied", "reason": "locked-out"}))  # with a record or without
    assert len(visits.steps) == 2  # still to be read while they pass
    step("credential", "failed")
    assert [(each.step, each.passed) for each in visits.steps] == [("credential", False)]
    visits.nobody()
    assert visits.steps == ()


def test_who_has_the_duty_now() -> None:
    def row(name: str, role: DutyRole, begins: int, ends: int) -> bytes:
        return msgspec.json.encode(Duty(name=name, role=role, phone="139", begins_s=begins, ends_s=ends))

    rows = {
        "a": row("Wang", DutyRole.LEADER, 10, 20), "b": row("Zhao", DutyRole.DUTY_ROOM, 10, 20),
        "north/7": row("Li", DutyRole.GUARD, 10, 20), "south/8": row("elsewhere", DutyRole.GUARD, 10, 20),
        "southnorth/9": row("elsewhere", DutyRole.LEADER, 10, 20),
        "c": row("over", DutyRole.GUARD, 0, 10), "d": row("later", DutyRole.GUARD, 11, 20), "e": b"{", "f": b"\xff",
    }  # fmt: skip
    assert [(each.name, each.role) for each in on_duty(rows, 10, "north")] == [
        ("Li", DutyRole.GUARD), ("Zhao", DutyRole.DUTY_ROOM), ("Wang", DutyRole.LEADER),
    ]  # fmt: skip


def test_the_page_is_told_how_each_device_is(world: World) -> None:
    told = tuple(DeviceReport(name=f"d{number}", state="stale", frames=2**53) for number in range(40))
    world.desk._gate = replace(world.desk._gate, devices=lambda: told)
    world.desk._tell_once(Moment(mono_ms=1, at_ms=1))
    assert world.sent[-1].devices == told[:32]


def told(world: World, action: AlarmAction, alarm: Alarm, by: str = "", note: str = "", what: str = "") -> None:
    """The gate's records say this of an alarm."""
    record = AlarmRecord(action=action, alarm=alarm, by=by, note=note, what=what)
    world.desk.watch(Append(record), world.desk._gate.now())


def shown(world: World) -> Snapshot:
    return world.desk._snapshot(world.desk._gate.now())


def test_what_the_leader_instructs_at_the_office_stands_with_the_alarm(world: World) -> None:
    alarm = world.status.alarms[0]
    told(world, AlarmAction.NOTED, alarm, "Zhao", "send him to the clinic", "instruction")
    told(world, AlarmAction.NOTED, alarm, "Li", "done so", "done")
    notes = shown(world).notes[ALARM]
    assert [(each.by, each.what, each.note) for each in notes] == [
        ("Zhao", "instruction", "send him to the clinic"),
        ("Li", "done", "done so"),
    ]


def test_an_acknowledged_alarm_stays_for_a_while_and_takes_notes(world: World) -> None:
    alarm = msgspec.structs.replace(world.status.alarms[0], acknowledged=True, acknowledged_by="Li")
    world.status = replace(world.status, alarms=())
    told(world, AlarmAction.CLEARED, alarm, "Li", "seen")
    now = shown(world)
    assert now.answered == (alarm,) and [each.what for each in now.notes[ALARM]] == ["acknowledged"]
    token = world.log_in().token
    note = messages.NoteAlarm(alarm=ALARM, what="done", note="sent home")
    assert world.ask(note, token).ok
    assert world.orders() == [events.AlarmNoted(ALARM, "Li", "done", "sent home")]
    assert world.ask(messages.Acknowledge(alarm=ALARM), token).reason == "nothing-to-acknowledge"
    told(world, AlarmAction.CLEARED, Alarm(id="ef" * 16, kind=AlarmKind.NETWORK, portal="main", since_ms=1))
    assert shown(world).answered == (alarm,)
    world.now_ms += LATELY_MS
    assert shown(world).answered == () and world.ask(note, world.log_in().token).reason == "nothing-to-acknowledge"


def test_the_successor_reads_what_was_handed_over(world: World) -> None:
    def shift(action: ShiftAction, by: str, to: str = "", note: str = "") -> None:
        world.desk.watch(Append(Shift(action=action, by=by, to=to, note=note)), world.desk._gate.now())

    assert shown(world).handed_over is None
    shift(ShiftAction.HANDED_OVER, "Li", "Wu", "the lift is being repaired")
    shift(ShiftAction.BEGUN, "Wu")
    at_ms = world.desk._gate.now().at_ms
    assert shown(world).handed_over == HandOver(at_ms=at_ms, by="Li", to="Wu", note="the lift is being repaired")


def test_after_a_restart_visits_notes_and_hand_over_are_those_of_the_journal(world: World) -> None:
    note = AlarmRecord(action=AlarmAction.NOTED, alarm=world.status.alarms[0], by="Zhao", note="n", what="instruction")
    bodies = [
        visit(1),
        visit(2, outcome=VisitOutcome.DENIED, reasons=("revoked",)),
        Door(portal="main", state="locked", cause="lockdown", visit=f"{1:032x}"),
        note,
        Shift(action=ShiftAction.HANDED_OVER, by="Li", to="Wu", note="keys are in the box"),
    ]
    with opened(world.folder / "data" / "journal.sqlite") as journal:
        for body in bodies:
            answer = Answered()
            journal.append(body, NOW, done=answer)
            assert answer.wait() is None
        recall(journal, world.desk.recorded)
    now = shown(world)
    assert [(each.outcome, each.reasons) for each in now.visits] == [
        ("denied", ("revoked",)),
        ("denied", ("lockdown",)),
    ]
    assert {each.at_ms for each in now.visits} == {NOW.at_ms} and now.steps == ()
    assert now.notes[ALARM][0].note == "n" and now.handed_over is not None
    assert now.handed_over.note == "keys are in the box"


def test_of_a_long_journal_the_last_records_are_recalled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.page.recall.MOST_RECORDS", 7)
    monkeypatch.setattr("gateway.page.recall.READ_RECORDS", 3)
    with opened(world.folder / "data" / "journal.sqlite") as journal:
        for number in range(12):
            answer = Answered()
            journal.append(visit(number), NOW, done=answer)
            assert answer.wait() is None
        told_of: list[Any] = []
        recall(journal, lambda body, _at: told_of.append(body))
    assert told_of == [visit(number) for number in range(5, 12)]


def test_of_many_alarms_and_notes_the_last_are_shown(world: World) -> None:
    closed = [
        Alarm(id=f"{at:032x}", kind=AlarmKind.CALL, portal="main", since_ms=at, acknowledged=True) for at in range(200)
    ]
    for alarm in closed:
        for _ in range(20):
            told(world, AlarmAction.NOTED, alarm, "Li", "字" * 200, "done")
        told(world, AlarmAction.CLEARED, alarm, "Li")
    now = shown(world)
    assert now.answered == tuple(closed[: -LATELY - 1 : -1])
    assert sum(map(len, now.notes.values())) == MOST_SHOWN and set(now.notes) <= {alarm.id for alarm in now.answered}
    assert len(packed(now)) <= messages.MAX_PACKET


def test_a_round_is_told_with_what_it_is(world: World) -> None:
    world.desk.adopt(Policy(rounds={"lift": RoundPolicy(what=Due.ANNOUNCEMENT, times=("09:00",))}))
    now = shown(world)
    assert now.due == {"lift": 1} and now.kinds == {"lift": "announcement"}
    html = View(setup_of(load(world.folder / "gate.toml")), "1").regions("en", "", Person(name="Li", leader=False), now)
    assert "<strong>Announcement · lift</strong>" in html["duties"]
