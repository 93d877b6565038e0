"""Every model of thermometer, from its bytes to a measurement, in simulated time: one that hangs measures nobody, and is found out while
somebody is there; people before one that is well are measured."""

import pytest

from drivers.readings import DeviceState
from gateway.core.events import TemperatureMeasured
from gateway.core.policy import TemperaturePolicy
from gateway.nearby import Nearby
from gateway.sampling import TemperatureSampler
from tests.drivers.protocols.test_stillness import CASES, Together

APPROACH_MS = 300
VISIT_S = 20  # [policy.visit] between_steps_s


class Gate:
    """What lies between the thermometer and the core, and people who come and go."""

    def __init__(self, thermometer: Together) -> None:
        self.it = thermometer
        self.nearby = Nearby()
        self.it.near = self.nearby.at
        self.sampler = TemperatureSampler("t", TemperaturePolicy(warm_up_s=0))

    def run(self, seconds: float) -> list[TemperatureMeasured]:
        """The measurements in so many seconds."""
        read = self.it.readings(self.it.now_ms + round(seconds * 1000))
        fed = (self.sampler.feed(each.measured_c, each.ambient_c, self.it.now_ms) for each in read)
        return [each for each in fed if each is not None]

    def arrive(self, celsius: float | None = 36.6, *, seen: bool = True) -> list[TemperatureMeasured]:
        """Somebody comes, with a forehead of so much unless they keep away from it. `seen`: by a presence sensor; else they show a card."""
        if seen:
            self.nearby.presence(self.it.now_ms, present=True)
        else:
            self.nearby.shown(self.it.now_ms)
        self.sampler.again()
        if celsius is not None:
            self.it.model.physics.approach(celsius, 3.0, self.it.now_ms)
        return self.run(5)

    def leave(self) -> None:
        self.it.model.physics.leave(self.it.now_ms)
        self.nearby.presence(self.it.now_ms, present=False)


@pytest.fixture(params=CASES)
def gate(request: pytest.FixtureRequest) -> Gate:
    made = Gate(CASES[request.param].make())
    made.run(2)
    return made


def test_people_are_measured_one_after_the_other(gate: Gate) -> None:
    for celsius in (36.4, 38.2, 36.6):
        (measured,) = gate.arrive(celsius)
        assert measured.object_c == pytest.approx(celsius, abs=1.0)
        gate.leave()
        assert gate.run(3) == []
    assert gate.it.health == (DeviceState.OK, "")


@pytest.mark.parametrize("seen", [True, False], ids=["presence", "card"])
def test_nobody_is_measured_by_what_it_said_of_somebody_before(gate: Gate, seen: bool) -> None:
    """It hangs with a good forehead before it; they go, and the next ones come: at once, and after a night."""
    assert len(gate.arrive(36.5)) == 1
    gate.it.model.physics.frozen = True
    gate.leave()
    for pause_s in (0.5, 30):
        gate.run(pause_s)
        assert gate.arrive(None, seen=seen) == []
        assert gate.run(VISIT_S - 5) == []
        gate.leave()
    state, why = gate.it.health
    assert (state, why[:7]) == (DeviceState.STALE, "frozen:")
    gate.it.model.physics.frozen = False
    gate.run(1)
    assert gate.it.health == (DeviceState.OK, "")
    assert len(gate.arrive(36.5, seen=seen)) == 1


def test_it_is_found_out_while_the_first_one_stands_there(gate: Gate) -> None:
    """In time for the guard to be told: before the visit ends for want of a temperature."""
    assert len(gate.arrive(36.5)) == 1
    gate.it.model.physics.frozen = True
    gate.leave()
    gate.run(30)
    gate.arrive(None)
    gate.run(VISIT_S - 6)
    assert gate.it.health[0] is DeviceState.STALE
