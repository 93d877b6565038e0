"""Card readers with a Wiegand output, on two pins of the Pi, by gpiozero. Without a `pin_factory`, it finds the machine's own.

The edges' own times decide, as the kernel took them: this thread may be late, a frame is not.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from drivers.contacts import BACKSTOP_S, gpio_errors, gpio_in_words, opening
from drivers.errors import BadFrame, DeviceLost
from drivers.held_up import HeldUp
from drivers.protocols.wiegand import LENGTHS, MOST, SILENCE_S, Pulse, decode, frames
from drivers.readings import CardRead, DeviceState
from drivers.settings import WiegandSettings
from drivers.tally import Count, Tally, TallyKeeper
from drivers.threaded import RETRY, Retry, ThreadedDevice, monotonic_ms

logger = logging.getLogger("menshen.gpio")
REARM_MS: Final = 1_000  # some readers say a card again and again while it lies there
BAD: Final = 3  # frames in a row after which something is wrong with the wires
SETTLE_S: Final = 2 * SILENCE_S  # nothing told for so long: a frame has ended, and its edges have arrived


class WiegandReader(ThreadedDevice):
    """Implements CardReader."""

    def __init__(self, name: str, settings: WiegandSettings, pin_factory: Any = None, *, retry: Retry = RETRY) -> None:
        super().__init__(name, logger, retry)
        self._settings = settings
        self._factory = pin_factory
        self._pulses: deque[Pulse] = deque(maxlen=MOST)
        self._woken = threading.Event()
        self._seen = HeldUp(REARM_MS)
        self._keeper = TallyKeeper()
        self._count = Count()  # frames, and the pulses of those that were none
        self._bad_in_a_row = 0
        self._half: list[Pulse] = []  # of a frame that was none, and may have been told late

    @property
    def tally(self) -> Tally:
        """What it has to show for itself; `noise` in pulses. From any thread."""
        return self._keeper.tally

    def _live(self) -> None:
        try:
            with ExitStack() as opened:
                lines = [opened.enter_context(self._open(pin)) for pin in (self._settings.d0, self._settings.d1)]
                self._pulses.clear()
                self._half = []
                self._bad_in_a_row = 0
                self._count = Count()
                self._keeper.opened()
                # gpiozero keeps weak references to what it calls
                clock = self._clock(lines[0])
                listeners = [self._listener(bit, clock) for bit in (0, 1)]
                for line, listener in zip(lines, listeners, strict=True):
                    line.pin.edges = "falling"
                    line.pin.when_changed = listener
                self._follow([line.pin for line in lines])
        except gpio_errors() as error:
            raise DeviceLost(f"pins {self._settings.d0} and {self._settings.d1}: {gpio_in_words(error)}") from error

    def _open(self, pin: int) -> Any:
        from gpiozero import InputDevice

        with opening():
            return InputDevice(pin, pull_up=True, pin_factory=self._factory)

    def _clock(self, line: Any) -> Callable[[Any], float]:
        """From an edge's own time, which each factory has in its own way, to seconds."""
        factory = line.pin_factory
        origin = factory.ticks()
        return lambda ticks: float(factory.ticks_diff(ticks, origin))

    def _listener(self, bit: int, seconds: Callable[[Any], float]) -> Callable[[Any, Any], None]:
        """Called by gpiozero's own thread: only enqueues."""

        def fell(ticks: Any, _level: object) -> None:
            self._pulses.append(Pulse(bit, seconds(ticks)))
            self._woken.set()

        return fell

    def _follow(self, pins: list[Any]) -> None:
        held = 0
        while not self._stopping.is_set():
            if self._woken.wait(SETTLE_S if self._pulses else BACKSTOP_S) and len(self._pulses) < MOST:
                self._woken.clear()
                continue
            self._woken.clear()
            self._take()
            held = held + 1 if any(not pin.state for pin in pins) else 0
            self._tell(held)

    def _take(self) -> None:
        """Nothing was told for a while: what is there are whole frames, unless it was gpiozero's thread that was late."""
        told = sorted((self._pulses.popleft() for _ in range(len(self._pulses))), key=lambda pulse: pulse.at_s)
        if not told:
            return
        if self._half and told[0].at_s - self._half[-1].at_s < SILENCE_S:
            told = [*self._half, *told]
        found = frames(told)
        good = [self._frame(bits) for bits in found]
        self._keeper.looked(self._count, monotonic_ms())
        may_be_half = not good[-1] and 0 < len(found[-1]) < max(LENGTHS)
        self._half = told[-len(found[-1]) :] if may_be_half else []

    def _frame(self, bits: str) -> bool:
        """Whether it is a card's."""
        try:
            uid = decode(bits, reverse=self._settings.reverse)
        except BadFrame as error:
            self._count.bad += 1
            self._count.noise += len(bits)
            self._bad_in_a_row += 1
            logger.debug("%s: %s", self.name, error)
            return False
        self._count.good += 1
        self._bad_in_a_row = 0
        if self._seen.new([uid.encode()], monotonic_ms()):
            self._become(DeviceState.OK)
            self._post(CardRead(uid, f"wiegand-{len(bits)}"))
        return True

    def _tell(self, held: int) -> None:
        if held > 1:
            self._become(DeviceState.STALE, "a line is held low: is the reader powered, and its wire sound?")
        elif self._bad_in_a_row >= BAD:
            lengths = " or ".join(map(str, LENGTHS))
            self._become(
                DeviceState.STALE,
                f"the last {BAD} cards had no {lengths} bits with the right parity: are D0 and D1 swapped?",
            )
        else:
            self._become(DeviceState.OK)

    def _wake(self) -> None:
        self._woken.set()
