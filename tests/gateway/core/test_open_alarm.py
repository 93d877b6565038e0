"""For how long nobody has answered an alarm, through restarts; and a fire that was over when the power went."""

from dataclasses import replace

import pytest

from gateway.core import durable, effects
from gateway.core.alarm_rules import AlarmInput, AlarmState
from gateway.core.alarms import AlarmBook
from gateway.core.capacity import REACHED, WARNING
from gateway.core.events import Acknowledge, CallPressed, ClockStepped, FireInput, Tick
from gateway.core.moment import Moment
from gateway.core.open_alarm import Kept, OpenAlarm
from gateway.core.policy import AlarmPolicy
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, Level
from tests.gateway.core.acting import Gate, at

SET = AlarmPolicy(louder_after_s=60, duty_room_after_s=180, leader_after_s=600)
CALLED = at("03:00", mono_ms=9_000_000)
LATER_BOOT = "b2"


def book(state: dict[str, bytes], boot: str, now: Moment) -> AlarmBook:
    number = iter(range(1, 9))
    alarms = AlarmBook("main", lambda: f"{next(number):032x}", state, SET, boot)
    alarms.start(now)
    return alarms


def raised(now: Moment = CALLED, after_s: int = 90) -> dict[str, bytes]:
    """The durable state of a call that nobody has answered for so long."""
    alarms = book({}, "b1", now)
    alarms.raise_(AlarmKind.CALL, now)
    alarms.due(now.mono_ms + after_s * 1000)
    return alarms.durable()


def waits_for(alarms: AlarmBook, now: Moment) -> float:
    """Seconds until it rises."""
    deadline = alarms.deadline()
    assert deadline is not None
    return (deadline - now.mono_ms) / 1000


def test_in_the_same_boot_its_times_go_on_whatever_the_clock_says() -> None:
    for at_ms, trusted in ((CALLED.at_ms + 100_000, True), (0, False), (CALLED.at_ms + 10**9, False)):
        now = Moment(CALLED.mono_ms + 100_000, at_ms, trusted)
        assert waits_for(book(raised(), "b1", now), now) == 80


def test_in_another_boot_they_go_on_by_the_clock_with_the_time_without_power() -> None:
    now = Moment(5_000, CALLED.at_ms + 170_000)
    alarms = book(raised(), LATER_BOOT, now)
    assert waits_for(alarms, now) == 10
    (news,) = alarms.due(now.mono_ms + 10_000)
    assert (news.action, news.alarm.level) == (AlarmAction.ESCALATED, Level.DUTY_ROOM)


def test_a_long_outage_takes_it_to_the_leader_at_once() -> None:
    now = Moment(5_000, CALLED.at_ms + 86_400_000)
    (news,) = book(raised(), LATER_BOOT, now).due(now.mono_ms)
    assert news.alarm.level is Level.LEADER


def test_a_clock_that_is_not_sure_takes_it_no_further_and_no_less_far_than_its_level_proves() -> None:
    for at_ms in (0, CALLED.at_ms + 10**9):
        now = Moment(5_000, at_ms, trusted=False)
        assert waits_for(book(raised(), LATER_BOOT, now), now) == 120, "as if it had come to louder just now"


def test_what_the_clock_says_later_counts_from_then_on() -> None:
    alarms = book(raised(), LATER_BOOT, Moment(5_000, 0, trusted=False))
    sure = Moment(15_000, CALLED.at_ms + 175_000)
    alarms.clock(sure)
    assert waits_for(alarms, sure) == 5
    back = Moment(16_000, CALLED.at_ms)
    alarms.clock(back)  # it steps: nothing that was waited is lost
    assert waits_for(alarms, back) == 4


def test_a_clock_that_comes_back_to_before_the_alarm_makes_nobody_wait_longer() -> None:
    now = Moment(5_000, CALLED.at_ms - 3_600_000)
    assert waits_for(book(raised(), LATER_BOOT, now), now) == 120


def test_raised_by_a_clock_that_was_not_sure_it_has_no_time_of_day_to_go_by() -> None:
    unsure = replace(CALLED, trusted=False)
    now = Moment(5_000, CALLED.at_ms + 10**9)
    assert waits_for(book(raised(unsure), LATER_BOOT, now), now) == 120
    told = book({}, "b1", unsure)
    told.raise_(AlarmKind.CALL, unsure)
    told.clock(Moment(unsure.mono_ms + 20_000, CALLED.at_ms + 20_000))  # one moment of a boot is enough
    now = Moment(5_000, CALLED.at_ms + 45_000)
    assert waits_for(book(told.durable(), LATER_BOOT, now), now) == 15


def test_a_second_restart_within_a_boot_without_a_clock_keeps_what_was_waited_there() -> None:
    first = Moment(5_000, 0, trusted=False)
    alarms = book(raised(), LATER_BOOT, first)
    again = Moment(65_000, 0, trusted=False)
    assert waits_for(book(alarms.durable(), LATER_BOOT, again), again) == 60


def test_what_an_earlier_version_kept_is_read() -> None:
    kept = b'{"id":"%s","kind":"call","portal":"main","since_ms":1,"count":1,"acknowledged":false,"level":1}' % (
        b"0" * 32
    )
    now = Moment(5_000, CALLED.at_ms)
    alarms = book({f"alarm/{'0' * 32}": kept}, LATER_BOOT, now)
    assert alarms.open[0].level is Level.LOUDER and waits_for(alarms, now) == 120


def test_an_alarm_is_told_without_what_only_a_restart_needs() -> None:
    alarms = book(raised(), LATER_BOOT, Moment(5_000, CALLED.at_ms))
    assert type(alarms.open[0]) is Alarm


def test_the_core_tells_the_book_of_its_clock_and_its_boot() -> None:
    gate = Gate(now=replace(at(), trusted=False))
    gate.send(CallPressed())
    gate.now = gate.now.after(10_000)
    gate.now = replace(gate.now, trusted=True)
    gate.send(ClockStepped(0, True))
    later = Gate(state=gate.durable, now=Moment(5_000, gate.now.at_ms + 60_000))
    later.send(Tick())
    assert later.alarm_actions(AlarmKind.CALL) == ["escalated"]


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("burns", [False, True])
def test_a_fire_after_a_restart_is_what_it_was_until_the_input_says_otherwise(burns: bool, answered: bool) -> None:
    before = Gate()
    before.send(FireInput(True), *([Acknowledge("li")] if answered else []), *([] if burns else [FireInput(False)]))
    after = Gate(state=before.durable, now=at("12:00", mono_ms=10))
    assert (AlarmKind.FIRE in after.open_alarms) is (burns or not answered)
    assert after.tones == ({effects.Tone.EVACUATION} if burns else set())
    assert after.core.status().ended == tuple(a.id for a in after.core.status().alarms if not burns)
    after.send(FireInput(True))
    assert after.tones == {effects.Tone.EVACUATION} and after.released, "the input says so"
    after.send(FireInput(False), Acknowledge("li"))
    assert after.open_alarms == [] and after.tones == set()


def test_an_input_that_its_state_does_not_know_moves_nothing() -> None:
    alarm = Alarm(id="0" * 32, kind=AlarmKind.CALL, portal="main", since_ms=0)
    entry = OpenAlarm(alarm, AlarmState.RAISED, 0, 0)
    assert not entry.moves(AlarmInput.OVER)
    entry.move(AlarmInput.OVER)
    assert entry.state is AlarmState.RAISED


@pytest.mark.parametrize("kind", AlarmKind)
@pytest.mark.parametrize("detail", ["", WARNING, REACHED, "thermometer"])
def test_how_far_each_kind_rises_when_nobody_answers(kind: AlarmKind, detail: str) -> None:
    """As docs/checkpoint.md has it: all to the leader on shift, but for what is no more than a notice."""
    now = at()
    alarms = book({}, "b1", now)
    alarms.raise_(kind, now, detail)
    told = [news.alarm.level for _ in range(4) for news in alarms.due(now.mono_ms + 86_400_000)]
    notices = {(AlarmKind.CAPACITY, WARNING): Level.GATE, (AlarmKind.CAPACITY, REACHED): Level.DUTY_ROOM}
    most = notices.get((kind, detail), Level.LEADER)
    assert alarms.open[0].level is most and told == ([most] if most is not Level.GATE else [])
    assert alarms.lamp is (most is not Level.GATE) and alarms.deadline() is None


def test_a_notice_that_an_earlier_version_has_told_the_leader_of_stays_told() -> None:
    kept = Kept(id="ab" * 16, kind=AlarmKind.CAPACITY, portal="main", since_ms=1, detail=WARNING, level=Level.LEADER)
    alarms = book({f"alarm/{kept.id}": durable.encode(kept)}, "b1", at())
    assert alarms.open[0].level is Level.LEADER and alarms.deadline() is None
