"""A simulated code scanner module of Grow: it reads what is held up, and is reprogrammed by a page of its manual."""

from typing import Final

from drivers.protocols.gm65 import (
    BEAT,
    HOST_PACKET,
    RAW_FIRMWARE,
    Asked,
    Command,
    Want,
    Zone,
    encode_code,
    encode_reply,
)
from drivers.protocols.packets import PacketReader
from drivers.simulators.line import SerialLine
from drivers.threaded import monotonic_ms

OUT_OF_THE_BOX: Final[dict[int, int]] = {
    Zone.MODE: 0xD4,
    Zone.INTERVAL: 0x0A,
    Zone.OUTPUT: 0xA0,
    Zone.FRAMING: 0x01,
    Zone.FIRMWARE: 0x65,
}
ANSWER_MS: Final = 10
_CONTINUOUS: Final = Want(Zone.MODE, 0b11, 0b10)
_CLOSED: Final = Want(Zone.SETUP_CODES, 0b10, 0b10)
_FRAMED: Final = Want(Zone.FRAMING, 0x80, 0x80)
_TYPES: Final = Want(Zone.OUTPUT, 0b11, 0b01)


class Gm65Model:
    """Implements Instrument. `ignores`: zones that it does not let be written; `lacks`: zones that it does not know."""

    def __init__(
        self,
        *,
        baud: int = 9_600,
        firmware: int = 0x65,
        ignores: frozenset[int] = frozenset(),
        lacks: frozenset[int] = frozenset(),
    ) -> None:
        self.baud = baud
        self.saves = 0
        self._ignores = ignores
        self._lacks = lacks
        self._flash: dict[int, int] = OUT_OF_THE_BOX | {Zone.FIRMWARE: firmware}
        self._zones = dict(self._flash)
        self._reader = PacketReader(HOST_PACKET)
        self._says = b""
        self._code = b""
        self._page: tuple[int, int] | None = None
        self._next_ms = 0
        self._answer_ms = 0

    def zone(self, zone: int) -> int:
        """What a zone is set to."""
        return self._zones.get(zone, 0)

    def show(self, code: bytes, now_ms: int) -> None:
        """Hold up a code, until it is taken away. Raises WrongUse."""
        encode_code(code)
        self._code, self._page, self._next_ms = code, None, now_ms

    def show_page(self, zone: int, value: int, now_ms: int) -> None:
        """Hold up a page of its manual: the code there that sets this zone."""
        self._code, self._page, self._next_ms = b"^3~%04X%02X." % (zone, value), (zone, value), now_ms

    def remove(self, now_ms: int) -> None:
        """Take away what is held up. What it had read by then, it says, however late."""
        self._look(now_ms)
        self._code = b""

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on: it is as its flash says."""
        self._zones = dict(self._flash)
        self._reader = PacketReader(HOST_PACKET)
        self._says = b""
        self._next_ms = max(self._next_ms, now_ms)

    def hear(self, data: bytes, now_ms: int) -> None:
        """See Instrument.hear."""
        for asked in self._reader.feed(data):
            self._says += self._answer(asked)
            self._answer_ms = now_ms + ANSWER_MS

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say."""
        self._look(now_ms)
        if now_ms < self._answer_ms:
            return b""
        said, self._says = self._says, b""
        return said

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        due = [self._answer_ms] * bool(self._says) + [self._next_ms] * self._is_reading()
        return min(due, default=None)

    def _look(self, now_ms: int) -> None:
        """Read what is held up, when it is time to."""
        if self._is_reading() and now_ms >= self._next_ms:
            self._next_ms = now_ms + 100 * max(1, self.zone(Zone.INTERVAL))
            self._says += self._read()
            self._answer_ms = now_ms

    def _is_reading(self) -> bool:
        return bool(self._code) and _CONTINUOUS.is_met(self.zone(Zone.MODE))

    def _read(self) -> bytes:
        """What it says of the code that is held up."""
        if self._page is not None and not _CLOSED.is_met(self.zone(Zone.SETUP_CODES)):
            zone, value = self._page
            self._zones[zone] = self._flash[zone] = value
            return b""
        code = self._code
        if self.zone(Zone.FIRMWARE) == RAW_FIRMWARE and self.zone(Zone.RAW) != 0x08:
            code = code.decode("utf-8", "replace").encode("gb18030", "replace")
        if _TYPES.is_met(self.zone(Zone.OUTPUT)):
            return b""
        return encode_code(code) if _FRAMED.is_met(self.zone(Zone.FRAMING)) else code + b"\r"

    def _answer(self, asked: Asked) -> bytes:
        if asked.zone in self._lacks:
            return encode_reply(b"", status=1)
        match asked.command:
            case Command.BEAT:
                return BEAT
            case Command.READ:
                return encode_reply(bytes(self.zone(asked.zone + at) for at in range(min(asked.data[0], 255))))
            case Command.WRITE:
                self._write(asked)
            case Command.SAVE:
                self.saves += 1
                self._flash = dict(self._zones)
        return encode_reply(b"\x00")

    def _write(self, asked: Asked) -> None:
        for at, value in enumerate(asked.data):
            if asked.zone + at not in self._ignores:
                self._zones[asked.zone + at] = value


class SimulatedGm65(SerialLine):
    """The model on its line, and what people can do with it."""

    def __init__(self, name: str, model: Gm65Model | None = None) -> None:
        self.model = model or Gm65Model()
        super().__init__(name, self.model)

    def show(self, content: str | bytes) -> None:
        """Hold up a code of this content. Raises WrongUse for what no code can hold."""
        data = content.encode() if isinstance(content, str) else content
        with self._lock:
            self.model.show(data, monotonic_ms())
        self._rouse()

    def show_page(self, zone: int, value: int) -> None:
        """Hold up a page of its manual."""
        with self._lock:
            self.model.show_page(zone, value, monotonic_ms())
        self._rouse()

    def clear(self) -> None:
        """Take it away."""
        with self._lock:
            self.model.remove(monotonic_ms())
        self._rouse()

    def blink(self) -> None:
        """Take its power away for a moment, without anything happening to the port."""
        with self._lock:
            self.model.power_on(monotonic_ms())
        self._rouse()
