"""What scenes damage at a gate: its devices tell, by their real drivers, and are well once it is mended."""

from collections.abc import Iterator
from typing import Any

import pytest

from drivers.catalogue import MODELS, Bench
from drivers.readings import DeviceState, Level
from drivers.settings import (
    NoSettings,
    SimulatedInputSettings,
    SimulatedThermometerSettings,
    SimulatedWiegandSettings,
)
from drivers.simulators.doorway import Doorway
from gateway.simulation.scenario import DAMAGED, Cast, ScenarioError, load_scenario
from gateway.simulation.wires import Wires
from tests.drivers.listening import Listener

CASES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "simulated-gy-mcu90615": (SimulatedThermometerSettings(), ("cut",)),
    "simulated-mlx90614": (SimulatedThermometerSettings(), ("cut", "stick")),
    "simulated-hid-scanner": (NoSettings(), ("cut",)),
    "simulated-wiegand": (SimulatedWiegandSettings(d0=20, d1=21), ("cut",)),
}


@pytest.mark.parametrize(("model", "damage"), [(model, each) for model, (_, all_) in CASES.items() for each in all_])
def test_a_device_tells_of_its_damage_and_is_well_once_it_is_mended(model: str, damage: str) -> None:
    bench = Bench()
    device = MODELS[model].build("it", CASES[model][0], bench)
    wires = Wires(Doorway(bench, {}), {"it": device.simulator})
    with Listener(device) as listening:
        listening.until_state(DeviceState.OK)
        getattr(wires, damage)("it")
        listening.until(lambda: bool(listening.said(DeviceState.STALE) or listening.said(DeviceState.LOST)))
        wires.mend("it")
        listening.until_state(DeviceState.OK, count=2)


@pytest.fixture
def door() -> Iterator[tuple[Doorway, Listener]]:
    """A door that stands open, and its contact, which closes to ground then."""
    bench, settings = Bench(), SimulatedInputSettings(pin=6)
    contact = MODELS["simulated-input"].build("contact", settings, bench)
    doorway = Doorway(bench, {"door-contact": settings})
    doorway.force()
    with Listener(contact) as listening:
        listening.until(lambda: listening.heard[-1:] == [Level(True)])
        yield doorway, listening


def test_a_contact_whose_wire_is_cut_is_at_rest_and_as_it_is_once_mended(door: tuple[Doorway, Listener]) -> None:
    doorway, listening = door
    wires = Wires(doorway, {})
    wires.cut("door-contact")
    listening.until(lambda: listening.heard[-1] == Level(False))
    doorway.force()  # which its contact does not tell any more
    wires.mend("door-contact")
    listening.until(lambda: listening.heard[-1] == Level(True))


def test_a_contact_that_sticks_says_nothing_until_it_is_mended(door: tuple[Doorway, Listener]) -> None:
    doorway, listening = door
    wires = Wires(doorway, {})
    wires.stick("door-contact")
    levels = [one for one in listening.heard if isinstance(one, Level)]
    doorway.close()
    doorway.force()
    doorway.close()
    wires.mend("door-contact")
    listening.until(lambda: listening.heard[-1] == Level(False))
    assert [one for one in listening.heard if isinstance(one, Level)] == [*levels, Level(False)]
    wires.mend("door-contact")
    wires.stick("nothing-here")


@pytest.mark.parametrize("what", ["cut", "stick lock", "mend everything"])
def test_what_cannot_be_damaged_is_told_before_the_day(tmp_path: Any, what: str) -> None:
    path = tmp_path / "day.toml"
    path.write_text(f'[[scene]]\nat = "10:00"\nzh = "z"\nen = "e"\ndo = ["{what}"]\n')
    with pytest.raises(ScenarioError, match="There are: thermometer, entry-reader"):
        load_scenario(path, Cast())
    assert "lock" not in DAMAGED and "speaker" not in DAMAGED and "exit-button" in DAMAGED
