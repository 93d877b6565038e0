"""How devices are, as the gate tells the office and its guards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.catalogue import Bench
from drivers.readings import DeviceState, Temperature
from drivers.settings import SimulatedInputSettings, SimulatedOutputSettings, SimulatedThermometerSettings
from drivers.simulators.line import LineFault
from drivers.tally import Tally
from gateway.config import DeviceConfig
from gateway.config.uses import Use
from gateway.core.moment import Moment
from gateway.hardware import Hardware
from sync.contract.alarms import MOST_DEVICES, DeviceReport
from tests.drivers.listening import Listener

NOW = Moment(mono_ms=90_000, at_ms=1_700_000_090_000)


def config(name: str, model: str, use: Use, settings: Any) -> DeviceConfig:
    return DeviceConfig(name=name, model=model, use=use, settings=settings, line=1)


@dataclass
class Told:
    """A device as far as a report looks at it."""

    name: str
    state: DeviceState
    tally: Tally | None = None


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Hardware]:
    monkeypatch.setattr(Device, "pin_factory", MockFactory())

    def make(*devices: Told) -> Hardware:
        made = Hardware([], Bench())
        made.devices = [(config(each.name, "gm65", Use.ENTRY_CAMERA, None), each) for each in devices]
        return made

    return make


def test_a_device_is_told_with_its_last_valid_frame_by_the_gate_s_clock(hardware: Callable[..., Hardware]) -> None:
    tally = Tally(frames=412, bad=2, noise=17, reopens=1, last_valid_ms=88_500)
    assert hardware(Told("forehead", DeviceState.STALE, tally)).reports(NOW) == (
        DeviceReport(
            name="forehead", state="stale", valid_at_ms=NOW.at_ms - 1_500, frames=412, bad=2, noise=17, reopens=1
        ),
    )


def test_one_that_was_never_heard_has_no_time(hardware: Callable[..., Hardware]) -> None:
    told = hardware(Told("a", DeviceState.LOST, Tally()), Told("b", DeviceState.STARTING)).reports(NOW)
    assert [(each.name, each.state, each.valid_at_ms) for each in told] == [("a", "lost", 0), ("b", "starting", 0)]


def test_of_too_many_those_that_are_not_well_are_told(hardware: Callable[..., Hardware]) -> None:
    many = [Told(f"d{number}", DeviceState.OK) for number in range(60)] + [Told("last", DeviceState.LOST)]
    told = hardware(*many).reports(NOW)
    assert len(told) == MOST_DEVICES
    assert told[0].name == "last"


def test_real_devices_tell_what_happens_to_them() -> None:
    """Over a pty and on simulated pins: built as a gate builds them."""
    hardware = Hardware(
        [
            config("forehead", "simulated-gy-mcu90615", Use.THERMOMETER, SimulatedThermometerSettings()),
            config("contact", "simulated-input", Use.DOOR_CONTACT, SimulatedInputSettings(pin=6)),
            config("lock", "simulated-output", Use.LOCK, SimulatedOutputSettings(pin=17)),
        ],
        Bench(),
    )
    now = Moment(mono_ms=10**9, at_ms=2 * 10**12)
    forehead, contact = hardware.by_use("thermometer"), hardware.by_use("door-contact")
    assert {each.name: each.state for each in hardware.reports(now)} == {
        "forehead": "starting", "contact": "starting", "lock": "ok"
    }  # fmt: skip
    with Listener(forehead) as listening, Listener(contact) as pins:
        listening.until(lambda: any(isinstance(one, Temperature) for one in listening.heard))
        pins.until_state(DeviceState.OK)
        well = {each.name: each for each in hardware.reports(now)}
        assert (well["forehead"].state, well["contact"].state) == ("ok", "ok")
        assert well["forehead"].frames > 0
        assert well["forehead"].valid_at_ms > 0
        forehead.simulator.fault(LineFault.SILENT)
        listening.until_state(DeviceState.STALE)
        stale = hardware.reports(now)[0]
        assert (stale.name, stale.state) == ("forehead", "stale")
        assert stale.valid_at_ms > 0
    hardware.close()
