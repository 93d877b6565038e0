"""A walk over every model of device."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers import models
from drivers.camera.settings import CameraSettings
from drivers.catalogue import MODELS, Bench, Kind
from drivers.model import SIMULATED, Model, by_name
from drivers.models.modbus import registers_of
from drivers.settings import InputSettings, PortSettings
from drivers.sound.settings import LoudspeakerSettings, SimulatedLoudspeakerSettings
from drivers.wiring import UART, Level
from tests.drivers.models import REAL, settings

WITHOUT_TWIN = {
    "picamera": "is `camera` with another source, which has a fake of its library; simulated-camera stands in for both",
    "folder": "is itself what stands in for a camera",
    "video": "is itself what stands in for a camera",
}
WITHOUT_BYTES = {
    "camera": "pictures, not bytes: a picture that fails a decoder is tested with tests/drivers/camera",
    "picamera": "as camera",
    "folder": "as camera",
    "video": "as camera",
    "gpio-input": "a pin has two levels and both are valid",
    "gpio-beam-pair": "as gpio-input; whatever the two do is tested in tests/drivers/test_crossings.py",
    "gpio-output": "reads nothing",
    "loudspeaker": "reads nothing",
}


@pytest.mark.parametrize("name", MODELS)
def test_each_model_says_its_unit_and_its_source(name: str) -> None:
    model = MODELS[name]
    assert model.what
    assert model.unit
    assert model.source
    assert model.meaning


@pytest.mark.parametrize("name", REAL)
def test_each_real_model_has_a_simulated_twin(name: str) -> None:
    if name in WITHOUT_TWIN:
        return
    twin = MODELS[name].simulated
    assert twin is not None, f"{name}: its declaration in drivers/models has no twin, and WITHOUT_TWIN no reason"
    assert twin.name.startswith(SIMULATED)
    assert MODELS[twin.name].kind is MODELS[name].kind


def test_each_declaration_is_a_row_of_the_catalogue() -> None:
    for module in pkgutil.iter_modules(models.__path__, "drivers.models."):
        found = [each for each in vars(importlib.import_module(module.name)).values() if isinstance(each, Model)]
        assert found, f"{module.name} declares no model"
        for model in found:
            assert MODELS.get(model.name) is model, (
                f"{module.name} declares {model.name}: drivers/catalogue.py has no such row"
            )


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two models of the catalogue .* are called 'gm65'"):
        dict(by_name(MODELS["gm65"], MODELS["gm65"]))


def test_exceptions_are_models_and_have_reasons() -> None:
    for exceptions in (WITHOUT_TWIN, WITHOUT_BYTES):
        assert exceptions.keys() <= set(REAL)
        assert all(exceptions.values())


@pytest.mark.parametrize("name", MODELS)
def test_each_setting_is_declared_with_its_meaning(name: str) -> None:
    kind = MODELS[name].settings
    assert inspect.getdoc(kind)
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        assert get_origin(hints[field.name]) is Annotated
        meta = next(each for each in get_args(hints[field.name]) if isinstance(each, msgspec.Meta))
        assert meta.description
        assert field.kw_only
        if field.name.endswith(("_s", "_c")):
            assert (meta.extra or {}).get("unit") in ("s", "°C")


@pytest.mark.parametrize("name", MODELS)
def test_each_model_is_built_from_its_least_settings_and_claims_what_it_takes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "pin_factory", MockFactory())  # also where there are real pins
    model = MODELS[name]
    least = settings(name)
    claims = model.claims(least)
    assert all(claim.partition(" ")[2] for claim in claims)
    device = model.build("device", least, Bench())
    assert device.name == "device"
    if model.kind in (Kind.OUTPUT, Kind.SPEAKER):
        device.close()
    else:
        device.stop()


def test_claims() -> None:
    assert MODELS["gy-mcu90615"].claims(PortSettings(port="/dev/ttyS0")) == ("port /dev/ttyS0",)
    assert MODELS["rdm6300"].claims(PortSettings(port="/dev/ttyS0")) == ("port /dev/ttyS0",)
    assert MODELS["gy-mcu90640"].claims(settings("gy-mcu90640", port="/dev/ttyS0")) == ("port /dev/ttyS0",)
    assert MODELS["mlx90614"].claims(settings("mlx90614")) == ("address 0x5a of /dev/i2c-1",)
    assert MODELS["simulated-mlx90614"].claims(settings("simulated-mlx90614")) == ()
    assert MODELS["wiegand"].claims(settings("wiegand")) == ("pin 20", "pin 21")
    assert MODELS["hid-scanner"].claims(settings("hid-scanner", path="/dev/input/event0")) == (
        "input device /dev/input/event0",
    )
    assert MODELS["gpio-input"].claims(InputSettings(pin=17)) == ("pin 17",)
    assert MODELS["gpio-beam-pair"].claims(settings("gpio-beam-pair")) == ("pin 20", "pin 21")
    assert MODELS["camera"].claims(CameraSettings(path="/dev/video0")) == ("camera /dev/video0",)
    assert MODELS["picamera"].claims(settings("picamera", number=1)) == ("Pi camera 1",)
    assert MODELS["loudspeaker"].claims(LoudspeakerSettings()) == ()
    assert MODELS["loudspeaker"].claims(LoudspeakerSettings(device="plughw:CARD=Device")) == (
        "sound card plughw:CARD=Device",
    )
    assert MODELS["simulated-loudspeaker"].claims(SimulatedLoudspeakerSettings(path="x")) == ("file x",)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("gpio-input", {"pin": 0}),
        ("gpio-input", {"pin": 28}),
        ("gpio-output", {"pin": -1}),
        ("gpio-input", {"debounce_s": -1}),
        ("gpio-input", {"pull": "sideways"}),
        ("gpio-input", {"stuck_s": -1}),
        ("gpio-beam-pair", {"inner": 1}),
        ("gpio-beam-pair", {"debounce_s": 0.5}),
        ("gpio-beam-pair", {"stuck_s": 0}),
        ("gy-mcu90615", {"port": "ttyUSB0"}),
        ("rdm6300", {"port": "/dev/tty\0"}),
        ("rdm6300", {"port": "/dev/"}),
        ("simulated-gy-mcu90615", {"room_c": 500}),
        ("mlx90614", {"address": 0x78}),
        ("mlx90614", {"bus": "i2c-1"}),
        ("modbus-thermometer", {"object_register": 65_535}),
        ("modbus-thermometer", {"steps": 0}),
        ("modbus-thermometer", {"parity": "mark"}),
        ("calex-pyrousb", {"address": 0}),
        ("gd60914", {"measures": "ear"}),
        ("hid-scanner", {"path": "/dev/ttyUSB0"}),
        ("picamera", {"number": -1}),
        ("wiegand", {"d0": 0}),
        ("identity-card", {"key": "short"}),
        ("identity-card", {"fields": ["photograph"]}),
    ],
)
def test_impossible_settings_are_refused(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings(name, **wrong)


def test_simulated_devices_of_one_bench_share_their_pins() -> None:
    bench = Bench()
    output = MODELS["simulated-output"].build("lock", settings("simulated-output"), bench)
    assert bench.pins.pin(22).function == "output"
    output.close()


def test_importing_the_catalogue_loads_no_device_library() -> None:
    code = "import sys, drivers.catalogue; print([m for m in ('serial', 'gpiozero', 'cv2', 'numpy', 'lgpio', 'pymodbus', 'smbus2') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_settings_come_from_toml_as_they_are_written() -> None:
    table = tomllib.loads('pin = 6\npull = "up"\nactive = "high"\ndebounce_s = 0.1')
    made = msgspec.convert(table, InputSettings)
    assert (made.pin, made.pull.value, made.active.value, made.debounce_s) == (6, "up", "high", 0.1)


def test_a_table_of_registers_is_what_the_settings_say() -> None:
    from drivers.protocols.modbus import Register, Registers, Status, Table
    from drivers.protocols.quantity import Quantity

    least = Quantity(-40.0, 300.0, 10.0)
    assert registers_of(settings("modbus-thermometer")) == Registers(Table.INPUT, Register(0, least))
    number = Quantity(0.0, 200.0, 1.0, size=4, is_float=True)
    table = {"table": "holding", "number": "float32-low-first", "steps": 1, "lowest_c": 0, "highest_c": 200}
    places = {"object_register": 0, "ambient_register": 2, "status_register": 9, "status_faults": 6, "apart": True}
    assert registers_of(settings("modbus-thermometer", **table, **places)) == Registers(
        Table.HOLDING, Register(0, number, True), Register(2, number, True), Status(9, 6), apart=True
    )


WITHOUT_SIGN = {
    "camera": "opens as any camera does: `menshen devices list` names it",
    "picamera": "`menshen devices list` names its sensor",
    "folder": "nothing is connected",
    "video": "nothing is connected",
    "gpio-beam-pair": "two contacts, which say nothing of themselves",
    "gpio-input": "a contact says nothing of itself",
    "gpio-output": "a relay says nothing at all",
    "loudspeaker": "says nothing",
    "hid-scanner": "types as any keyboard does: `menshen devices list` names it",
    "wiegand": "two pins, and nothing without a card",
}


@pytest.mark.parametrize("name", REAL)
def test_each_real_model_says_how_it_is_wired_and_by_what_it_is_recognised(name: str) -> None:
    model = MODELS[name]
    assert model.wiring is not None, f"{name}: its declaration in drivers/models has no wiring"
    for text in (model.wiring.summary, model.wiring.power, model.wiring.level, model.wiring.source):
        assert text
    assert model.wiring.joins or name in ("folder", "video")
    assert (model.sign is None) is (name in WITHOUT_SIGN), (
        f"{name}: its declaration in drivers/models has a sign, or WITHOUT_SIGN says why it has none"
    )


@pytest.mark.parametrize("name", REAL)
def test_who_may_be_fed_with_either_supply_takes_both(name: str) -> None:
    wiring = MODELS[name].wiring
    if wiring is not None and wiring.joins.get("VCC") == UART["VCC"]:
        assert re.match(r"3(\.3 V or| to) 5 V", wiring.power)
        assert wiring.level == Level.EITHER


def test_simulated_models_have_neither_wiring_nor_sign() -> None:
    assert not [name for name in MODELS if name not in REAL and (MODELS[name].wiring or MODELS[name].sign)]
