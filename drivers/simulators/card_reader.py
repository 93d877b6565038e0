"""A simulated RDM6300: it says a card's number again and again while the card lies there."""

from typing import ClassVar, Final

from drivers.protocols.rdm6300 import encode, encode_id12
from drivers.simulators.line import SerialLine
from drivers.threaded import monotonic_ms

EVERY_MS: Final = 65


class CardReaderModel:
    """Implements Instrument."""

    baud = 9_600

    def __init__(self) -> None:
        self._frame = b""
        self._next_ms = 0
        self._until_ms: int | None = None

    def hold(self, uid: str, now_ms: int) -> None:
        """A card is laid on it, and no other is. Raises WrongUse for a number that no card can have."""
        self._frame = encode(uid)
        self._next_ms = now_ms
        self._until_ms = None

    def remove(self, now_ms: int) -> None:
        """It is taken away. What it had to say by then, it says, however late."""
        if self._until_ms is None:
            self._until_ms = now_ms

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on."""
        self._next_ms = max(self._next_ms, now_ms)

    def hear(self, data: bytes, now_ms: int) -> None:
        """It takes no commands."""

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say."""
        if not self._frame:
            return b""
        until_ms = now_ms if self._until_ms is None else min(now_ms, self._until_ms)
        frames = max(0, (until_ms - self._next_ms) // EVERY_MS + 1)
        said = self._frame * frames
        self._next_ms += frames * EVERY_MS
        if self._until_ms is not None and now_ms >= self._until_ms:
            self._frame = b""
        return said

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return self._next_ms if self._frame else None


class SimulatedCardReader(SerialLine):
    """The model on its line, and what people can do with it. `card`: one to begin with (hardware notes 3)."""

    card: ClassVar = "000414CD7E"

    def __init__(self, name: str, model: "CardReaderModel | Id12Model | None" = None) -> None:
        self._model = model or CardReaderModel()
        super().__init__(name, self._model)

    def hold(self, uid: str) -> None:
        """Lay a card on it. Raises WrongUse for a number that no card can have."""
        with self._lock:
            self._model.hold(uid, monotonic_ms())
        self._rouse()

    def remove(self) -> None:
        """Take the card away."""
        with self._lock:
            self._model.remove(monotonic_ms())
        self._rouse()


class Id12Model:
    """Implements Instrument: a card's number once, when it comes."""

    baud = 9_600

    def __init__(self) -> None:
        self._says: tuple[int, bytes] | None = None
        self._there = ""

    def hold(self, uid: str, now_ms: int) -> None:
        """A card is laid on it, and no other is. Raises WrongUse for a number that no card can have."""
        frame = encode_id12(uid)
        if uid != self._there:
            self._says = (now_ms, frame)
        self._there = uid

    def remove(self, _now_ms: int) -> None:
        """It is taken away, which it does not tell."""
        self._there = ""

    def power_on(self, now_ms: int) -> None:
        """See Instrument.power_on: it finds the card that lies there."""
        self._says = (now_ms, encode_id12(self._there)) if self._there else None

    def hear(self, data: bytes, now_ms: int) -> None:
        """It takes no commands."""

    def say(self, now_ms: int) -> bytes:
        """See Instrument.say."""
        if self._says is None or now_ms < self._says[0]:
            return b""
        said, self._says = self._says[1], None
        return said

    def due_ms(self) -> int | None:
        """See Instrument.due_ms."""
        return None if self._says is None else self._says[0]


class SimulatedId12(SimulatedCardReader):
    """The same with an ID-12."""

    def __init__(self, name: str) -> None:
        super().__init__(name, Id12Model())
