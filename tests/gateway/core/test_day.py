"""The demo's day, played as events: each scene comes out as the scenario says."""

from pathlib import Path

import pytest

from gateway.core import effects, events
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.simulation.scenario import Cast, Phone, Scene, load_scenario, parse_action
from sync.contract.alarms import AlarmKind
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import VisitOutcome
from tests.gateway.core.acting import Gate, at, bad, card, health

CAST = {
    "resident": card("h-0101"),
    "resident-2": card("h-0102"),
    "tenant": card("h-0201", PassType.TENANT, kind="pass"),
    "phone": card("h-0202", PassType.TENANT, kind="pass"),
    "screenshot": bad(events.Outcome.INVALID, "screenshot", kind="pass"),
    "returnee": card("h-0301", PassType.RETURNEE, kind="pass"),
    "returnee-2": card("h-0302", PassType.RETURNEE, kind="pass"),
    "visitor": card("h-0401", PassType.VISITOR, kind="pass"),
    "visitor-2": card("h-0402", PassType.VISITOR, kind="pass"),
    "forged": bad(events.Outcome.INVALID, "bad-signature", kind="pass"),
    "green-code": health(),
    "green-code-2": health(credential="code-2"),
    "red-code": health(HealthCode.RED, "code-3"),
    "eu-certificate": health(credential="certificate"),
    "smart-card": health(credential="smart-card"),
}
NAMES = dict.fromkeys(CAST, "…")
SCENARIO = load_scenario(
    Path(__file__).parents[3] / "config" / "scenarios" / "day.toml",
    Cast(cards=NAMES, codes=NAMES, phones={"phone": Phone(pass_text="…", key="…")}),
)
MEASURING_S = 0.5


class Actor:
    """Does what a scene says. The thermometer measures whoever is near, once, and again when asked to."""

    def __init__(self, gate: Gate, pace: float) -> None:
        self.gate = gate
        self.pace = pace
        self.near: float | None = None

    def play(self, scene: Scene) -> str:
        """Play a scene; the visit's outcome."""
        self.gate.now = Moment(self.gate.now.mono_ms, at(scene.at).at_ms)
        before = len(self.gate.visits)
        for text in scene.do:
            action, argument = parse_action(text)
            getattr(self, f"do_{action}")(argument)
        self.do_leave("")
        self.pass_time(2 * self.pace)
        made = self.gate.visits[before:]
        assert len(made) <= 1
        return made[0].outcome.value if made else ""

    def pass_time(self, seconds: float) -> None:
        self.react(self.gate.wait(seconds))

    def react(self, found: list[effects.Effect]) -> None:
        if effects.MeasureAgain() in found and self.near is not None:
            self.measure()

    def measure(self) -> None:
        found = self.gate.wait(MEASURING_S)
        self.react(found or self.gate.measure(self.near))

    def do_arrive(self, _: str) -> None:
        self.react(self.gate.arrive())
        self.pass_time(1.5 * self.pace)

    def do_card(self, name: str) -> None:
        self.react(self.gate.read(CAST[name]))
        self.pass_time(0.8 * self.pace)

    do_show = do_card

    def do_screenshot(self, _: str) -> None:
        self.do_card("screenshot")

    def do_forehead(self, celsius: str) -> None:
        self.near = float(celsius)
        self.measure()
        self.pass_time(1.5 * self.pace)

    def do_enter(self, _: str) -> None:
        for _again in range(50):
            if self.gate.released:
                self.near = None
                self.gate.go_through()
                return
            self.pass_time(0.5)

    def do_force(self, _: str) -> None:
        self.gate.send(events.DoorContact(True))
        self.pass_time(max(1.5, 6 * self.pace))

    def do_acknowledge(self, _: str) -> None:
        self.pass_time(2 * self.pace)
        self.gate.send(events.Acknowledge("button"))

    def do_leave(self, _: str) -> None:
        self.near = None
        self.gate.send(events.DoorContact(False), events.Presence(False))


@pytest.mark.parametrize("pace", [1.0, 0.0])
def test_the_day_comes_out_as_it_should(pace: float) -> None:
    gate = Gate(Policy())
    actor = Actor(gate, pace)
    for _day in range(3):
        outcomes = [(scene.en, actor.play(scene)) for scene in SCENARIO.scene]
        assert outcomes == [(scene.en, scene.expects) for scene in SCENARIO.scene]
    assert gate.core.status().inside == 3 * [scene.expects for scene in SCENARIO.scene].count(VisitOutcome.GRANTED)
    assert gate.alarm_actions(AlarmKind.FEVER) == ["raised", "cleared"] * 3
    assert gate.alarm_actions(AlarmKind.DOOR_FORCED) == ["raised", "acknowledged", "cleared"] * 3
    assert gate.alarm_actions(AlarmKind.NIGHT_ARRIVAL) == ["raised", "acknowledged", "cleared"] * 3
    assert gate.open_alarms == [] and gate.tones == set()
