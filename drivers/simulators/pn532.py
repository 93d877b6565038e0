"""A simulated PN532: asleep until it is woken; it searches without end until it is told to try once."""

from typing import ClassVar, Final

from drivers.protocols.packets import PacketReader
from drivers.protocols.pn532 import ACK, CHIP, ERROR, HOST, PACKET, Command, encode, encode_targets
from drivers.simulators.line import SerialLine
from drivers.threaded import monotonic_ms

VERSION: Final = b"\x32\x01\x06\x07"
ANSWER_MS: Final = 5
SEARCH_MS: Final = 30


class Pn532Model:
    """Implements Instrument. `version`: what chip it says it is."""

    baud = 115_200

    def __init__(self, version: bytes = VERSION) -> None:
        self._version = version
        self._uids: tuple[str, ...] = ()
        self.power_on(0)

    def hold(self, *uids: str) -> None:
        """These cards lie there, and no others. Raises WrongUse for what is no UID."""
        encode_targets(uids)
        self._uids = uids

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self._reader = PacketReader(PACKET)
        self._awake = False
        self._tries_once = False
        self._searches = False
        self._says: list[tuple[int, bytes]] = []
        self._free_ms = now_ms

    def hear(self, data: bytes, now_ms: int) -> None:
        """See Instrument.hear: an acknowledgement breaks off a search."""
        self._awake = self._awake or b"\x55" in data
        for body in self._reader.feed(data):
            if body is None:
                self._searches = False
                self._says.clear()
            elif self._awake and body.sender == HOST:
                self._searches = False
                self._says.append((now_ms, ACK))
                self._obey(body.code, body.data, now_ms)

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say."""
        if self._searches and self._uids:
            self._searches = False
            self._says.append((now_ms, encode(CHIP, Command.LIST_TARGETS + 1, encode_targets(self._uids[:1]))))
        said = b"".join(data for at_ms, data in self._says if at_ms <= now_ms)
        self._says = [each for each in self._says if each[0] > now_ms]
        return said

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        if self._searches and self._uids:
            return self._free_ms
        return min((at_ms for at_ms, _ in self._says), default=None)

    def _obey(self, code: int, data: bytes, now_ms: int) -> None:
        answer = b""
        match code:
            case Command.VERSION:
                answer = self._version
            case Command.SAM_CONFIGURATION:
                pass
            case Command.RF_CONFIGURATION:
                self._tries_once = data[:1] == b"\x05" and data[3:4] != b"\xff"
            case Command.LIST_TARGETS:
                self._list(now_ms)
                return
            case _:
                self._says.append((now_ms + ANSWER_MS, b"\x00\x00\xff\x01\xff" + bytes((ERROR, -ERROR & 0xFF, 0))))
                return
        self._says.append((now_ms + ANSWER_MS, encode(CHIP, code + 1, answer)))

    def _list(self, now_ms: int) -> None:
        if self._uids or self._tries_once:
            answer = encode(CHIP, Command.LIST_TARGETS + 1, encode_targets(self._uids[:1]))
            self._says.append((now_ms + SEARCH_MS, answer))
        else:
            self._searches = True
            self._free_ms = now_ms


class SimulatedPn532(SerialLine):
    """The model on its line, and what people can do with it. `card`: one to begin with (hardware notes 3)."""

    card: ClassVar = "24D34F59"

    def __init__(self, name: str, model: Pn532Model | None = None) -> None:
        self.model = model or Pn532Model()
        super().__init__(name, self.model)

    def hold(self, uid: str) -> None:
        """Lay a card on it. Raises WrongUse for what is no UID."""
        with self._lock:
            self.model.hold(uid)
        self._rouse()

    def remove(self) -> None:
        """Take the card away."""
        with self._lock:
            self.model.hold()

    def blink(self) -> None:
        """Take its power away for a moment, without anything happening to the port."""
        with self._lock:
            self.model.power_on(monotonic_ms())
        self._rouse()
