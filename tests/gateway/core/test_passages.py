"""Who went through, which way, by whose leave."""

import pytest

from gateway.core.events import Crossing, DoorContact, ExitRequested, GuardRelease
from gateway.core.passages import GRACE_MS, ONE_BODY_MS, Passages
from sync.contract.alarms import AlarmKind
from sync.contract.records import Direction, Passage
from tests.gateway.core.acting import Gate, card, policy

ENTRY, EXIT = Direction.ENTRY, Direction.EXIT


def test_a_passage_by_leave_is_counted_and_names_its_visit() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.measure()
    gate.go_through()
    assert gate.bodies(Passage) == [Passage(portal="main", direction=ENTRY, visit=gate.last.visit, inside=1)]
    assert gate.core.status().inside == 1 and gate.open_alarms == []


def test_one_grant_is_good_for_one() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.measure()
    gate.send(DoorContact(True), Crossing(None))
    gate.wait(0.3)
    gate.send(Crossing(None))  # the other leg
    assert gate.open_alarms == []
    gate.wait(1)
    gate.send(Crossing(None))
    assert gate.open_alarms == [AlarmKind.TAILGATING] and gate.core.status().inside == 2


def test_the_button_and_the_guard_let_several_pass() -> None:
    gate = Gate()
    for event in (GuardRelease("li"), ExitRequested()):
        gate.send(event, DoorContact(True))
        for _ in range(3):
            gate.send(Crossing(None))
            gate.wait(1)
        gate.send(DoorContact(False))
        gate.wait(3)
    assert [passage.direction for passage in gate.bodies(Passage)] == [ENTRY] * 3 + [EXIT] * 3
    assert gate.open_alarms == [] and gate.core.status().inside == 0


def test_going_out_needs_no_leave_unless_the_site_asks() -> None:
    gate = Gate()
    gate.send(Crossing(EXIT))
    assert gate.open_alarms == []
    gate = Gate(policy(portal__escape_route=False, portal__exit_needs_credential=True))
    gate.send(Crossing(EXIT))
    assert gate.open_alarms == [AlarmKind.PASSED_WITHOUT_GRANT]


def test_nobody_is_ever_less_than_nobody() -> None:
    passages = Passages({})
    passages.crossing(EXIT, 0)
    assert passages.inside == 0 and passages.durable() == {}


@pytest.mark.parametrize(("after_ms", "granted"), [(GRACE_MS - 1, True), (GRACE_MS, False)])
def test_leave_ends_a_moment_after_the_door_is_at_rest(after_ms: int, *, granted: bool) -> None:
    passages = Passages({})
    passages.give(ENTRY, "v", once=True)
    passages.end(0)
    passages.end(1)  # at rest still, in another state: that gives no more time
    crossed = passages.crossing(None, after_ms)
    assert crossed is not None and crossed.granted is granted


def test_leave_that_was_not_used_is_gone() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.measure()
    gate.wait(60)
    gate.send(Crossing(None))
    assert gate.open_alarms == [AlarmKind.PASSED_WITHOUT_GRANT]


def test_leave_one_way_is_none_for_the_other() -> None:
    passages = Passages({})
    passages.give(ENTRY, "v", once=True)
    crossed = passages.crossing(EXIT, 0)
    assert crossed is not None and not crossed.granted and crossed.direction is EXIT
    assert passages.expected


def test_the_door_shut_in_between_makes_another_body() -> None:
    passages = Passages({})
    assert passages.crossing(None, 0) is not None and passages.crossing(None, 1) is None
    passages.end(2)
    assert passages.crossing(None, 3) is not None


def test_two_beams_tell_two_ways_apart_however_fast() -> None:
    passages = Passages({})
    assert passages.crossing(ENTRY, 0) is not None and passages.crossing(EXIT, 1) is not None
    assert passages.crossing(None, ONE_BODY_MS) is None
