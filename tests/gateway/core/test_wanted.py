"""The office's orders: once each, however late, through restarts; the guard afterwards; fire above all."""

import pytest

from gateway.core import events
from gateway.core.checkpoint import Checkpoint
from gateway.core.effects import Append
from gateway.core.moment import Moment
from gateway.core.policy import CapacityPolicy, Policy, PortalPolicy, TemperaturePolicy
from gateway.core.wanted import Wanted
from sync.contract.directory import EVERY_GATE, CountOrder, ModeOrder
from sync.contract.records import Body, Count, Mode, Refused

GATE = "north-1"


def an_order(number: int, mode: str, at_ms: int = 0, *, drill: bool = False) -> ModeOrder:
    return ModeOrder(id=f"{number:032x}", mode=mode, by="li", at_ms=at_ms, drill=drill)  # type: ignore[arg-type]  # of the three


class Gate:
    """A checkpoint whose durable state is what its records carried."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.state: dict[str, bytes] = {}
        self.records: list[Body] = []
        self.now_ms = 1_000
        self.restart()

    def restart(self) -> None:
        self.core = Checkpoint(self.policy, ids=lambda: f"{len(self.records):032x}", state=self.state)
        self._keep(self.core.start(Moment(self.now_ms, self.now_ms)))

    def tell(self, event: events.Event) -> None:
        self.now_ms += 10
        self._keep(self.core.handle(event, Moment(self.now_ms, self.now_ms)))

    def want(self, **modes: ModeOrder) -> None:
        named = {EVERY_GATE if key == "all" else GATE: order for key, order in modes.items()}
        self.tell(events.Desired(named))

    def _keep(self, effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]  # a tuple of effects
            if isinstance(effect, Append):
                self.records.append(effect.body)
                for change in effect.changes:
                    if change.value is None:
                        self.state.pop(change.key, None)
                    else:
                        self.state[change.key] = change.value

    @property
    def modes(self) -> list[Mode]:
        return [body for body in self.records if isinstance(body, Mode)]

    @property
    def mode(self) -> str:
        return self.core.status().mode


def test_a_lockdown_ordered_while_the_gate_was_away_holds_and_is_carried_out_once() -> None:
    gate = Gate()
    lockdown = an_order(1, "lockdown")
    for _ in range(3):
        gate.want(all=lockdown)
    assert (gate.mode, len(gate.modes)) == ("lockdown", 1)
    assert gate.modes[0] == Mode(mode="lockdown", before="normal", by="li", order=lockdown.id)
    gate.restart()
    gate.want(all=lockdown)
    assert (gate.mode, len(gate.modes)) == ("lockdown", 1)


def test_the_guard_has_the_last_word_until_the_next_order() -> None:
    gate = Gate()
    gate.want(all=an_order(1, "lockdown"))
    gate.tell(events.ModeOrdered(events.Mode.NORMAL, "guard"))
    gate.restart()
    gate.want(all=an_order(1, "lockdown"))
    assert gate.mode == "normal"
    gate.want(all=an_order(2, "lockdown"))
    assert gate.mode == "lockdown"


@pytest.mark.parametrize(("own_at", "all_at", "wanted"), [(1, 2, "free"), (2, 1, "lockdown"), (5, 5, "lockdown")])
def test_of_two_new_orders_the_later_counts_and_of_equal_ones_the_gates_own(
    own_at: int, all_at: int, wanted: str
) -> None:
    gate = Gate()
    gate.want(own=an_order(1, "lockdown", own_at), all=an_order(2, "free", all_at))
    assert (gate.mode, len(gate.modes)) == (wanted, 1)
    gate.want(own=an_order(1, "lockdown", own_at), all=an_order(2, "free", all_at))
    assert len(gate.modes) == 1, "the other one is past, too"


def test_a_gate_that_lost_its_memory_carries_the_standing_order_out_again() -> None:
    gate = Gate()
    gate.want(all=an_order(1, "lockdown"))
    gate.state.clear()
    gate.restart()
    assert gate.mode == "normal"
    gate.want(all=an_order(1, "lockdown"))
    assert gate.mode == "lockdown"


def test_a_drill_is_told_as_one_until_the_next_order_or_the_guards() -> None:
    gate = Gate()
    gate.want(all=an_order(1, "lockdown", drill=True))
    assert gate.modes[-1].drill and gate.core._mode.told == "drill"
    gate.restart()
    assert gate.core._mode.told == "drill"
    gate.want(all=an_order(2, "normal"))
    assert not gate.modes[-1].drill and gate.core._mode.told == "normal"


def test_fire_is_above_every_order() -> None:
    gate = Gate()
    gate.tell(events.FireInput(True))
    gate.want(all=an_order(1, "lockdown"))
    assert gate.core.status().door == "free"
    gate.tell(events.FireInput(False))
    assert gate.core.status().door == "locked_down"


def test_the_number_inside_is_corrected_once() -> None:
    gate = Gate()
    order = CountOrder(id="0b" * 16, inside=12, by="li", at_ms=1)
    for _ in range(2):
        gate.tell(events.Desired({}, order))
    assert gate.core.status().inside == 12
    assert [body for body in gate.records if isinstance(body, Count)] == [
        Count(inside=12, before=0, by="li", order=order.id)
    ]
    gate.restart()
    gate.tell(events.Desired({}, order))
    assert (gate.core.status().inside, sum(isinstance(body, Count) for body in gate.records)) == (12, 1)


def test_what_was_refused_of_the_directory_is_one_record_a_minute_and_reason() -> None:
    gate = Gate()
    for _ in range(5):
        gate.tell(events.DirectoryRefused("part", "forged"))
    told = [body for body in gate.records if isinstance(body, Refused)]
    assert told == [Refused(what="directory", reason="part", detail="forged")]
    gate.now_ms += 61_000
    gate.tell(events.Tick())
    assert [body.count for body in gate.records if isinstance(body, Refused)] == [1, 4]


def test_another_policy_is_gone_by_as_soon_as_nobody_is_being_decided_about() -> None:
    gate = Gate(Policy(temperature=TemperaturePolicy(threshold_c=37.3)))
    gate.tell(events.Presence(True))
    gate.tell(events.TemperatureMeasured(thermometer="t", object_c=36.5, ambient_c=24.0, read_mono_ms=gate.now_ms))
    gate.tell(events.PolicyChanged(Policy(temperature=TemperaturePolicy(threshold_c=38.0)), "new"))
    assert gate.core._policy.temperature.threshold_c == 37.3, "somebody is being decided about"
    gate.tell(events.Presence(False))
    gate.now_ms += 5_000
    gate.tell(events.Tick())
    gate.tell(events.Tick())
    assert (gate.core._policy.temperature.threshold_c, gate.core._policy_version) == (38.0, "new")
    reception = gate.core._reception
    for machine in (reception._entry, gate.core._portal.door, reception._lockout, gate.core._orders.commanded):
        held = getattr(machine, "_policy", None) or getattr(machine, "_portal", None)
        assert held in (gate.core._policy, gate.core._policy.portal, gate.core._policy.visit)


def test_wanted_keeps_nothing_that_was_never_ordered() -> None:
    assert Wanted({}).durable() == {}
    assert Policy(capacity=CapacityPolicy(limit=3), portal=PortalPolicy()).capacity.limit == 3


def test_an_office_put_back_says_an_earlier_order_anew_and_it_is_not_carried_out_again() -> None:
    gate = Gate()
    gate.want(own=an_order(1, "normal", 1))
    gate.want(own=an_order(2, "lockdown", 2))
    gate.restart()
    gate.want(own=an_order(1, "normal", 1))
    assert gate.mode == "lockdown"
    gate.want(own=an_order(3, "normal", 3))
    assert gate.mode == "normal"
    gate.tell(events.Desired({}, CountOrder(id="a" * 32, inside=7, by="li", at_ms=1)))
    gate.tell(events.Desired({}, CountOrder(id="b" * 32, inside=9, by="li", at_ms=2)))
    gate.tell(events.Desired({}, CountOrder(id="a" * 32, inside=7, by="li", at_ms=1)))
    assert [body.inside for body in gate.records if isinstance(body, Count)] == [7, 9]


def test_the_ids_that_are_kept_are_bounded() -> None:
    wanted = Wanted({})
    for number in range(100):
        assert wanted.mode({EVERY_GATE: an_order(number, "normal")}) is not None
    assert len(wanted.durable()["orders"]) < 1_000
    again = Wanted(wanted.durable())
    assert again.mode({EVERY_GATE: an_order(99, "normal")}) is None
    assert again.mode({EVERY_GATE: an_order(90, "normal")}) is None
