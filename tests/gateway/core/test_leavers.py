"""Who has just gone out is not called back, and nobody else is silenced by it: any order of people coming, staying and leaving."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core import events
from gateway.core.policy import PrompterPolicy
from sync.contract.alarms import AlarmKind
from sync.contract.records import Direction
from tests.gateway.core.acting import Gate, at, card, policy, said

OUT = (events.ExitRequested(), events.Crossing(Direction.EXIT))
THERE, NOT_THERE = events.Approach(True), events.Approach(False)
LEAVER_S, BLINK_S, AGAIN_S = 10.0, 2.0, 1.0
SITE = policy(prompter=PrompterPolicy(again_s=AGAIN_S))
STEPS = st.lists(
    st.tuples(st.sampled_from([*OUT, THERE, NOT_THERE]), st.sampled_from([0.1, 0.5, 1.9, 2.1, 6.0, 10.1])), max_size=25
)


@given(steps=STEPS)
def test_who_is_seen_is_told_unless_they_may_be_who_has_just_gone_out(steps: list[tuple[events.Event, float]]) -> None:
    gate = Gate(SITE, now=at("23:30"))
    now_s, out_s, since_s, off_s = 0.0, -100.0, None, -100.0
    leaver = walked_off = False
    for event, then_s in steps:
        gate.send(event)
        if event in OUT:
            out_s, walked_off = now_s, False
        elif event == THERE and since_s is None:
            leaver = now_s - out_s < LEAVER_S and not (walked_off and now_s - off_s >= BLINK_S - 1e-6)
            since_s, told_by_s = now_s, out_s + LEAVER_S if leaver else now_s
        elif event == NOT_THERE and since_s is not None:
            if leaver and now_s < told_by_s - 1e-6:
                walked_off, off_s = True, now_s
            since_s = None
        gate.wait(then_s)
        now_s += then_s
        status = gate.core.status()
        here = [
            alarm for alarm in status.alarms if alarm.id not in status.ended
        ]  # what comes and goes stays listed as over
        called = AlarmKind.NIGHT_ARRIVAL in [alarm.kind for alarm in here]
        assert called is (since_s is not None and now_s >= told_by_s - 1e-6)


@given(
    st.lists(st.sampled_from([*OUT, events.CredentialResolved(card(), "r", Direction.EXIT, 0)]), min_size=1, max_size=6)
)
def test_whoever_waits_already_is_not_silenced_by_any_leaver(leavers: list[events.Event]) -> None:
    gate = Gate(SITE, now=at("23:30"))
    assert said(gate.send(THERE)) == ["approach"]
    for each in leavers:
        gate.send(each)
        gate.wait(1)
        assert AlarmKind.NIGHT_ARRIVAL in gate.open_alarms
    gate.send(NOT_THERE)
    assert AlarmKind.NIGHT_ARRIVAL not in gate.open_alarms
    gate.wait(LEAVER_S)
    assert said(gate.send(THERE)) == ["approach"]
