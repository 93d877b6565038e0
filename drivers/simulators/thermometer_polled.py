"""Simulated thermometers that are asked: GD60914, and any by Modbus RTU, whose frames are read and made by pymodbus."""

import math
from collections.abc import Mapping
from typing import Final

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
)

from drivers.errors import WrongUse
from drivers.protocols import gd60914
from drivers.protocols.gd60914 import Asked
from drivers.protocols.modbus import Register, Registers, Table
from drivers.simulators.forehead import Physics, Surroundings
from drivers.simulators.thermometer import ThermometerInstrument
from drivers.simulators.thermometer_models import BodyPhysics

ANSWER_MS: Final = 20
MEASURE_MS: Final = 60
MOST: Final = 256  # bytes of a request that is none yet
APART_MS: Final = 50  # what came so long ago belongs to no request: the line's silence ends it, 4 ms at 9600 baud
NO_SUCH_FUNCTION: Final = 1
NO_SUCH_REGISTER: Final = 2


class AskedModel(ThermometerInstrument):
    """Says its answer a while after it was asked. A model declares `answer_ms` and `_hear`."""

    answer_ms = ANSWER_MS

    def __init__(self, physics: Physics, baud: int) -> None:
        self.physics = physics
        self.baud = baud
        self._answer = b""
        self._due_ms: int | None = None

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self.physics.power_on(now_ms)
        self._answer, self._due_ms = b"", None

    def hear(self, data: bytes, now_ms: int) -> None:
        """See Instrument.hear."""
        answer = self._hear(data, now_ms)
        if answer:
            self._answer, self._due_ms = answer, now_ms + self.answer_ms

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say."""
        if self._due_ms is None or now_ms < self._due_ms:
            return b""
        answer, self._answer, self._due_ms = self._answer, b"", None
        return answer

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return self._due_ms

    def _hear(self, data: bytes, now_ms: int) -> bytes:
        """The answer to these bytes, or b""."""
        raise NotImplementedError


class Gd60914Model(AskedModel):
    """A GD60914: silent until it was told once to measure when asked."""

    answer_ms = MEASURE_MS

    def __init__(self, settings: Surroundings) -> None:
        super().__init__(BodyPhysics(settings), 9_600)
        self._single = False

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        super().power_on(now_ms)
        self._single = False

    def _hear(self, data: bytes, now_ms: int) -> bytes:
        self._single = self._single or gd60914.SINGLE in data
        asked = next((byte for byte in reversed(data) if byte in set(Asked)), None)
        if asked is None or not self._single:
            return b""
        object_c, _ = self.physics.noisy(now_ms)
        return gd60914.encode(object_c if asked == Asked.OBJECT else object_c + self.physics.body_above_skin_c)


class ModbusModel(AskedModel):
    """A sensor with this table of registers. `status`: what its status register says."""

    def __init__(self, settings: Surroundings, registers: Registers, *, address: int = 1, baud: int = 9_600) -> None:
        super().__init__(Physics(settings), baud)
        self.status = 0
        self._registers = registers
        self._address = address
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._request = b""
        self._heard_ms = 0

    def _hear(self, data: bytes, now_ms: int) -> bytes:
        if now_ms - self._heard_ms > APART_MS:
            self._request = b""
        self._heard_ms = now_ms
        self._request = (self._request + data)[-MOST:]
        used, request = self._framer.handleFrame(self._request, self._address, 0)
        self._request = self._request[used:]
        if request is None:
            return b""
        answer = self._answer_to(request, self._words(now_ms))
        answer.dev_id = self._address
        return self._framer.buildFrame(answer)

    def _answer_to(self, request: ModbusPDU, words: Mapping[int, int]) -> ModbusPDU:
        kinds = {
            Table.INPUT: (ReadInputRegistersRequest, ReadInputRegistersResponse),
            Table.HOLDING: (ReadHoldingRegistersRequest, ReadHoldingRegistersResponse),
        }
        asks, answers = kinds[self._registers.table]
        if type(request) is not asks:
            return ExceptionResponse(request.function_code, NO_SUCH_FUNCTION)
        wanted = range(request.address, request.address + request.count)
        known = range(min(words), max(words) + 1)
        if wanted[0] not in known or wanted[-1] not in known:
            return ExceptionResponse(request.function_code, NO_SUCH_REGISTER)
        return answers(registers=[words.get(each, 0) for each in wanted])

    def _words(self, now_ms: int) -> dict[int, int]:
        """What its registers hold now."""
        object_c, ambient_c = self.physics.noisy(now_ms)
        table = self._registers
        words = _split(table.object, object_c)
        if table.ambient is not None:
            words |= _split(table.ambient, ambient_c)
        if table.status is not None:
            words[table.status.at] = self.status
        return words


def _split(register: Register, celsius: float) -> dict[int, int]:
    """A value as it lies in its registers. Raises WrongUse for what they cannot hold."""
    if not math.isfinite(celsius):
        raise WrongUse(f"{celsius} °C is no number")
    raw = register.quantity.encode(celsius)
    words = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    return {register.at + number: word for number, word in enumerate(reversed(words) if register.low_first else words)}
