"""Any infrared thermometer that speaks Modbus RTU, by the table of registers in its settings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta

from drivers.model import Kind
from drivers.on_port import on_port
from drivers.readings import Temperature
from drivers.settings import PORT, ROOM, SimulatedThermometerSettings
from drivers.signs import Confidence, Ear, Sign
from drivers.wiring import BY_ID, Wiring

if TYPE_CHECKING:
    from drivers.protocols.modbus import Registers
    from drivers.serial_device import Link
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup


COUNTED: Final = "counted from 0: a manual's 30019, 40019 or 400019 is 18"


class Parity(StrEnum):
    """A serial line's."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


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


_NUMBERED: Final = {3: Table.INPUT, 4: Table.HOLDING}
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


def registers_of(settings: ModbusThermometerSettings) -> "Registers":
    """The table as the protocol takes it."""
    from drivers.protocols.modbus import Register, Registers, Status, Table
    from drivers.protocols.quantity import Quantity

    number = settings.number.value
    quantity = Quantity(
        settings.lowest_c,
        settings.highest_c,
        settings.steps,
        size=4 if "float" in number else 2,
        signed=number != "uint16",
        is_float="float" in number,
    )
    low_first = number.endswith("low-first")
    ambient_at, status_at = settings.ambient_register, settings.status_register
    return Registers(
        Table(settings.table),
        Register(settings.object_register, quantity, low_first),
        None if ambient_at is None else Register(ambient_at, quantity, low_first),
        None if status_at is None else Status(status_at, settings.status_faults),
        settings.room_c,
        settings.apart,
    )


def _link(settings: ModbusThermometerSettings) -> "Callable[[int], Link]":
    from drivers.protocols.modbus import ModbusLink

    return partial(ModbusLink, registers=registers_of(settings), address=settings.address, baud=settings.baud)


def _twin_link(_settings: SimulatedThermometerSettings) -> "Callable[[int], Link]":
    """Object and sensor as float32 in holding registers."""
    from drivers.protocols.modbus import SIMULATED, ModbusLink

    return partial(ModbusLink, registers=SIMULATED)


def _simulator(name: str, setup: "Setup") -> "SerialLine":
    from drivers.protocols.modbus import SIMULATED
    from drivers.simulators.thermometer import InstrumentLine
    from drivers.simulators.thermometer_polled import ModbusModel

    return InstrumentLine(name, ModbusModel(setup, SIMULATED, **setup.chosen(rate=True, stream=False)))


class ModbusEar:
    """The answers of one address. `any_answer`: also a refusal, and one whose values are none, is an answer."""

    def __init__(self, address: int, *, any_answer: bool) -> None:
        from drivers.protocols.modbus import PYRO_USB, ModbusRound
        from drivers.tally import Count

        self._any_answer = any_answer
        self._round = ModbusRound(PYRO_USB, address)
        self._count = Count()
        self._ear = self._round.questions[0].listen()
        self.good = 0
        self.faults = 0

    def asked(self) -> None:
        self._ear = self._round.questions[0].listen()

    def hear(self, chunk: bytes) -> None:
        answer = self._ear.hear(chunk, self._count)
        if answer is None:
            return
        self.asked()
        plausible = isinstance(answer, bytes) and isinstance(self._round.reading([answer]), Temperature)
        self.good += self._any_answer or plausible


MODBUS_ADDRESS: Final = 1
"""As sensors are delivered."""


def asked_at(address: int, ear: Callable[[], Ear], most: Confidence, **more: Any) -> Sign:
    """A sensor at this address of its line, asked for the registers of a PyroUSB; `more`: see Sign."""
    from drivers.protocols.modbus import PYRO_USB, ModbusRound

    question = ModbusRound(PYRO_USB, address).questions[0].sent
    return Sign(bauds=(9_600, 19_200, 38_400, 115_200), ear=ear, questions=(question,), most=most, **more)


def _sign(address: int = MODBUS_ADDRESS) -> Sign:
    """Whatever answers at its address, be it with a refusal, speaks Modbus RTU."""
    return asked_at(
        address,
        lambda: ModbusEar(address, any_answer=True),
        Confidence.SURE,
        at=_sign,
        note="any sensor that speaks Modbus RTU: its registers are in its manual",
    )


MODBUS_THERMOMETER: Final = on_port(
    name="modbus-thermometer",
    kind=Kind.THERMOMETER,
    what="Any thermometer by Modbus RTU: posts Temperature by the table of registers in its settings",
    unit="°C, as its table says",
    source="MODBUS over Serial Line 1.02; the sensor's own manual",
    settings=ModbusThermometerSettings,
    twin_link=_twin_link,
    link=_link,
    simulator=_simulator,
    sign=_sign,
    wrong=manual_numbers,
    line_settings={
        "table": '"holding"',
        "number": '"float32"',
        "steps": "1",
        "object_register": "0",
        "ambient_register": "2",
        "status_register": "4",
    },
    wiring=Wiring(
        summary="RS-485 through a USB adapter; supply as its manual says",
        joins={"A (D+)": "A of a USB-to-RS-485 adapter", "B (D-)": "B of the adapter", "GND": "GND of the adapter"},
        power="as the sensor's manual says, mostly 12 or 24 V",
        level="RS-485: never straight to a pin",
        example={"port": BY_ID, "object_register": "0", "ambient_register": "1"},
        use="thermometer",
        notes=(
            "A and B are swapped by some makers: where nothing answers, swap them.",
            "120 Ω between A and B at either end of a long line.",
            "What its manual calls register 30001 or 40001 is 0 here.",
            "Without ambient_register, only 24 h of the very same reading with nobody before it are told as stale.",
        ),
        source="MODBUS over Serial Line 1.02; the wiring is general knowledge",
    ),
)
