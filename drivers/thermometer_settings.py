"""What each model of thermometer can be told, besides those of `drivers.settings`."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from drivers.settings import PORT, SimulatedGyMcu90615Settings

ROOM = Meta(
    description="The sensor does not tell its surroundings: how warm the room is kept. Without it, the guard measures everybody by hand",
    ge=-40,
    le=60,
    extra={"unit": "°C"},
)


COUNTED = "counted from 0: a manual's 30019, 40019 or 400019 is 18"


class Parity(StrEnum):
    """A serial line's."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class Measures(StrEnum):
    """What a GD60914 is asked for."""

    FOREHEAD = "forehead"
    WRIST = "wrist"
    OBJECT = "object"


class Table(StrEnum):
    """Where a Modbus sensor keeps its values."""

    INPUT = "input"
    HOLDING = "holding"


class Number(StrEnum):
    """How a Modbus sensor writes a temperature."""

    INT16 = "int16"
    UINT16 = "uint16"
    FLOAT32 = "float32"
    FLOAT32_LOW_FIRST = "float32-low-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class GyMcu90614Settings:
    """An infrared thermometer GY-MCU90614 on a serial port: as gy-mcu90615, with a wider range. 9600 or 115200 baud is found out."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cjmcu90614Settings:
    """An infrared thermometer CJMCU-90614 on a serial port. Its rate is found out."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gy614vSettings:
    """An infrared thermometer GY-614V on a serial port. People are measured by its own body value; its rate is found out."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gd60914Settings:
    """An infrared thermometer GD60914 for forehead or wrist on a serial port. Measures a body's temperature, by no checksum."""

    port: Annotated[str, PORT]
    measures: Annotated[Measures, Meta(description="What is held before it")] = Measures.FOREHEAD
    room_c: Annotated[float | None, ROOM] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlx90614Settings:
    """An infrared thermometer MLX90614 on an I²C bus, each word checked by its PEC."""

    bus: Annotated[str, Meta(description="Its bus", pattern=r"^/dev/[^\x00]+$", max_length=255)] = "/dev/i2c-1"
    address: Annotated[int, Meta(description="Its address; 90 as it is delivered", ge=0x08, le=0x77)] = 0x5A


@dataclass(frozen=True, slots=True, kw_only=True)
class GyMcu90640Settings:
    """A thermal camera GY-MCU90640 on a serial port: the hottest patch of skin in its picture. ±1.5 to 2 °C: it finds whom to measure again, and alone decides no fever."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalexPyroUsbSettings:
    """An infrared thermometer Calex PyroUSB, by Modbus RTU: filtered temperature, sensor and status. 9600 baud, no parity."""

    port: Annotated[str, PORT]
    address: Annotated[int, Meta(description="Its address on the line", ge=1, le=247)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusThermometerSettings:
    """Any thermometer that speaks Modbus RTU, by its table of registers. Registers count from 0: what a manual calls 40001 or 30001 is 0."""

    port: Annotated[str, PORT]
    baud: Annotated[
        int, Meta(description="Its rate, as it is set in the sensor", ge=1_200, le=115_200, extra={"unit": "Bd"})
    ] = 9_600
    parity: Annotated[Parity, Meta(description="Its parity, as it is set in the sensor")] = Parity.NONE
    address: Annotated[int, Meta(description="Its address on the line", ge=1, le=247)] = 1
    table: Annotated[Table, Meta(description="input: function 04; holding: function 03")] = Table.INPUT
    number: Annotated[Number, Meta(description="How it writes a temperature; a float32 takes two registers")] = (
        Number.INT16
    )
    steps: Annotated[float, Meta(description="So many steps are one °C", ge=0.01, le=10_000)] = 10.0
    object_register: Annotated[int, Meta(description=f"Where the temperature is, {COUNTED}", ge=0, le=65_534)]
    ambient_register: Annotated[
        int | None, Meta(description=f"Where the sensor's own temperature is, {COUNTED}", ge=0, le=65_534)
    ] = None
    room_c: Annotated[float | None, ROOM] = None
    status_register: Annotated[int | None, Meta(description=f"Where its status is, {COUNTED}", ge=0, le=65_535)] = None
    status_faults: Annotated[
        int, Meta(description="Bits of the status, any of which means: no measurement", ge=0, le=65_535)
    ] = 0xFFFF
    far: Annotated[
        bool,
        Meta(
            description="Registers above 30000 are its own addresses, and not a manual's numbers such as 30001 or 40001"
        ),
    ] = False
    apart: Annotated[bool, Meta(description="Ask for each register by itself: for a sensor that refuses a block")] = (
        False
    )
    lowest_c: Annotated[
        float, Meta(description="Below this, the sensor is at fault", ge=-100, le=50, extra={"unit": "°C"})
    ] = -40.0
    highest_c: Annotated[
        float, Meta(description="Above this, the sensor is at fault", ge=50, le=3_000, extra={"unit": "°C"})
    ] = 300.0


_NUMBERED = {3: Table.INPUT, 4: Table.HOLDING}
"""The table that a manual's number of five digits begins with (Modicon's way of writing: 30001 is the first of the input registers)."""


def manual_numbers(settings: ModbusThermometerSettings) -> Iterator[tuple[str, str]]:
    """Registers that were copied as a manual numbers them: the key, and what to write in its place."""
    places = {key: getattr(settings, key) for key in ("object_register", "ambient_register", "status_register")}
    for key, number in places.items():
        table = None if number is None else _NUMBERED.get(number // 10_000)
        if settings.far or table is None or number % 10_000 == 0:
            continue
        and_table = "" if settings.table is table else f', and table = "{table}"'
        yield (
            key,
            f"{number} is how manuals number {table} registers, which count from 0 here: write {key} = {number % 10_000 - 1}"
            f"{and_table}. If {number} is truly its address on the wire, write far = true beside it",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedThermometerSettings(SimulatedGyMcu90615Settings):
    """The same thermometer as a model of one: it sees people come near, drifts while it warms up, and is a little noisy."""
