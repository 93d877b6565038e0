"""Which model speaks: every serial model's simulator, over a real pty, is found as what it is; and nothing is set in it."""

import copy
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial

from drivers.catalogue import MODELS
from drivers.errors import DeviceLost
from drivers.probing import Found, Patience, Probed, SerialProbe, Step, declared, probe_bus
from drivers.protocols.rdm6300 import encode as card_frame
from drivers.signs import Confidence, I2cSign
from drivers.simulators.i2c import BusFault, Mlx90614Model, SimulatedBus
from drivers.simulators.line import LineFault, SerialLine
from drivers.simulators.setup import Setup
from drivers.simulators.standalone import LINES, act
from drivers.simulators.thermometer import InstrumentLine
from drivers.threaded import monotonic_ms
from tests.drivers.models import REAL

QUICK = Patience(hurry=0.2, held_s=0)
SERIAL, BUS = declared()
SHOWN = {name: "hold 0D00319CD0" for name, sign in SERIAL.items() if sign.shows}
"""What has to be held before those that say nothing."""
SETTABLE = ("gy-mcu90615", "cjmcu-90614", "gy-mcu90640", "gm65", "gy-614v")
KEPT = ("_next_baud", "_automatic", "_saved", "_registers", "_flash", "_zones", "saves", "_every_ms", "_tries_once")
AS_DELIVERED = [pytest.param(name, Setup(), id=name) for name in SERIAL]
OTHERWISE = [
    pytest.param(name, Setup(baud=baud, waits=waits), id=f"{name}-{baud}-{'waits' if waits else 'streams'}")
    for name, baud, waits in (
        ("gy-mcu90615", 9_600, True),
        ("gy-mcu90615", 115_200, False),
        ("gy-mcu90615", 115_200, True),
        ("gy-mcu90614", 115_200, True),
        ("cjmcu-90614", 9_600, True),
        ("gy-614v", 9_600, True),
        ("gy-614v", 115_200, True),
        ("gy-mcu90640", 115_200, True),
        ("gm65", 115_200, False),
    )
]


@contextmanager
def plugged_in(name: str, setup: Setup) -> Iterator[SerialLine]:
    """A model on a line."""
    line = LINES[name]("probed", setup)
    line.start()
    try:
        yield line
    finally:
        line.stop()


def probed(line: SerialLine, held: str = "") -> Probed:
    """`held`: before it once it is listened to; an ID-12 says a card once."""
    waiting = [held] if held else []

    def hold(_: Step) -> None:
        if waiting:
            act(line, Setup(), waiting.pop())

    return SerialProbe(line.path, SERIAL, tell=hold, patience=QUICK).run()


def kept(line: SerialLine) -> dict[str, Any]:
    """What the model at its far end was set to."""
    return copy.deepcopy({key: value for key, value in vars(line._instrument).items() if key in KEPT})


def surest(found: tuple[Found, ...]) -> dict[str, Confidence]:
    return {each.model: each.confidence for each in found}


@pytest.mark.parametrize("name", [name for name in REAL if "port" in MODELS[name].settings.__dataclass_fields__])
def test_every_model_with_a_port_has_a_sign_and_a_simulator(name: str) -> None:
    assert name in SERIAL
    assert name in LINES


@pytest.mark.parametrize(("name", "setup"), [*AS_DELIVERED, *OTHERWISE])
def test_it_is_found_as_itself_however_it_is_set_and_no_setting_is_changed(name: str, setup: Setup) -> None:
    """Every byte that is sent is heard by the simulator, which would keep what it is told."""
    with plugged_in(name, setup) as line:
        before = kept(line)
        assert before or name not in SETTABLE
        found = surest(probed(line, SHOWN.get(name, "")).found)
        assert kept(line) == before
        assert name in found, found
        assert found[name] >= Confidence.LIKELY
        others = set(found) - {name}
        assert all(MODELS[other].kind is MODELS[name].kind for other in others)
        assert all(SERIAL[other].questions == SERIAL[name].questions for other in others), "it speaks alike"


def test_two_that_speak_alike_are_both_named_and_neither_is_sure() -> None:
    with plugged_in("gy-mcu90614", Setup()) as line:
        first, second = probed(line).found
    assert {first.model, second.model} == {"gy-mcu90615", "gy-mcu90614"}
    assert first.confidence is second.confidence is Confidence.LIKELY
    assert first.why == f"{second.model} says the same: what is printed on the part decides"


def test_a_value_that_one_of_them_cannot_measure_tells_them_apart() -> None:
    with plugged_in("gy-mcu90614", Setup()) as line:
        assert isinstance(line, InstrumentLine)
        # an oven's door, since a while ago: a 90615 measures to 115 °C
        line._model.physics.approach(200.0, 3.0, monotonic_ms() - 1_000)
        assert surest(probed(line).found) == {"gy-mcu90614": Confidence.SURE}


def test_a_sensor_by_modbus_is_found_at_its_address_alone() -> None:
    with plugged_in("modbus-thermometer", Setup()) as line:
        assert surest(probed(line).found) == {"modbus-thermometer": Confidence.SURE}


def test_whoever_is_held_before_a_silent_reader_is_waited_for() -> None:
    steps: list[Step] = []
    with plugged_in("gm65", Setup()) as line:
        line.fault(LineFault.SILENT)
        waiting = threading.Event()

        def tell(step: Step) -> None:
            steps.append(step)
            if step.doing == "waiting":
                waiting.set()

        def hold() -> None:
            waiting.wait(30)
            line.fault(LineFault.NONE)
            for _ in range(3):
                line.inject(card_frame("0D00319CD0"))

        holding = threading.Thread(target=hold)
        holding.start()
        signs = {name: sign for name, sign in SERIAL.items() if name in ("gm65", "rdm6300", "id-12")}
        found = SerialProbe(line.path, signs, tell=tell, patience=Patience(hurry=0.05, held_s=10)).run().found
        holding.join()
    assert surest(found) == {"rdm6300": Confidence.SURE}
    assert steps[-1].what == "a card"
    assert {step.doing for step in steps} == {"listening", "asking", "waiting"}


def test_nothing_there_and_noise_are_told_apart() -> None:
    signs = {"rdm6300": SERIAL["rdm6300"]}
    with plugged_in("rdm6300", Setup()) as line:
        act(line, Setup(), SHOWN["rdm6300"])
        line.fault(LineFault.SILENT)
        silent = SerialProbe(line.path, signs, patience=QUICK).run()
        line.fault(LineFault.GARBAGE)
        # a busy machine may let a quick look pass before the line says anything
        looks = (SerialProbe(line.path, signs, patience=QUICK).run() for _ in range(20))
        noisy = next(look for look in looks if look.found or look.noise[9_600])
    assert (silent.found, silent.shown, silent.noise) == ((), ("a card",), {9_600: 0})
    assert not noisy.found
    assert noisy.noise[9_600] > 0


def test_a_port_that_is_not_there_or_taken_or_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost, match="there is no such port"):
        SerialProbe(str(tmp_path / "ttyUSB0"), SERIAL).run()
    with pytest.raises(DeviceLost, match="is no serial port"):
        SerialProbe("/dev/null", SERIAL).run()
    with (
        plugged_in("rdm6300", Setup()) as line,
        serial.Serial(line.path, exclusive=True),
        pytest.raises(DeviceLost, match="another program has it open"),
    ):
        probed(line)


@pytest.mark.skipif(os.getuid() == 0, reason="root may open everything")
def test_a_port_without_permission_names_the_group(tmp_path: Path) -> None:
    port = tmp_path / "ttyUSB0"
    port.touch(mode=0o000)
    with pytest.raises(DeviceLost, match="dialout"):
        SerialProbe(str(port), SERIAL).run()


def test_a_port_that_goes_away_meanwhile_says_so() -> None:
    with plugged_in("rdm6300", Setup()) as line:
        probe = SerialProbe(line.path, SERIAL, tell=lambda _: line.unplug(), patience=QUICK)
        with pytest.raises(DeviceLost, match="/dev/pts/"):
            probe.run()


# on a bus


@pytest.fixture
def bus() -> SimulatedBus:
    model = Mlx90614Model(Setup())
    model.power_on(monotonic_ms() - 1_000)
    return SimulatedBus(model)


def test_every_model_with_a_bus_has_a_sign() -> None:
    assert set(BUS) == {name for name in REAL if "bus" in MODELS[name].settings.__dataclass_fields__}


def test_a_sensor_on_a_bus_is_found_at_its_address(bus: SimulatedBus) -> None:
    steps: list[Step] = []
    found = probe_bus("/dev/i2c-1", BUS, tell=steps.append, open_bus=lambda _: bus).found
    assert surest(found) == {"mlx90614": Confidence.SURE}
    assert steps[0].what == "mlx90614 at 0x5a"
    assert probe_bus("/dev/i2c-1", BUS, addresses=(0x33,), open_bus=lambda _: bus).found == ()


@pytest.mark.parametrize("fault", [BusFault.CUT, BusFault.GARBAGE, BusFault.HIGH, BusFault.STUCK])
def test_a_damaged_bus_has_no_sensor(bus: SimulatedBus, fault: BusFault) -> None:
    bus.fault(fault)
    assert probe_bus("/dev/i2c-1", BUS, open_bus=lambda _: bus).found == ()


def test_a_bus_that_is_not_there_says_so() -> None:
    with pytest.raises(DeviceLost, match="there is no such bus"):
        probe_bus("/dev/i2c-99", BUS)


def test_signs_of_a_bus_are_that() -> None:
    assert all(isinstance(sign, I2cSign) for sign in BUS.values())
