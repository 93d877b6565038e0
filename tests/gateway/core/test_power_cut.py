"""The power is cut at every commit of random days: what is restarted is what was; and every visit decides again the same."""

import msgspec
import pytest

from gateway.core import durable
from gateway.core.checkpoint import Checkpoint
from gateway.core.events import Acknowledge, Mode, ModeOrdered
from gateway.core.findings import Decision, replay
from gateway.core.policy import Policy
from sync.contract.records import AlarmRecord, Passage, Visit, VisitOutcome, decode_body, encode_body
from tests.gateway.core.acting import Gate, at, card, policy
from tests.gateway.core.crowd import a_day

SEEDS = range(8)
SETTINGS = [Policy(), policy(visit__presence_sensor=False, visit__bad_credentials=3)]


def lived(seed: int) -> Gate:
    gate = Gate(SETTINGS[seed % 2], seed=seed, now=at("21:00"))
    a_day(gate, seed, 400)
    return gate


def restarted(gate: Gate, state: dict[str, bytes]) -> Checkpoint:
    return Checkpoint(gate.policy, ids=gate.new_id, state=state)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_power_is_cut_at_every_commit(seed: int) -> None:
    gate = lived(seed)
    assert len(gate.commits) > 200
    assert gate.durable == gate.core.durable(), "a change that travelled with no record"
    for body, state in gate.commits:
        core = restarted(gate, state)
        assert core.durable() == state
        status = core.status()
        if isinstance(body, Passage):
            assert status.inside == body.inside
        if isinstance(body, AlarmRecord):
            stands = body.alarm in status.alarms
            assert stands is (body.action != "cleared")


@pytest.mark.parametrize("seed", SEEDS)
def test_after_every_turn_everything_is_on_its_way_to_the_disk(seed: int) -> None:
    gate = Gate(seed=seed)

    send = gate.send

    def checked(*sent: object) -> list[object]:
        found = send(*sent)  # type: ignore[arg-type]  # whatever the day sends
        assert gate.durable == gate.core.durable()
        return found  # type: ignore[return-value]  # handed through

    gate.send = checked  # type: ignore[assignment,method-assign]  # looks in after every turn
    a_day(gate, seed, 150)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_visit_is_decided_again_from_its_record(seed: int) -> None:
    gate = lived(seed)
    assert len(gate.visits) > 30
    for visit in gate.visits:
        kept = decode_body("visit", encode_body(visit))
        assert isinstance(kept, Visit)
        assert replay(kept, gate.policy) == Decision(visit.outcome, visit.reasons)


def test_the_days_have_every_outcome() -> None:
    found = {visit.outcome for seed in SEEDS for visit in lived(seed).visits}
    assert found == set(VisitOutcome)


def test_evidence_that_does_not_decide_is_an_error() -> None:
    visit = lived(0).visits[0]
    with pytest.raises(ValueError, match="does not decide"):
        replay(msgspec.structs.replace(visit, evidence=()), Policy())
    odd = msgspec.structs.replace(visit.evidence[0], event="retina")
    with pytest.raises(ValueError, match="retina"):
        replay(msgspec.structs.replace(visit, evidence=(odd,)), Policy())


def test_another_policy_may_decide_otherwise() -> None:
    gate = Gate()
    gate.arrive()
    gate.measure(37.0)
    gate.read(card())
    assert replay(gate.last, gate.policy).outcome is VisitOutcome.GRANTED
    with pytest.raises(ValueError, match="does not decide"):
        replay(gate.last, policy(temperature__threshold_c=36.9))


def test_a_state_of_another_version_is_named() -> None:
    with pytest.raises(durable.StateError, match=r"'inside'.*another version"):
        Checkpoint(Policy(), ids=str, state={"inside": b'"many"'})
    assert Checkpoint(Policy(), ids=str, state={"what-comes-later": b"1"}).status().inside == 0


def test_a_mode_outlives_a_restart() -> None:
    gate = Gate()
    gate.send(ModeOrdered(Mode.LOCKDOWN, "office"))
    later = Gate(state=gate.durable)
    assert later.core.status().mode == "lockdown" and later.core.status().door == "locked_down" and not later.released


def test_a_visit_and_its_alarms_make_at_most_six_records() -> None:
    gate = Gate(now=at("23:40"))
    gate.arrive()
    gate.send(Acknowledge("button"))
    gate.measure(38.5)
    gate.wait(5)
    before = len(gate.commits)
    gate.measure(38.5)
    gate.leave()
    gate.send(Acknowledge("button"))
    assert before - 1 + len(gate.commits) - before <= 6
