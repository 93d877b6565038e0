"""Nobody is asked for anything once the sensor has seen them go, and what waits to be said to them is taken back."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core import effects, events
from gateway.core.phrases import Phrase
from sync.contract.colours import PassType
from sync.contract.records import Direction
from tests.gateway.core.acting import Gate, card, health, said

ASKS = {
    Phrase.WELCOME,
    Phrase.SHOW_PASS,
    Phrase.SHOW_FOREHEAD,
    Phrase.SHOW_HEALTH_CODE,
    Phrase.CODE_CLOSER,
    Phrase.MEASURE_AGAIN,
    Phrase.HIGH_ONCE_MORE,
    Phrase.ONCE_MORE,
    Phrase.TOO_COLD,
}
DEEDS = st.sampled_from(["come", "come", "go", "card", "visitor", "code", "normal", "high", "cold", "none", "unread"])
TIMES = st.sampled_from([0.1, 0.5, 1.9, 2.1, 4.4, 5.1, 7.1])


def do(gate: Gate, deed: str) -> list[effects.Effect]:
    match deed:
        case "come" | "go":
            return gate.send(events.Presence(deed == "come"))
        case "card" | "visitor":
            return gate.read(card("h-2", PassType.VISITOR) if deed == "visitor" else card())
        case "code":
            return gate.read(health())
        case "unread":
            return gate.send(events.CodeUnread("closer", "reader", Direction.ENTRY))
    return gate.measure({"normal": 36.5, "high": 38.5, "cold": 33.0, "none": None}[deed])


@given(st.lists(st.tuples(DEEDS, TIMES), max_size=25))
def test_who_is_out_of_sight_is_asked_for_nothing(deeds: list[tuple[str, float]]) -> None:
    gate = Gate()
    there = out_of_sight = False
    for deed, then_s in deeds:
        found = do(gate, deed)
        goes = deed == "go" and there
        if goes:
            unsaid = [effect.phrases for effect in found if isinstance(effect, effects.Unsay)]
            assert unsaid and unsaid[0] >= ASKS and Phrase.GRANTED not in unsaid[0]
        there = deed == "come" or (there and deed != "go")
        out_of_sight = not there and (goes or (out_of_sight and deed not in ("card", "visitor", "code")))
        found += gate.wait(then_s)
        if out_of_sight:  # who has shown something since is there, whatever the sensor says
            assert not ASKS & set(said(found))
