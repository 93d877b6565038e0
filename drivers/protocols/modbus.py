"""Any thermometer that speaks Modbus RTU, by a table of its registers. The frames and sums are pymodbus's.

Source: MODBUS over Serial Line 1.02, 2.5.1; hardware notes 1.7 for Calex PyroUSB (manualshive 3421020 p12). Unit: °C.

    host    address function register(2) count(2) crc(2)
    sensor  address function bytes data crc(2)            or, refused: address function|80 code crc(2)

Which bytes an answer begins with, and how long it is, is known before it comes: so it is found among noise, which pymodbus's
own framer throws away whole.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from pymodbus.exceptions import ModbusException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from drivers.errors import BadFrame
from drivers.protocols.frames import Frame, FrameReader
from drivers.protocols.infrared import Measured, SensorFault
from drivers.protocols.polling import Ear, Pace, Poll, Question
from drivers.protocols.quantity import Quantity
from drivers.protocols.stillness import TENTHS, TENTHS_ALONE
from drivers.readings import Temperature
from drivers.tally import Count

_ANSWERS: Final = DecodePDU(is_server=False)
_RTU: Final = FramerRTU(_ANSWERS)


class Table(StrEnum):
    """Which registers a sensor keeps its values in: function 04 or 03."""

    INPUT = "input"
    HOLDING = "holding"


_REQUESTS: Final = {Table.INPUT: ReadInputRegistersRequest, Table.HOLDING: ReadHoldingRegistersRequest}


@dataclass(frozen=True, slots=True)
class Register:
    """A number in one register or two; `low_first`: of two, the lower word comes first."""

    at: int
    quantity: Quantity
    low_first: bool = False

    @property
    def count(self) -> int:
        """How many registers."""
        return self.quantity.size // 2


@dataclass(frozen=True, slots=True)
class Status:
    """A register of bits; any of `faults` means that there is no measurement."""

    at: int
    faults: int


@dataclass(frozen=True, slots=True)
class Registers:
    """A model: where its values are. `room_c`: the room's temperature, where it has no register and somebody vouches;
    `apart`: each is asked for by itself, for a sensor that refuses a block with gaps."""

    table: Table
    object: Register
    ambient: Register | None = None
    status: Status | None = None
    room_c: float | None = None
    apart: bool = False


_TENTHS: Final = 10.0
BLOCK: Final = 16  # registers that are asked for at once, gaps included
PYRO_USB: Final = Registers(
    Table.INPUT,
    Register(0x12, Quantity(-40.0, 1_000.0, steps=_TENTHS)),  # filtered
    Register(0x14, Quantity(-20.0, 120.0, steps=_TENTHS)),
    Status(0x15, 0b11111),  # measurement error, sensor too low or high, object too low or high
)
"""Calex PyroUSB. Its scale is that of the notes; what it can measure is the widest of its kinds."""

_FLOAT: Final = Quantity(-40.0, 300.0, steps=1.0, size=4, is_float=True)
SIMULATED: Final = Registers(Table.HOLDING, Register(0, _FLOAT), Register(2, _FLOAT), Status(4, 0xFFFF))
"""What the simulated sensor of no particular maker has."""


def request(address: int, table: Table, at: int, count: int) -> bytes:
    """The host's frame that asks for `count` registers."""
    return _RTU.buildFrame(_REQUESTS[table](address=at, count=count, dev_id=address))


def decode(frame: bytes) -> bytes | int:
    """The data of an answer, or the code with which it was refused. Raises BadFrame."""
    message = _pdu(frame)
    if isinstance(message, ExceptionResponse):
        return int(message.exception_code)
    return b"".join(word.to_bytes(2, "big") for word in message.registers)


def _pdu(frame: bytes) -> ModbusPDU:
    if not FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
        raise BadFrame(f"wrong checksum: {frame.hex(' ')}")
    try:
        message = _ANSWERS.decode(frame[1:-2])
    except (ModbusException, ValueError, IndexError, struct.error) as error:
        raise BadFrame(f"no answer: {frame.hex(' ')}") from error
    if message is None:
        raise BadFrame(f"no answer: {frame.hex(' ')}")
    return message


class _Ear:
    """Hears the answer or the refusal, whichever comes."""

    def __init__(self, question: "_Question") -> None:
        address, function, count = question.sent[0], question.sent[1], question.count
        self._answer = FrameReader(Frame(bytes((address, function, 2 * count)), 5 + 2 * count, decode))
        self._refusal = FrameReader(Frame(bytes((address, function | 0x80)), 5, decode))

    def hear(self, chunk: bytes, count: Count) -> bytes | SensorFault | None:
        bad, noise = self._answer.bad, self._answer.noise
        answers: list[bytes | int] = [*self._answer.feed(chunk), *self._refusal.feed(chunk)]
        count.bad += self._answer.bad - bad
        if not answers:
            count.noise += self._answer.noise - noise
            return None
        count.good += 1
        answer = answers[0]
        return SensorFault(None, None, _refused(answer)) if isinstance(answer, int) else answer


def _refused(code: int) -> str:
    words = {
        1: "it has no such function (table = input asks by 04, holding by 03)",
        2: "it has no such register (they count from 0)",
        3: "it has no such value",
        4: "it failed",
    }
    return f"Modbus exception {code}: {words.get(code, 'see its manual')}"


@dataclass(frozen=True, slots=True)
class _Question:
    """Asks for `count` registers from `at` on."""

    sent: bytes
    at: int
    count: int

    def listen(self) -> Ear:
        return _Ear(self)


class ModbusRound:
    """A sensor's questions, by its table of registers: in one block where it can be, so that an answer that comes late is
    late and no other register's."""

    def __init__(self, registers: Registers, address: int) -> None:
        self._registers = registers
        places = [(each.at, each.count) for each in (registers.object, registers.ambient) if each is not None]
        if registers.status is not None:
            places.append((registers.status.at, 1))
        first, end = min(at for at, _ in places), max(at + count for at, count in places)
        blocks = sorted(set(places)) if registers.apart or end - first > BLOCK else [(first, end - first)]
        self._blocks = tuple(_Question(request(address, registers.table, at, count), at, count) for at, count in blocks)

    @property
    def questions(self) -> Sequence[Question]:
        """One for each block."""
        return self._blocks

    def reading(self, answers: Sequence[bytes]) -> Measured:
        """Of all answers."""
        words = {
            block.at + number: answer[2 * number : 2 * number + 2]
            for block, answer in zip(self._blocks, answers, strict=True)
            for number in range(block.count)
        }
        table = self._registers
        try:
            object_c = _value(table.object, words)
            ambient_c = table.room_c if table.ambient is None else _value(table.ambient, words)
        except BadFrame as error:
            return SensorFault(None, None, str(error))
        if table.status is not None and (bits := int.from_bytes(words[table.status.at], "big")) & table.status.faults:
            return SensorFault(object_c, ambient_c, f"status {bits:#06x}")
        if not table.object.quantity.holds(object_c):
            return SensorFault(object_c, ambient_c, f"{object_c} °C")
        if table.ambient is not None and ambient_c is not None and not table.ambient.quantity.holds(ambient_c):
            return SensorFault(object_c, ambient_c, f"{ambient_c} °C for itself")
        return Temperature(object_c, ambient_c)


def _value(register: Register, words: Mapping[int, bytes]) -> float:
    """°C. Raises BadFrame for a number that is none."""
    order = range(register.count)
    raw = b"".join(words[register.at + number] for number in (reversed(order) if register.low_first else order))
    return register.quantity.decode(raw)


class ModbusLink(Poll):
    """One connection to a sensor on a line. `baud`: as it was set in the sensor."""

    greeting: ClassVar[bytes] = b""
    personal: ClassVar[bool] = False

    def __init__(self, now_ms: int, registers: Registers, *, address: int = 1, baud: int = 9_600) -> None:
        still = TENTHS if registers.ambient is not None else TENTHS_ALONE  # how finely a sensor measures, no table says
        super().__init__(ModbusRound(registers, address), now_ms, Pace(first_ms=3_000), still)
        self.bauds: Sequence[int] = (baud,)
