"""A simulated card reader with a Wiegand output, on simulated pins: the real driver listens to them."""

from typing import Any, Final

from drivers.protocols.wiegand import SILENCE_S, encode, shortest
from drivers.settings import WiegandSettings
from drivers.wiegand import WiegandReader

EVERY_S: Final = 0.002  # from one pulse to the next


class WiegandLines:
    """The two lines, and what people can do with the reader at their far end."""

    def __init__(self, d0: Any, d1: Any) -> None:
        self._lines = (d0, d1)
        self._free_s = 0.0
        self._rest: list[tuple[int, float]] = []
        for line in self._lines:
            line.connect(True)

    def hold(self, uid: str, length: int | None = None) -> None:
        """Lay a card on it: it says its number, once, in as few bits as hold it, or in `length`. Raises WrongUse for one that they do
        not hold."""
        self.send(shortest(uid) if length is None else encode(uid, length))

    def remove(self) -> None:
        """Take the card away, of which it says nothing."""

    def send(self, bits: str, every_s: float = EVERY_S) -> None:
        """Have these bits on the lines; each pulse has its own time, however fast this is called."""
        self.send_half(bits, every_s)
        self.send_rest()

    def send_half(self, bits: str, every_s: float = EVERY_S) -> None:
        """The same, but that half of it is told late: by `send_rest`."""
        begin_s = max(self._lines[0].factory.ticks(), self._free_s)
        pulses = [(int(bit), begin_s + number * every_s) for number, bit in enumerate(bits)]
        self._free_s = begin_s + len(bits) * every_s + 2 * SILENCE_S
        self._tell(pulses[: len(bits) // 2])
        self._rest = pulses[len(bits) // 2 :]

    def send_rest(self) -> None:
        """Tell what is left, with its own times."""
        self._tell(self._rest)
        self._rest = []

    def _tell(self, pulses: list[tuple[int, float]]) -> None:
        for bit, at_s in pulses:
            self._lines[bit].pulse_low(at_s)

    def cut_wire(self) -> None:
        """Its supply is cut."""
        self.cut_power()

    def mend(self) -> None:
        """It has power again."""
        self.restore_power()

    def cut_power(self) -> None:
        """The reader has no power: it pulls a line to ground."""
        self._lines[0].connect(False)

    def restore_power(self) -> None:
        """It has power again."""
        self._lines[0].connect(True)


class SimulatedWiegandReader(WiegandReader):
    """The real driver; `simulator` is what people act on."""

    def __init__(self, name: str, settings: WiegandSettings, pins: Any) -> None:
        super().__init__(name, settings, pins)
        self.simulator = WiegandLines(pins.pin(settings.d0), pins.pin(settings.d1))
