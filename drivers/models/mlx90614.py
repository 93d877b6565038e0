"""Infrared thermometer MLX90614 on an I²C bus."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from msgspec import Meta

from drivers.interfaces import Thermometer
from drivers.model import Kind, Model, Twin
from drivers.protocols.stillness import FINE
from drivers.settings import SimulatedThermometerSettings
from drivers.signs import I2cSign
from drivers.simulators.bench import Bench
from drivers.wiring import Level, Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlx90614Settings:
    """An infrared thermometer MLX90614 on an I²C bus, each word checked by its PEC."""

    bus: Annotated[str, Meta(description="Its bus", pattern=r"^/dev/[^\x00]+$", max_length=255)] = "/dev/i2c-1"
    address: Annotated[int, Meta(description="Its address; 90 as it is delivered", ge=0x08, le=0x77)] = 0x5A


def _build(name: str, settings: Mlx90614Settings, _bench: Bench) -> Thermometer:
    from drivers.i2c_device import I2cDevice
    from drivers.protocols.mlx90614 import Mlx90614Link

    link = partial(Mlx90614Link, address=settings.address)
    return I2cDevice(name, settings.bus, settings.address, link)


def _build_twin(name: str, settings: SimulatedThermometerSettings, _bench: Bench) -> Thermometer:
    from drivers.simulators.i2c import SimulatedI2cThermometer

    return SimulatedI2cThermometer(name, settings)


def _claims(settings: Mlx90614Settings) -> tuple[str, ...]:
    return (f"address {settings.address:#04x} of {settings.bus}",)


def _sign() -> I2cSign:
    """Two words of its memory are read, each with its checksum."""
    from drivers.protocols.mlx90614 import ADDRESS, Mlx90614Link

    return I2cSign(address=ADDRESS, link=Mlx90614Link)


MLX90614: Final = Model(
    name="mlx90614",
    kind=Kind.THERMOMETER,
    what="Infrared thermometer MLX90614 on I²C: posts Temperature, up to 10 a second",
    unit="°C, resolution 0.02, ±0.5",
    source="hardware notes 1.8; commandus/irthermometer; ESPHome mlx90614.cpp",
    settings=Mlx90614Settings,
    build=_build,
    claims=_claims,
    still=FINE,
    wiring=Wiring(
        summary="I²C (SDA, SCL), 3.3 V",
        joins={
            "VDD": "3.3 V (pin 1)",
            "VSS": "GND (pin 9)",
            "SDA": "SDA, GPIO 2 (pin 3)",
            "SCL": "SCL, GPIO 3 (pin 5)",
        },
        power="3.3 V with 100 nF beside the sensor; the 5 V type (90614A) must not pull its lines above 3.3 V",
        level=Level.SAFE,
        example={"bus": '"/dev/i2c-1"', "address": "90"},
        use="thermometer",
        notes=(
            "`dtparam=i2c_arm=on` in /boot/firmware/config.txt (or raspi-config); at most 100 kHz, wires below 30 cm.",
            "The gate's user must be in the group i2c.",
            "An MLX90615 is another part, and not this model.",
        ),
        source="hardware notes 1.8; hardware notes 10 (decoupling); the length of the wires is general knowledge",
    ),
    sign=_sign,
    twin=Twin(settings=SimulatedThermometerSettings, build=_build_twin),
)
