"""A code on a phone lets in once: read again in its visit it is nothing new, and in any other it is refused."""

from dataclasses import replace

import pytest

from gateway.core.events import CredentialResolved, Outcome, Presence, Verdict
from gateway.core.findings import Decision, replay
from gateway.core.phrases import Phrase
from gateway.core.used import FLOOR_S, KEPT_S, MOST, UsedCodes
from sync.contract.colours import PassType
from sync.contract.records import Direction, VisitOutcome
from tests.gateway.core.acting import Gate, at, card, policy, said

GRANTED, DENIED, ABANDONED = VisitOutcome.GRANTED, VisitOutcome.DENIED, VisitOutcome.ABANDONED
USED = (DENIED, ("code-used",))


def phone(counter: int, who: int = 1) -> Verdict:
    """A valid pass on a phone that shows its `counter`-th code."""
    return card(f"h-{who}", kind="pass", credential=f"{who:016x}", counter=counter)


def visit(gate: Gate, verdict: Verdict) -> None:
    gate.arrive()
    gate.read(verdict)
    gate.measure()
    if gate.released:
        gate.go_through()
    gate.leave()


def test_a_code_that_was_used_is_refused_and_so_is_every_older_one() -> None:
    gate = Gate()
    visit(gate, phone(100))
    assert gate.decided == (GRANTED, ("ok",))
    for counter in (100, 99, 1):
        visit(gate, phone(counter))
        assert gate.decided == USED
        assert (gate.last.holder, gate.last.credential, gate.last.pass_type) == ("h-1", f"{1:016x}", PassType.RESIDENT)
        assert replay(gate.last, gate.policy) == Decision(*USED)
    visit(gate, phone(101))
    assert gate.decided == (GRANTED, ("ok",))
    visit(gate, phone(100, who=2))  # somebody else's
    assert gate.decided == (GRANTED, ("ok",))


def test_the_person_is_told_to_show_the_live_code() -> None:
    gate = Gate()
    visit(gate, phone(100))
    gate.arrive()
    assert said(gate.read(phone(100))) == [Phrase.SHOW_LIVE_CODE]


def test_read_again_in_the_same_visit_it_is_nothing_new() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(phone(100))
    for counter in (100, 101, 100, 102):
        assert gate.read(phone(counter)) == []
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",)) and len(gate.visits) == 1
    assert gate.read(phone(102)) == [] and gate.read(phone(103)) == []  # still held up while the door opens
    gate.go_through()
    gate.leave()
    visit(gate, phone(102))  # whoever has a picture of any code that was held up
    assert gate.decided == USED


def test_after_an_abandoned_visit_the_code_is_used_and_the_next_one_is_good() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(phone(100))
    gate.leave()
    assert gate.decided[0] is ABANDONED
    gate.arrive()
    gate.read(phone(100))
    assert gate.decided == USED
    gate.wait(1)
    gate.read(phone(101))  # the phone went on while they stood there
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))


def test_a_refused_code_held_up_on_and_on_is_one_visit() -> None:
    gate = Gate()
    visit(gate, phone(100))
    gate.arrive()
    gate.read(phone(100))
    assert gate.read(phone(100)) == []
    assert len(gate.visits) == 2


def test_without_a_presence_sensor_a_code_still_held_up_after_its_grant_is_nothing_new() -> None:
    gate = Gate(policy(visit__presence_sensor=False))
    gate.read(phone(100))
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))
    gate.wait(2)
    assert gate.read(phone(100)) == [] and gate.released
    gate.wait(gate.policy.visit.reading_valid_s)
    gate.read(phone(100))
    assert gate.decided == USED


def test_the_way_out_too() -> None:
    gate = Gate(policy(portal__escape_route=False, portal__exit_needs_credential=True))
    gate.read(phone(100), Direction.EXIT)
    assert gate.decided == (GRANTED, ("ok",))
    gate.read(phone(100), Direction.EXIT)
    assert gate.decided == USED and gate.last.direction is Direction.EXIT
    visit(gate, phone(100))
    assert gate.decided == USED


def test_what_was_read_too_long_ago_uses_nothing_up() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(phone(100), age_s=60)
    assert gate.visits == [] and gate.durable.keys().isdisjoint({"codes-used"})
    gate.read(phone(100))
    gate.measure()
    assert gate.decided == (GRANTED, ("ok",))


def test_it_is_written_with_the_visit_and_survives_every_power_cut() -> None:
    gate = Gate()
    for counter in range(100, 110):
        visit(gate, phone(counter, who=counter % 3))
    used: dict[int, int] = {}
    visits = iter(range(100, 110))
    for body, state in gate.commits:
        if body in gate.visits:
            counter = next(visits)
            used[counter % 3] = counter
        later = Gate(state=state, now=at("03:00", mono_ms=7))  # another boot
        for who, counter in used.items():
            visit(later, phone(counter, who))
            assert later.decided == USED
    assert len(used) == 3


def test_a_power_cut_before_the_record_leaves_the_code_unused_and_the_door_shut() -> None:
    gate = Gate()
    gate.answers = False
    gate.arrive()
    gate.read(phone(100))
    before = gate.durable
    gate.measure()
    assert not gate.released
    later = Gate(state=before)
    visit(later, phone(100))
    assert later.decided == (GRANTED, ("ok",))


def used_up_to(codes: UsedCodes, who: int, now_ms: int) -> int:
    """The highest counter of a pass that is refused now, 0 for none; by trying."""
    refused = 0
    for counter in range(1, 300):
        event = CredentialResolved(phone(counter, who), "reader", Direction.ENTRY, now_ms)
        if codes.judged(event, now_ms).verdict.outcome is not Outcome.VALID:
            refused = counter
    return refused


def test_a_pass_is_forgotten_and_no_older_code_becomes_good_by_that() -> None:
    codes = UsedCodes({})
    codes.start(0)
    late_ms = round(KEPT_S * 1000) + 1
    codes.use({f"{1:016x}": 100}, 0)
    codes.use({f"{2:016x}": 111}, late_ms)
    assert b"0001" not in codes.durable()["codes-used"]
    # the clock was set back: what pass 1 showed then, and what any pass could have shown then, stays refused
    assert [used_up_to(codes, who, late_ms) for who in (1, 2, 3)] == [100, 111, 100]
    restarted = UsedCodes(codes.durable())
    restarted.start(5)
    assert [used_up_to(restarted, who, 5) for who in (1, 2, 3)] == [100, 111, 100]


def test_a_clock_that_was_ahead_and_is_put_right_keeps_phones_out_for_half_a_day_and_no_longer() -> None:
    codes = UsedCodes({})
    codes.start(0)
    late_ms = round(KEPT_S * 1000) + 1
    codes.use({f"{1:016x}": 250}, 0)
    codes.use({f"{2:016x}": 260}, late_ms)
    assert used_up_to(codes, 3, late_ms) == 250
    next_day_ms = late_ms + round(FLOOR_S * 1000) + 1
    assert [used_up_to(codes, who, next_day_ms) for who in (1, 2, 3)] == [0, 0, 0]
    codes.use({f"{1:016x}": 20}, next_day_ms)
    assert [used_up_to(codes, who, next_day_ms) for who in (1, 2, 3)] == [20, 0, 0]


def test_a_code_of_any_time_at_all_keeps_nobody_else_out() -> None:
    """By an untrusted clock a phone may show whatever counter it likes, where the site accepts that."""
    gate = Gate(now=replace(at(), trusted=False))
    visit(gate, phone(100_000))
    gate.now = replace(gate.now, trusted=True)
    for who in (2, 3):
        gate.wait(KEPT_S + 1)
        visit(gate, phone(200, who))
        assert gate.decided == (GRANTED, ("ok",))
    for again in (gate, Gate(state=gate.durable)):
        visit(again, phone(100_000))  # its own pass goes on being used up
        assert again.decided == USED
    visit(gate, phone(201, 4))
    assert gate.decided == (GRANTED, ("ok",))


def test_a_doubtful_code_ends_after_half_a_day_and_leaves_no_floor() -> None:
    codes = UsedCodes({})
    codes.start(0)
    codes.use({f"{1:016x}": 250}, 0, sure=False)
    codes.use({f"{1:016x}": 100}, 1)  # an older one does not make it sure
    next_day_ms = round(FLOOR_S * 1000) + 2
    assert [used_up_to(codes, who, next_day_ms - 1) for who in (1, 2)] == [250, 0]
    codes.use({f"{3:016x}": 10}, next_day_ms)
    assert [used_up_to(codes, who, next_day_ms) for who in (1, 2, 3)] == [0, 0, 10]
    assert f"{1:016x}".encode() not in codes.durable()["codes-used"]


def test_it_is_bounded_and_what_is_forgotten_early_stays_refused() -> None:
    codes = UsedCodes({})
    codes.start(0)
    for who in range(MOST + 10):
        codes.use({f"{who:016x}": 100 + (who >= 10)}, who)
    assert len(codes.durable()["codes-used"]) < 40 * MOST
    assert used_up_to(codes, 0, MOST) == 100 and used_up_to(codes, MOST, MOST) == 101


def test_a_screenshot_shown_over_and_over_locks_the_readers_out() -> None:
    gate = Gate()
    visit(gate, phone(100))
    for _ in range(gate.policy.visit.bad_credentials):
        gate.send(Presence(True))
        gate.read(phone(100))
        gate.leave()
    visit(gate, phone(101))
    assert gate.decided == (DENIED, ("locked-out",))


@pytest.mark.parametrize("verdict", [card(), card(kind="pass", credential="00ff")])
def test_a_card_or_a_printed_pass_is_good_again_and_again(verdict: Verdict) -> None:
    gate = Gate()
    for _ in range(3):
        visit(gate, verdict)
        assert gate.decided == (GRANTED, ("ok",))
