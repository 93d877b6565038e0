"""At the limit people come and go all the time: that is one alarm, not one for each of them."""

from gateway.core.capacity import REACHED, WARNING, Capacity
from gateway.core.events import CountCorrected
from gateway.core.policy import CapacityPolicy, Policy
from sync.contract.alarms import AlarmAction, AlarmKind
from sync.contract.records import AlarmRecord
from tests.gateway.core.acting import Gate, at

LIMIT = 200


def levels(*counts: int) -> list[str]:
    capacity, now = Capacity(CapacityPolicy(limit=LIMIT)), at()
    return [capacity.level(count, now) for count in counts]


def test_full_holds_until_it_is_well_below_the_limit() -> None:
    assert levels(200, 199, 200, 191, 190) == [REACHED, REACHED, REACHED, REACHED, WARNING]


def test_the_warning_holds_until_it_is_well_below_its_mark() -> None:
    assert levels(159, 160, 159, 151, 150, 159) == ["", WARNING, WARNING, WARNING, "", ""]


def test_nobody_inside_is_never_a_warning() -> None:
    capacity, now = Capacity(CapacityPolicy(limit=LIMIT, warn_percent=1)), at()
    assert [capacity.level(count, now) for count in (2, 1, 0)] == [WARNING, WARNING, ""]


def test_who_waits_is_let_in_as_soon_as_there_is_room() -> None:
    capacity, now = Capacity(CapacityPolicy(limit=LIMIT)), at()
    capacity.level(LIMIT, now)
    assert capacity.against(LIMIT, (), now) == "full" and capacity.number("a") == 1
    assert capacity.level(LIMIT - 1, now) == REACHED
    assert capacity.against(LIMIT - 1, (), now) == "" and capacity.number("b") == 1, "the queue begins anew"


def test_a_hundred_who_come_and_go_at_the_limit_are_one_alarm() -> None:
    for limit in (10, LIMIT):
        gate = Gate(Policy(capacity=CapacityPolicy(limit=limit)))
        for count in [limit, limit - 1] * 50:
            gate.send(CountCorrected(count, "li"))
        told = [body for body, _ in gate.commits if isinstance(body, AlarmRecord)]
        assert [(body.alarm.kind, body.action) for body in told] == [(AlarmKind.CAPACITY, AlarmAction.RAISED)]
