"""Whose reading is it, and what is said meanwhile."""

import pytest

from drivers.readings import Hint
from gateway.core import effects
from gateway.core.asking import HINTED
from gateway.core.events import (
    Acknowledge,
    CredentialResolved,
    DeviceChanged,
    ExitRequested,
    GuardRelease,
    Outcome,
    Presence,
    Registered,
)
from gateway.core.findings import Decision, replay
from gateway.core.phrases import VALUES, Phrase
from gateway.core.policy import StepsPolicy
from gateway.core.visit import TABLE, VisitState
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.colours import HealthCode, Lamp, PassType
from sync.contract.records import AlarmRecord, Direction, Step, Visit, VisitOutcome, encode_body
from tests.gateway.core.acting import CARD, Gate, at, bad, card, health, measures_again, policy, said, shown

GRANTED, DENIED = VisitOutcome.GRANTED, VisitOutcome.DENIED
REFERRED, ABANDONED = VisitOutcome.REFERRED, VisitOutcome.ABANDONED


def test_every_state_of_the_table_is_reachable_and_listed() -> None:
    targets = {target for moves in TABLE.values() for target in moves.values()}
    assert set(TABLE) == set(VisitState) == targets | {VisitState.IDLE}


def test_whatever_a_camera_finds_wrong_with_a_code_there_are_words_for_it() -> None:
    assert set(HINTED) == {hint.value for hint in Hint}


@pytest.mark.parametrize("order", ["ct", "tc"])
def test_a_resident_in_any_order(order: str) -> None:
    gate = Gate()
    gate.arrive()
    for step in order:
        assert not gate.released
        gate.wait(3)
        gate.read(card()) if step == "c" else gate.measure()
    assert gate.released
    assert gate.decided == (GRANTED, ("ok",))
    visit = gate.last
    assert (visit.object_c, visit.ambient_c, visit.holder, visit.credential) == (36.5, 24.0, "h-1", "card-h-1")
    assert (visit.credential_kind, visit.pass_type, visit.direction) == ("card", PassType.RESIDENT, Direction.ENTRY)
    assert (visit.policy_version, visit.portal, visit.mode, visit.night) == ("p1", "main", "normal", False)
    assert visit.duration_ms == 3000 and visit.started_ms == gate.now.at_ms - 3000
    assert {step.step for step in visit.steps if step.passed} >= {Step.CREDENTIAL, Step.TEMPERATURE}


def test_a_visitor_whose_one_code_serves_three_steps() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure()
    gate.read(card(pass_type=PassType.VISITOR, serves=CARD | {Step.HEALTH_CODE}, health_code=HealthCode.GREEN))
    assert gate.decided == (GRANTED, ("ok",)) and gate.last.health_code is HealthCode.GREEN


def test_a_red_pass_is_a_returnee_and_needs_the_health_code() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card(pass_type=PassType.RETURNEE))
    gate.measure()
    assert gate.visits == []
    gate.read(health())
    assert gate.decided == (GRANTED, ("ok",))


@pytest.mark.parametrize("code", [HealthCode.YELLOW, HealthCode.RED, None])
def test_a_health_code_that_is_not_green_is_denied_whoever_shows_it(code: HealthCode | None) -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    found = gate.read(health(code))
    assert gate.decided == (DENIED, (f"health-code-{code or 'unknown'}",))
    assert said(found) == [Phrase.HEALTH_CODE_REFUSED] and gate.lamp is Lamp.RED


@pytest.mark.parametrize(
    ("outcome", "reason", "kind", "phrase"),
    [
        (Outcome.UNKNOWN, "unknown-code", "text", Phrase.UNKNOWN_CODE),
        (Outcome.UNKNOWN, "unknown-card", "card", Phrase.UNKNOWN_CARD),
        (Outcome.INVALID, "bad-signature", "pass", Phrase.INVALID_PASS),
        (Outcome.EXPIRED, "expired", "pass", Phrase.EXPIRED_PASS),
        (Outcome.REVOKED, "lost-card", "card", Phrase.REVOKED_PASS),
    ],
)
def test_a_bad_credential_is_refused_recorded_and_said(
    outcome: Outcome, reason: str, kind: str, phrase: Phrase
) -> None:
    gate = Gate()
    found = gate.read(bad(outcome, reason, kind=kind))  # nobody need be seen for that
    assert gate.decided == (DENIED, (reason,)) and gate.last.credential == "bad-1" and gate.last.credential_kind == kind
    assert said(found) == [phrase]
    assert shown(found, "decision") == [{"outcome": "denied", "reason": reason}]
    assert shown(found, "step") == [{"step": "credential", "result": "failed", "reason": reason}]


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.NEEDS_ONLINE, "server-away"),
        (Outcome.UNCHECKED, "resolver-failed"),
        (Outcome.UNCHECKED, "directory-unavailable"),
        (Outcome.UNCHECKED, "directory-empty"),
    ],
)
def test_what_could_not_be_checked_is_for_the_guard(outcome: Outcome, reason: str) -> None:
    gate = Gate()
    found = gate.read(bad(outcome, reason))
    assert gate.decided == (REFERRED, (reason,)) and said(found) == [Phrase.GUARD_COMES]
    assert gate.open_alarms == [AlarmKind.CALL]
    assert replay(gate.last, gate.policy) == Decision(REFERRED, (reason,))


@pytest.mark.parametrize("order", ["ch", "hc", "chc", "hch"])
def test_somebody_elses_green_code_lets_nobody_in(order: str) -> None:
    gate = Gate(policy(steps=StepsPolicy(resident=(Step.CREDENTIAL, Step.TEMPERATURE, Step.HEALTH_CODE))))
    gate.arrive()
    for step in order:
        gate.read(card("h-1") if step == "c" else health(holder="h-2"))
        gate.measure()
    assert not gate.released
    assert {visit.outcome for visit in gate.visits} == {ABANDONED}
    assert all(visit.reasons[0] == "second-credential" for visit in gate.visits)
    assert all(replay(visit, gate.policy).reasons == visit.reasons for visit in gate.visits)


@pytest.mark.parametrize("order", ["ch", "hc"])
@pytest.mark.parametrize("holder", ["h-1", ""])
def test_ones_own_green_code_or_one_that_is_nobodys_lets_in(order: str, holder: str) -> None:
    gate = Gate(policy(steps=StepsPolicy(resident=(Step.CREDENTIAL, Step.TEMPERATURE, Step.HEALTH_CODE))))
    gate.arrive()
    for step in order:
        gate.read(card("h-1") if step == "c" else health(holder=holder))
    gate.measure()
    assert gate.released and gate.decided == (GRANTED, ("ok",))
    assert replay(gate.last, gate.policy) == Decision(GRANTED, ("ok",))


def test_a_red_code_of_the_same_holder_after_the_green_one_is_not_passed_over() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card("h-1", PassType.RETURNEE))
    gate.read(health(holder="h-1"))
    gate.read(health(HealthCode.RED, "code-2", holder="h-1"))
    assert gate.decided == (DENIED, ("health-code-red",))


def test_missing_registration_is_told_and_referred_when_nothing_else_is_missing() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card(pass_type=PassType.VISITOR, serves=frozenset({Step.CREDENTIAL})))
    gate.read(health())
    assert gate.visits == []
    found = gate.measure()
    assert gate.decided == (REFERRED, ("registration-missing",)) and said(found) == [Phrase.REGISTER]


def test_after_the_guard_has_registered_them_they_are_let_in() -> None:
    gate = Gate()
    visitor = card(pass_type=PassType.VISITOR, serves=frozenset({Step.CREDENTIAL}))
    gate.arrive()
    gate.read(visitor)
    gate.read(health())
    gate.measure()
    gate.wait(10)
    assert measures_again(gate.send(Registered("entry-7", "guard")))
    gate.wait(1)
    gate.read(visitor)
    gate.read(health())
    gate.measure()
    assert [visit.outcome for visit in gate.visits] == [REFERRED, GRANTED]


def test_presence_lost_for_two_seconds_ends_it_and_drops_the_readings() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure()
    gate.send(Presence(False))
    gate.wait(2.1)
    assert gate.decided == (ABANDONED, ("presence-lost", "credential-missing"))
    assert measures_again(gate.arrive())
    gate.read(card())
    assert not gate.released and len(gate.visits) == 1


def test_a_blink_of_the_sensor_ends_nothing() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure()
    gate.send(Presence(False))
    gate.wait(1.9)
    assert said(gate.arrive()) == []
    gate.read(card())
    assert gate.released


def test_another_persons_credential_ends_it_and_drops_the_readings() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure(36.4)
    gate.read(card("h-1", PassType.RETURNEE))
    gate.wait(1)
    found = gate.read(card("h-2"))
    assert gate.decided == (ABANDONED, ("second-credential", "health-code-missing"))
    assert measures_again(found) and not gate.released
    gate.measure(age_s=0.5)  # of the first one still
    assert not gate.released
    gate.wait(1)
    gate.measure()
    assert gate.released and gate.last.holder == "h-2"


def test_the_same_card_read_again_is_no_second() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    for _ in range(20):
        assert gate.read(card()) == []
        gate.wait(0.2)
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",)) and len(gate.last.evidence) == 3


def test_the_same_holders_pass_is_no_second_and_adds_its_steps() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card(pass_type=PassType.VISITOR, serves=frozenset({Step.CREDENTIAL})))
    gate.read(card(pass_type=PassType.VISITOR, credential="pass-1", kind="pass"))
    gate.read(health())
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",)) and gate.last.credential == "card-h-1"


def test_a_second_health_code_is_somebody_elses() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(health())
    gate.read(health(credential="code-2"))
    assert gate.decided == (ABANDONED, ("second-credential", "credential-missing", "temperature-missing"))


def test_nothing_new_for_twenty_seconds_ends_it() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.wait(19.9)
    assert gate.visits == []
    gate.wait(0.2)
    assert gate.decided == (ABANDONED, ("time-out", "temperature-missing"))
    gate.measure()
    assert len(gate.visits) == 1 and not gate.released


def test_standing_about_without_a_reading_is_no_visit() -> None:
    gate = Gate()
    gate.arrive()
    gate.wait(300)
    gate.leave()
    assert gate.visits == []


def test_a_reading_that_took_too_long_does_not_count() -> None:
    gate = Gate()
    gate.wait(10)
    gate.arrive()
    gate.wait(10)
    gate.read(card(), age_s=5.1)
    assert measures_again(gate.measure(age_s=5.1))
    gate.measure()
    assert not gate.released and gate.visits == []


def test_a_temperature_from_before_the_presence_does_not_count() -> None:
    gate = Gate()
    gate.measure()
    gate.wait(1)
    assert measures_again(gate.arrive())
    assert measures_again(gate.measure(age_s=0.9))
    gate.read(card())
    assert not gate.released


def test_presence_that_is_heard_of_late_has_begun_before() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.measure(age_s=0.1)  # the loop was busy: read after they came, decided together
    assert gate.released


def test_a_card_held_out_before_stepping_up_counts() -> None:
    gate = Gate()
    gate.read(card())
    gate.wait(1)
    gate.measure()
    assert not gate.released
    gate.arrive()
    gate.measure()
    assert gate.released


def test_a_card_read_long_before_anybody_came_does_not() -> None:
    gate = Gate()
    gate.read(card())
    gate.wait(6)
    gate.arrive()
    gate.measure()
    assert not gate.released and gate.visits[0].outcome is ABANDONED


def test_without_a_sensor_the_credential_comes_first() -> None:
    gate = Gate(policy(visit__presence_sensor=False))
    gate.measure()
    gate.wait(0.5)
    assert measures_again(gate.read(card()))
    gate.measure(age_s=0.2)
    assert gate.visits == []
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))


def test_a_sensor_that_is_lost_is_no_sensor() -> None:
    gate = Gate()
    gate.send(DeviceChanged("presence", "lost"))
    gate.read(card())
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))
    gate.send(DeviceChanged("presence", "ok"))
    gate.wait(60)
    gate.read(card())
    gate.measure()
    assert len(gate.visits) == 1


def test_a_sensor_lost_in_the_middle_leaves_nobody_standing() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.send(DeviceChanged("presence", "lost"))
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))


def test_the_next_in_the_same_presence_begins_with_the_credential() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card("h-1"))
    gate.measure()
    gate.wait(10)
    gate.measure()  # of the first one, who still stands there
    assert measures_again(gate.read(card("h-2")))
    assert len(gate.visits) == 1
    gate.measure(36.6)
    assert [visit.holder for visit in gate.visits] == ["h-1", "h-2"]


def test_a_refused_code_that_is_still_held_up_is_not_refused_again() -> None:
    gate = Gate()
    gate.arrive()
    for _ in range(4):
        gate.read(bad())
        gate.wait(1)
    assert len(gate.visits) == 1


def test_a_blink_after_a_decision_makes_nobody_new() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card("h-1"))
    gate.measure()
    gate.send(Presence(False))
    gate.wait(1)
    gate.arrive()
    gate.measure()  # of the first one, who stands there still
    gate.read(card("h-2"))
    assert len(gate.visits) == 1


def test_who_has_gone_in_is_gone_and_the_next_is_greeted_and_may_be_measured_first() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card("h-1"))
    gate.measure()
    gate.go_through()
    gate.send(Presence(False))
    assert not gate.core.status().visiting
    assert said(gate.arrive()) == [Phrase.WELCOME]
    gate.measure()
    gate.read(card("h-2"))
    assert [visit.holder for visit in gate.visits] == ["h-1", "h-2"]


def test_a_greeting_only_once_per_presence() -> None:
    gate = Gate()
    assert said(gate.arrive()) == [Phrase.WELCOME]
    gate.read(bad())
    gate.send(Presence(False))
    gate.wait(1)
    assert said(gate.arrive()) == []
    gate.leave()
    assert said(gate.arrive()) == [Phrase.WELCOME]


def test_who_comes_back_after_a_refusal_is_greeted_again() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(bad())
    gate.send(Presence(False))
    gate.wait(3)
    assert said(gate.arrive()) == [Phrase.WELCOME]


def test_nobody_is_let_in_whom_nobody_sees() -> None:
    gate = Gate(policy(steps=StepsPolicy(resident=(Step.CREDENTIAL,))))
    gate.read(card())
    assert gate.visits == []
    gate.wait(1)
    gate.arrive()
    assert gate.released


def test_a_presence_that_ended_before_anybody_was_told_is_over() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure()
    gate.send(Presence(False))
    gate.now = gate.now.after(2_000)  # no tick: the machine slept, or was busy
    gate.arrive()
    assert gate.decided[0] is ABANDONED


def test_a_pause_before_measuring_again_is_no_idleness() -> None:
    gate = Gate(policy(temperature__repeat_after_s=30))
    gate.arrive()
    gate.read(card())
    gate.measure(38)
    assert measures_again(gate.wait(30)) and gate.visits == []


def test_prompts_for_what_is_missing_and_no_chatter() -> None:
    gate = Gate()
    gate.arrive()
    assert said(gate.wait(4.9)) == []
    assert said(gate.wait(300)) == [Phrase.SHOW_PASS] * 2
    gate.read(card(pass_type=PassType.RETURNEE))
    assert said(gate.wait(6)) == [Phrase.SHOW_FOREHEAD]
    gate.measure()
    assert said(gate.wait(6)) == [Phrase.SHOW_HEALTH_CODE]
    assert said(gate.wait(10)) == [Phrase.SHOW_HEALTH_CODE]


def test_what_is_said_to_the_granted() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    found = gate.measure(36.52)
    assert [effect for effect in found if isinstance(effect, effects.Say)] == [
        effects.Say(Phrase.GRANTED_NORMAL, effects.Priority.PROMPT, {"celsius": "36.5"})
    ]
    assert set(VALUES) == {Phrase.GRANTED_NORMAL, Phrase.FEVER, Phrase.FULL, Phrase.DELIVERY}


def test_steps_are_shown_as_they_happen() -> None:
    gate = Gate()
    assert shown(gate.arrive(), "presence") == [{"present": "yes"}]
    assert shown(gate.read(card()), "step") == [{"step": "credential", "result": "passed", "reason": "ok"}]
    found = gate.measure()
    assert shown(found, "step") == [{"step": "temperature", "result": "passed", "reason": "normal", "value": "36.5 °C"}]
    assert shown(found, "decision") == [{"outcome": "granted", "reason": "ok"}]


def test_at_night_presence_wakes_the_guard_until_acknowledged() -> None:
    gate = Gate(now=at("23:40"))
    found = gate.arrive()
    assert said(found) == [Phrase.NIGHT_WELCOME] and gate.tones == {effects.Tone.NIGHT}
    gate.send(Presence(False))
    gate.wait(1)
    gate.arrive()
    assert gate.alarm_actions(AlarmKind.NIGHT_ARRIVAL) == ["raised"]
    gate.send(Acknowledge("button"))
    assert gate.tones == set() and gate.open_alarms == [AlarmKind.NIGHT_ARRIVAL]
    gate.read(card())
    gate.measure()
    assert gate.last.night and gate.alarm_actions(AlarmKind.NIGHT_ARRIVAL) == ["raised", "acknowledged", "cleared"]


def test_at_night_the_alarm_ends_with_the_presence() -> None:
    gate = Gate(now=at("02:00"))
    gate.arrive()
    gate.leave()
    assert gate.tones == set() and gate.open_alarms == []
    gate.arrive()
    assert gate.alarm_actions(AlarmKind.NIGHT_ARRIVAL) == ["raised", "cleared", "raised"]


def test_the_record_of_a_night_arrivals_end_says_whether_he_was_let_in() -> None:
    gate = Gate(now=at("23:40"))
    gate.arrive()
    gate.leave()
    gate.arrive()
    gate.read(card())
    gate.measure()
    ends = [body for body in gate.bodies(AlarmRecord) if body.action is AlarmAction.CLEARED]
    assert [(end.alarm.kind, end.what) for end in ends] == [
        (AlarmKind.NIGHT_ARRIVAL, ""),
        (AlarmKind.NIGHT_ARRIVAL, "granted"),
    ]


def test_of_night_arrivals_that_come_too_often_it_is_said_when_they_come_no_more() -> None:
    gate = Gate(now=at("23:40"))
    for number in range(5):
        gate.arrive()
        gate.read(card(credential=f"c{number}", holder=f"h{number}"))
        gate.measure()
        gate.leave()
    gate.wait(61)
    last = [body for body in gate.bodies(AlarmRecord) if body.alarm.kind is AlarmKind.NIGHT_ARRIVAL][-1]
    assert (last.action, last.what, last.alarm.count) == (AlarmAction.CLEARED, "granted", 2)


@pytest.mark.parametrize(("tries", "what"), [(False, "went-out"), (True, "")])
@pytest.mark.parametrize("sensor_first", [True, False])
def test_who_goes_out_at_night_calls_for_nothing_unless_somebody_tried_to_come_in(
    sensor_first: bool, tries: bool, what: str
) -> None:
    gate = Gate(now=at("23:40"))

    def goes_out() -> None:
        gate.send(ExitRequested())
        gate.go_through()

    if not sensor_first:
        goes_out()
        gate.wait(2)
    gate.arrive()
    if sensor_first:
        goes_out()
    if tries:
        gate.read(bad())
    gate.leave()
    ends = [(body.alarm.kind, body.what) for body in gate.bodies(AlarmRecord) if body.action is AlarmAction.CLEARED]
    called = sensor_first or tries  # who is first seen after somebody has gone out is taken for them, and calls nobody
    assert ends == [(AlarmKind.NIGHT_ARRIVAL, what)] * called
    gate.wait(120)
    gate.arrive()
    gate.leave()
    assert gate.bodies(AlarmRecord)[-1].what == "", "the next one is another"


@pytest.mark.parametrize(("stays_s", "what"), [(3, "went-out"), (30, "")])
def test_who_waits_on_after_another_has_gone_out_was_nobodys_leaver(stays_s: float, what: str) -> None:
    gate = Gate(now=at("23:40"))
    gate.arrive()
    gate.wait(4)
    gate.send(ExitRequested())
    gate.go_through()
    gate.wait(stays_s)
    gate.leave()
    (end,) = [body for body in gate.bodies(AlarmRecord) if body.action is AlarmAction.CLEARED]
    assert (end.alarm.kind, end.what) == (AlarmKind.NIGHT_ARRIVAL, what)


def test_who_opens_at_night_has_answered() -> None:
    gate = Gate(now=at("23:40"))
    gate.arrive()
    gate.send(GuardRelease("li", "knows him"))
    (alarm,) = gate.core.status().alarms
    assert (alarm.kind, alarm.acknowledged_by) == (AlarmKind.NIGHT_ARRIVAL, "li") and gate.tones == set()


def test_at_night_without_a_sensor_each_visit_wakes_the_guard() -> None:
    gate = Gate(policy(visit__presence_sensor=False), now=at("02:00"))
    for number in range(2):
        gate.read(bad(credential=f"b{number}"))
    assert gate.alarm_actions(AlarmKind.NIGHT_ARRIVAL) == ["raised", "cleared"] * 2


def test_an_exit_reader_lets_out_at_once_and_touches_no_visit() -> None:
    gate = Gate()
    gate.answers = False
    gate.arrive()
    gate.measure()
    gate.read(card("h-9"), Direction.EXIT)
    assert gate.released and gate.decided == (GRANTED, ("ok",)) and gate.last.direction is Direction.EXIT
    gate.read(bad(), Direction.EXIT)
    assert gate.decided == (DENIED, ("unknown-code",))
    gate.read(health(), Direction.EXIT)
    assert gate.decided == (ABANDONED, ("no-credential", "credential-missing"))
    gate.read(card())
    assert gate.last.direction is Direction.ENTRY and gate.last.outcome is GRANTED


def test_a_record_is_small_and_hostile_words_stay_short() -> None:
    gate = Gate()
    gate.arrive()
    gate.send(Registered("x" * 100_000, "y" * 100_000))
    for number in range(500):
        gate.send(CredentialResolved(card(credential=f"c{number}"), "reader", Direction.ENTRY, gate.now.mono_ms))
        gate.measure(None, reason="unsteady")
    gate.leave()
    assert all(len(encode_body(visit)) < 8_000 for visit in gate.bodies(Visit))


def test_a_registration_that_begins_the_visit_is_shown() -> None:
    gate = Gate()
    gate.arrive()
    found = gate.send(Registered("entry-7", "guard"))
    assert shown(found, "step") == [{"step": "registration", "result": "passed", "reason": "ok"}]
