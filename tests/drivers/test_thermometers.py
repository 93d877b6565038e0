"""Every thermometer on a serial line, over a real pty with its simulator at the far end: rates, people, faults, unplugging."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from drivers.protocols import infrared
from drivers.protocols.cjmcu_90614 import Cjmcu90614Link
from drivers.protocols.gd60914 import Asked, Gd60914Link
from drivers.protocols.gy_614v import Gy614vLink
from drivers.protocols.gy_mcu90615 import GyMcu90614Link
from drivers.protocols.gy_mcu90640 import GyMcu90640Link
from drivers.protocols.modbus import PYRO_USB, SIMULATED, ModbusLink, Register, Registers, Table
from drivers.protocols.quantity import Quantity
from drivers.readings import DeviceState, Temperature
from drivers.serial_device import Link
from drivers.settings import SimulatedThermometerSettings
from drivers.simulators.line import LineFault
from drivers.simulators.serial_device import SimulatedSerialDevice
from drivers.simulators.thermometer import InstrumentLine, ThermometerInstrument, ThermometerModel
from drivers.simulators.thermometer_models import Cjmcu90614Model, Gy614vModel, Gy90640Model
from drivers.simulators.thermometer_polled import Gd60914Model, ModbusModel
from drivers.threaded import Retry
from tests.drivers.listening import Listener, take_name

BRISK = Retry(first_s=0.02, longest_s=0.1)
ROOM = SimulatedThermometerSettings(room_c=24.0)
APART = Registers(
    Table.INPUT,
    Register(30, Quantity(-40, 300, 100.0)),
    Register(100, Quantity(-40, 300, 100.0)),
    apart=True,
)


@dataclass(frozen=True)
class Case:
    """A model's link and simulator, what else the simulator may be set to at first, and how near a reading is."""

    link: Callable[[int], Link]
    model: Callable[..., ThermometerInstrument]
    variants: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    near_c: float = 0.5


CASES = {
    "gy-mcu90614": Case(
        GyMcu90614Link,
        ThermometerModel,
        [{"baud": 9_600}, {"baud": 115_200, "automatic": False}],
    ),
    "cjmcu-90614": Case(
        Cjmcu90614Link, Cjmcu90614Model, [{}, {"baud": 9_600, "automatic": False}, {"baud": 57_600, "automatic": False}]
    ),
    "gy-614v": Case(
        Gy614vLink, Gy614vModel, [{}, {"baud": 115_200, "automatic": False}, {"text": True}, {"baud": 19_200}]
    ),
    "gd60914": Case(partial(Gd60914Link, room_c=24.0), Gd60914Model),
    "gy-mcu90640": Case(GyMcu90640Link, Gy90640Model, [{}, {"baud": 460_800, "automatic": False}], near_c=1.0),
    "calex-pyrousb": Case(partial(ModbusLink, registers=PYRO_USB), partial(ModbusModel, registers=PYRO_USB)),
    "modbus-floats": Case(partial(ModbusLink, registers=SIMULATED), partial(ModbusModel, registers=SIMULATED)),
    "modbus-apart": Case(
        partial(ModbusLink, registers=APART, address=7, baud=19_200),
        partial(ModbusModel, registers=APART, address=7, baud=19_200),
    ),
}


class Thermometer(Listener):
    """A simulated thermometer under test."""

    def __init__(self, case: Case, **variant: Any) -> None:
        self.near_c = case.near_c
        self.model: Any = case.model(ROOM, **variant)
        self.simulator = InstrumentLine("forehead", self.model)
        self.device = SimulatedSerialDevice("forehead", self.simulator, case.link, retry=BRISK)
        super().__init__(self.device)

    @property
    def readings(self) -> list[Temperature]:
        return [one for one in self.heard if isinstance(one, Temperature)]

    def until_measured(self, celsius: float) -> Temperature:
        """Wait for somebody of this temperature, or the room, from now on."""
        before = len(self.readings)
        self.until(lambda: any(abs(one.measured_c - celsius) < self.near_c for one in self.readings[before:]))
        return self.readings[-1]


@pytest.fixture(params=CASES.values(), ids=CASES)
def thermometer(request: pytest.FixtureRequest) -> Iterator[Thermometer]:
    with Thermometer(request.param) as listening:
        listening.until_state(DeviceState.OK)
        yield listening


@pytest.mark.parametrize(
    ("case", "variant"),
    [pytest.param(case, variant, id=f"{name}-{variant}") for name, case in CASES.items() for variant in case.variants],
)
def test_it_is_found_however_it_was_set_and_a_person_comes_and_goes(case: Case, variant: dict[str, Any]) -> None:
    with Thermometer(case, **variant) as listening:
        listening.until_state(DeviceState.OK)
        listening.simulator.approach(36.6)
        listening.until_measured(36.6)
        listening.simulator.leave()
        listening.until(lambda: listening.readings[-1].measured_c < 28)
        assert {one.state for one in listening.heard if not isinstance(one, Temperature)} <= {
            DeviceState.OK,
            DeviceState.STALE,
        }
        assert all(23 < one.measured_c < 37.6 for one in listening.readings)


def test_garbage_makes_it_stale_is_counted_and_never_a_reading(thermometer: Thermometer) -> None:
    before = thermometer.device.tally
    thermometer.simulator.fault(LineFault.GARBAGE)
    thermometer.until_state(DeviceState.STALE)
    assert all(abs(one.object_c - 24) < 1.6 for one in thermometer.readings)
    garbage = thermometer.device.tally
    assert garbage.noise > before.noise
    assert garbage.reopens == before.reopens == 0
    thermometer.simulator.fault(LineFault.NONE)
    thermometer.until_state(DeviceState.OK, count=2)
    assert thermometer.device.tally.frames > garbage.frames
    assert (thermometer.device.tally.last_valid_ms or 0) > (garbage.last_valid_ms or 0)


def test_a_broken_wire_is_stale_then_well_again(thermometer: Thermometer) -> None:
    thermometer.simulator.fault(LineFault.SILENT)
    assert "nothing comes any more" in thermometer.until_state(DeviceState.STALE).detail
    thermometer.simulator.fault(LineFault.NONE)
    thermometer.until_state(DeviceState.OK, count=2)


def test_unplugged_in_the_middle_of_a_frame_and_plugged_in_under_another_name(thermometer: Thermometer) -> None:
    before = thermometer.simulator.path
    thermometer.simulator.inject(bytes.fromhex("5A 5A 02 06 B8"))
    thermometer.simulator.unplug()
    thermometer.until_state(DeviceState.LOST)
    others = take_name(before)
    thermometer.simulator.plug()
    assert thermometer.simulator.path != before
    thermometer.until_state(DeviceState.OK, count=2)
    thermometer.simulator.approach(36.6)
    thermometer.until_measured(36.6)
    for fd in others:
        os.close(fd)
    tally = thermometer.device.tally
    assert tally.frames >= len(thermometer.readings)
    assert tally.reopens >= 1
    assert tally.last_valid_ms is not None


def test_a_flood_neither_blocks_nor_grows(thermometer: Thermometer) -> None:
    for _ in range(20):
        thermometer.simulator.inject(b"\x5a\x5a\x02\x06\x66\xa4\x03\x07" * 64)
    thermometer.simulator.approach(36.6)
    thermometer.until_measured(36.6)


# one by one


def test_the_body_value_of_a_gy_614v_is_its_own_and_only_a_person_s() -> None:
    with Thermometer(CASES["gy-614v"]) as listening:
        listening.until_state(DeviceState.OK)
        assert listening.readings[-1].body_c is None
        listening.simulator.approach(36.6)
        listening.until_measured(36.6)
        person = listening.readings[-1]
        assert person.body_c is not None
        assert abs(person.body_c - person.object_c - 1.5) < 0.02


@pytest.mark.parametrize("asked", Asked)
def test_a_gd60914_is_asked_for_what_is_held_before_it(asked: Asked) -> None:
    case = Case(partial(Gd60914Link, asked=asked), Gd60914Model)
    with Thermometer(case) as listening:
        listening.simulator.approach(36.6)
        listening.until_measured(35.1 if asked is Asked.OBJECT else 36.6)
        assert listening.readings[-1].ambient_c is None


def test_a_thermal_camera_that_is_too_slow_becomes_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infrared, "MEASURE_MS", 1_200)
    with Thermometer(CASES["gy-mcu90640"], rate=1) as listening:
        listening.until(lambda: listening.model._every_ms == 250)
        before = len(listening.readings)
        listening.until(lambda: len(listening.readings) >= before + 8)
    assert listening.model._every_ms == 250


def test_a_lamp_before_a_thermal_camera_is_nobody() -> None:
    with Thermometer(CASES["gy-mcu90640"]) as listening:
        listening.until_state(DeviceState.OK)
        listening.model.hot = {(row, column): 80.0 for row in range(4, 9) for column in range(4, 9)}
        before = len(listening.readings)
        listening.until(lambda: len(listening.readings) >= before + 4)
        assert all(one.measured_c < 28 for one in listening.readings)
        listening.simulator.approach(36.6, 40.0)
        listening.until_measured(36.6)


def test_a_pyrousb_that_says_that_it_does_not_measure_is_stale_with_its_word() -> None:
    with Thermometer(CASES["calex-pyrousb"]) as listening:
        listening.until_state(DeviceState.OK)
        listening.model.status = 0b10000
        assert "status 0x0010" in listening.until_state(DeviceState.STALE).detail
        listening.model.status = 0
        listening.until_state(DeviceState.OK, count=2)


def test_a_sensor_without_such_a_register_is_stale_with_its_word() -> None:
    missing = Registers(Table.HOLDING, Register(99, Quantity(-40, 300, 10.0)))
    case = Case(partial(ModbusLink, registers=missing), partial(ModbusModel, registers=SIMULATED))
    with Thermometer(case) as listening:
        assert "it has no such register" in listening.until_state(DeviceState.STALE).detail
        assert listening.readings == []
