"""A simulated reader of identity cards: one that has been read is not found again before it was lifted."""

from typing import Final

from drivers.protocols.identity_card import HOST_PACKET, Command, Field, Status, encode, encode_card
from drivers.protocols.packets import PacketReader
from drivers.simulators.line import SerialLine

ANSWER_MS: Final = 10
READ_MS: Final = 200


class IdentityCardModel:
    """Implements Instrument."""

    baud = 115_200

    def __init__(self) -> None:
        self._card = b""
        self.power_on(0)

    def hold(self, values: dict[Field, str]) -> None:
        """A card lies there. Raises WrongUse for a value that does not fit."""
        self._card = encode_card(values)
        self._was_read = False

    def remove(self) -> None:
        """It is lifted."""
        self._card = b""
        self._selected = False

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self._reader = PacketReader(HOST_PACKET)
        self._was_read = False
        self._selected = False
        self._says = b""
        self._due_ms = now_ms

    def hear(self, data: bytes, now_ms: int) -> None:
        """See Instrument.hear."""
        for command in self._reader.feed(data):
            self._says += self._answer(command)
            self._due_ms = now_ms + (READ_MS if command is Command.READ else ANSWER_MS)

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say."""
        if now_ms < self._due_ms:
            return b""
        said, self._says = self._says, b""
        return said

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return self._due_ms if self._says else None

    def _answer(self, command: Command) -> bytes:
        there = bool(self._card) and not self._was_read
        match command:
            case Command.STATUS:
                return encode(Status.DONE)
            case Command.FIND:
                self._selected = False
                return encode(Status.FOUND, bytes(4)) if there else encode(Status.NONE)
            case Command.SELECT:
                self._selected = there
                return encode(Status.DONE, bytes(8)) if there else encode(Status.NOT_SELECTED)
            case Command.READ:
                if not (there and self._selected):
                    return encode(Status.NOT_READ)
                self._was_read = True
                return encode(Status.DONE, self._card)


class SimulatedIdentityCard(SerialLine):
    """The model on its line, and what people can do with it."""

    def __init__(self, name: str) -> None:
        self.model = IdentityCardModel()
        super().__init__(name, self.model)

    def hold(self, card: dict[Field, str] | str) -> None:
        """Lay a card on it: what it says, or its number alone. Raises WrongUse for a value that does not fit."""
        with self._lock:
            self.model.hold({Field.NUMBER: card} if isinstance(card, str) else card)

    def remove(self) -> None:
        """Take the card away."""
        with self._lock:
            self.model.remove()
