"""So many bad credentials in a row."""

import pytest

from gateway.core.events import Outcome, Registered, VehicleNoted
from gateway.core.phrases import Phrase
from sync.contract.alarms import AlarmKind
from sync.contract.records import CardSeen, Direction, Refused, VisitOutcome
from tests.gateway.core.acting import Gate, at, bad, card, policy, said


def guess(gate: Gate, times: int, start: int = 0) -> None:
    for number in range(start, start + times):
        gate.read(bad(credential=f"bad-{number}"))
        gate.wait(1)


def test_five_in_a_row_lock_the_readers_out_for_a_minute() -> None:
    gate = Gate()
    guess(gate, 4)
    assert gate.open_alarms == []
    found = gate.read(bad(credential="bad-4"))
    assert gate.open_alarms == [AlarmKind.LOCK_OUT] and Phrase.LOCKED_OUT in said(found)
    gate.arrive()
    assert said(gate.read(card())) == [Phrase.LOCKED_OUT]
    assert gate.decided == (VisitOutcome.DENIED, ("locked-out",))
    gate.read(bad(credential="bad-5"))
    assert gate.decided == (VisitOutcome.DENIED, ("locked-out", "unknown-code"))
    gate.wait(61)
    assert gate.open_alarms == [] and gate.alarm_actions(AlarmKind.LOCK_OUT) == ["raised", "cleared"]
    gate.read(card())
    gate.measure()
    assert gate.released


def test_a_good_one_in_between_begins_the_count_anew() -> None:
    gate = Gate()
    guess(gate, 4)
    gate.arrive()
    gate.read(card())
    gate.measure()
    guess(gate, 4, start=4)
    assert gate.open_alarms == []
    guess(gate, 1, start=8)
    assert gate.open_alarms == [AlarmKind.LOCK_OUT]


@pytest.mark.parametrize("outcome", [Outcome.NEEDS_ONLINE, Outcome.UNCHECKED])
def test_what_could_not_be_checked_is_not_bad(outcome: Outcome) -> None:
    gate = Gate()
    for number in range(10):
        gate.read(bad(outcome, "server-away", credential=f"c{number}"))
        gate.wait(1)
    assert AlarmKind.LOCK_OUT not in gate.open_alarms and gate.durable.keys().isdisjoint({"lock-out"})
    assert len(gate.visits) == 10 and {visit.outcome for visit in gate.visits} == {VisitOutcome.REFERRED}


def test_what_a_site_denies_because_it_cannot_be_checked_is_not_bad_either() -> None:
    gate = Gate()
    for number in range(10):
        found = gate.read(bad(Outcome.NEEDS_ONLINE, "no-answer", credential=f"c{number}", denied=True))
        assert said(found) == [Phrase.NOT_CHECKED]
        gate.wait(1)
    assert {visit.outcome for visit in gate.visits} == {VisitOutcome.DENIED} and len(gate.visits) == 10
    assert AlarmKind.LOCK_OUT not in gate.open_alarms and gate.durable.keys().isdisjoint({"lock-out"})


@pytest.mark.parametrize(
    ("outcome", "reason", "genuine"),
    [
        (Outcome.EXPIRED, "expired", False),
        (Outcome.REVOKED, "key-revoked", False),
        (Outcome.INVALID, "vaccination-incomplete", True),
        (Outcome.INVALID, "wrong-site", True),
    ],
)
def test_what_is_genuine_is_no_guess(outcome: Outcome, reason: str, genuine: bool) -> None:
    """Else one key that the office withdraws, and five people who have not heard of it, close the gate for all."""
    gate = Gate()
    for number in range(10):
        gate.read(bad(outcome, reason, credential=f"c{number}", genuine=genuine))
        gate.wait(1)
    assert {visit.outcome for visit in gate.visits} == {VisitOutcome.DENIED} and len(gate.visits) == 10
    assert AlarmKind.LOCK_OUT not in gate.open_alarms and gate.durable.keys().isdisjoint({"lock-out"})


def test_the_way_out_is_never_locked_out() -> None:
    gate = Gate()
    guess(gate, 5)
    gate.read(card(), Direction.EXIT)
    assert gate.released


def test_neither_a_power_cut_nor_a_clock_that_jumps_ends_it() -> None:
    gate = Gate()
    guess(gate, 5)
    later = Gate(state=gate.durable, now=at("23:59", mono_ms=3))  # another boot, and another day for all it knows
    later.wait(59)
    later.read(card())
    assert later.decided == (VisitOutcome.DENIED, ("locked-out",))
    later.wait(1)
    assert later.open_alarms == [] and "lock-out" not in later.durable


def test_the_count_goes_on_after_a_restart() -> None:
    gate = Gate()
    guess(gate, 4)
    later = Gate(state=gate.durable)
    guess(later, 1)
    assert later.open_alarms == [AlarmKind.LOCK_OUT]


def test_ten_thousand_codes_at_a_locked_reader_are_a_record_a_minute_and_every_one_is_counted() -> None:
    gate = Gate()
    guess(gate, 5)
    written = len(gate.commits)
    shown = 0
    while AlarmKind.LOCK_OUT in gate.open_alarms:
        for _ in range(100):
            kind = "card" if shown % 2 else "text"
            gate.read(bad(credential=f"more-{shown}", kind=kind))
            shown += 1
        gate.wait(0.5)
    gate.wait(120)
    assert shown >= 10_000
    (first,) = [visit for visit in gate.visits if visit.credential == "more-0"]
    assert first.reasons == ("locked-out", "unknown-code")
    counted = gate.bodies(Refused)
    assert sum(each.count for each in counted) == shown - 1
    assert {(each.what, each.reason) for each in counted} == {("reader", "locked-out")}
    assert len(gate.commits) - written < 10
    gate.read(bad(credential="more-1", kind="card"))
    assert [each.card for each in gate.bodies(CardSeen)] == ["more-1"], "when nobody is locked out it is looked at"


def test_who_has_a_good_card_is_on_record_among_them() -> None:
    gate = Gate()
    guess(gate, 5)
    for number in range(40):
        gate.read(bad(credential=f"more-{number}"))
        gate.read(card("h-1"))
        gate.read(card("h-2"))
    turned_away = [visit.holder for visit in gate.visits if visit.reasons[0] == "locked-out"]
    assert sorted(turned_away) == ["", "h-1", "h-2"]
    gate.wait(61)
    assert [each.count for each in gate.bodies(Refused)] == [39 * 3]
    assert gate.core.durable() == gate.durable


def test_a_plate_and_a_registration_are_never_lost_to_it() -> None:
    gate = Gate()
    guess(gate, 5)
    gate.read(bad(credential="more"))
    gate.arrive()
    gate.measure()
    gate.send(VehicleNoted("A1", "li"))
    gate.read(bad(credential="more-1"))
    assert gate.last.plate == "A1" and gate.last.reasons == ("locked-out", "unknown-code")
    gate.leave()
    gate.arrive()
    gate.measure()
    gate.send(Registered("r-1", "li"))
    gate.read(bad(credential="more-2"))
    assert [each.data["reference"] for each in gate.last.evidence if each.event == "registered"] == ["r-1"]


def test_after_a_quiet_minute_the_first_is_told_again() -> None:
    gate = Gate(policy(visit__lock_out_s=600))
    guess(gate, 5)
    for _ in range(3):
        before = len(gate.visits)
        for number in range(4):
            gate.read(bad(credential=f"more-{before}-{number}"))
        assert len(gate.visits) == before + 1
        gate.wait(125)
    assert [each.count for each in gate.bodies(Refused)] == [3, 3, 3]
