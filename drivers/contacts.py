"""Inputs and outputs on pins, by gpiozero. Without a `pin_factory`, gpiozero finds the machine's own.

Source: hardware notes, section 4. Every factory debounces in its own way, so none of them is asked to: `bounce_time` stays
None, and an input's own thread decides.
"""

import logging
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from drivers.debounce import Debounce, Held
from drivers.edges import EdgeClock
from drivers.errors import DeviceLost
from drivers.readings import DeviceState, Level
from drivers.settings import InputSettings, OutputSettings, PinLevel, Pull
from drivers.tally import Count, Tally, TallyKeeper
from drivers.threaded import RETRY, Retry, ThreadedDevice, monotonic_ms

logger = logging.getLogger("menshen.gpio")
BACKSTOP_S: Final = 0.5  # an edge that was never told is found by reading the pin this often
_OPENING: Final = threading.Lock()  # gpiozero finds its factory with the first device, and not from two threads at once
_PULLS: Final = {Pull.UP: True, Pull.DOWN: False, Pull.OFF: None}


@contextmanager
def opening() -> Iterator[None]:
    """Around every opening of a pin. gpiozero warns of each library that it tries in vain, of which whoever cannot have a pin
    says one sentence (`gpio_in_words`); where another one works in its place, one sentence tells which were missed."""
    from gpiozero.exc import NativePinFactoryFallback, PinFactoryFallback

    fallbacks = (PinFactoryFallback, NativePinFactoryFallback)
    with _OPENING, warnings.catch_warnings(record=True) as told:
        for kind in fallbacks:
            warnings.simplefilter("always", kind)
        yield
    missed = [str(each.message) for each in told if each.category is PinFactoryFallback]
    if missed:
        logger.warning(
            "pins are worked by a library that is second best; is python3-lgpio installed? %s", "; ".join(missed)
        )
    for each in told:
        if each.category not in fallbacks:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def open_input(settings: InputSettings, pin_factory: Any) -> Any:
    """The pin as gpiozero's device. Raises what gpiozero does (`gpio_errors`)."""
    from gpiozero import InputDevice

    pull = _PULLS[settings.pull]
    # InputDevice has no events of its own: gpiozero's swallow an edge whose counterpart was lost (its issue 550)
    with opening():
        return InputDevice(
            settings.pin, pull_up=pull, active_state=True if pull is None else None, pin_factory=pin_factory
        )


def is_active(settings: InputSettings, level: object) -> bool:
    """What a level of the pin means."""
    return bool(level) == (settings.active is PinLevel.HIGH)


class GpioContact(ThreadedDevice):
    """Implements Contact: posts the level at start, then each level that has held for the setting's `debounce_s`. What is active
    for `stuck_s` is stale: it goes on to be told, and whoever relies on it knows."""

    def __init__(self, name: str, settings: InputSettings, pin_factory: Any = None, *, retry: Retry = RETRY) -> None:
        super().__init__(name, logger, retry)
        self._settings = settings
        self._factory = pin_factory
        self._edges: deque[tuple[bool, int]] = deque(maxlen=256)
        self._woken = threading.Event()
        self._keeper = TallyKeeper()

    @property
    def tally(self) -> Tally:
        """What it has to show for itself; `frames`: how often its pin was read. From any thread."""
        return self._keeper.tally

    def _live(self) -> None:
        try:
            with open_input(self._settings, self._factory) as device:
                self._edges.clear()
                self._keeper.opened()
                clock = EdgeClock(device.pin.factory, monotonic_ms())
                listener = self._listener(clock)  # gpiozero keeps a weak reference
                device.pin.when_changed = listener
                self._follow(device.pin, clock)
        except gpio_errors() as error:
            raise DeviceLost(f"pin {self._settings.pin}: {gpio_in_words(error)}") from error

    def _follow(self, pin: Any, clock: EdgeClock) -> None:
        active = is_active(self._settings, pin.state)
        held = Held(active, round(self._settings.stuck_s * 1000), monotonic_ms())
        debounce = Debounce(active, round(self._settings.debounce_s * 1000))
        self._become(DeviceState.OK)
        self._post(Level(active))
        count = Count()
        while not self._stopping.is_set():
            due_ms = debounce.due_ms()
            self._woken.wait(BACKSTOP_S if due_ms is None else max(0, due_ms - monotonic_ms()) / 1000)
            self._woken.clear()
            clock.look(monotonic_ms())
            while self._edges:
                self._tell(debounce.edge(*self._edges.popleft()), held)
            self._tell(debounce.due(monotonic_ms()), held)  # before a level whose edge was lost takes its place
            self._tell(debounce.look(is_active(self._settings, pin.state), monotonic_ms()), held)
            count.good += 1
            self._keeper.looked(count, monotonic_ms())
            self._look(held)

    def _tell(self, settled: bool | None, held: Held) -> None:
        if settled is not None:
            held.level(settled, monotonic_ms())
            self._post(Level(settled))

    def _look(self, held: Held) -> None:
        if held.too_long(monotonic_ms()):
            self._become(
                DeviceState.STALE,
                f"active for {self._settings.stuck_s:g} s: does it stick, is something in its way, or a wire cut or shorted?",
            )
        else:
            self._become(DeviceState.OK)

    def _listener(self, clock: EdgeClock) -> Callable[[Any, object], None]:
        """Called by gpiozero's own thread, or whoever drives a mock pin: only enqueues."""

        def changed(ticks: Any, level: object) -> None:
            self._edges.append((is_active(self._settings, level), clock.at_ms(ticks, monotonic_ms())))
            self._woken.set()

        return changed

    def _wake(self) -> None:
        self._woken.set()


class GpioOutput:
    """Implements Output. At rest from the moment it is built, without a pulse; a pin that cannot be had is tried again with
    each `set`."""

    def __init__(self, name: str, settings: OutputSettings, pin_factory: Any = None) -> None:
        self.name = name
        self._settings = settings
        self._factory = pin_factory
        self._closed = False
        self._device: Any = None
        try:
            self._device = self._open()
        except DeviceLost as lost:
            logger.error("%s: %s", name, lost)

    @property
    def state(self) -> DeviceState:
        """LOST while the pin cannot be had; found out when it is switched."""
        return DeviceState.LOST if self._device is None else DeviceState.OK

    def set(self, active: bool) -> None:
        """See Output.set. Raises DeviceLost, also once it is closed."""
        if self._closed:
            raise DeviceLost(f"pin {self._settings.pin}: is closed")
        if self._device is None:
            self._device = self._open()
        try:
            self._device.value = active
        except gpio_errors() as error:
            self._give_up()
            raise DeviceLost(f"pin {self._settings.pin}: {gpio_in_words(error)}") from error

    def close(self) -> None:
        """See Output.close: switched off, then let go, when the resistor outside takes over. Raises DeviceLost."""
        if self._closed:
            return
        try:
            if self._device is not None:
                self.set(False)
        finally:
            self._closed = True
            self._give_up()

    def _open(self) -> Any:
        try:
            from gpiozero import OutputDevice

            with opening():
                return OutputDevice(
                    self._settings.pin,
                    active_high=self._settings.active is PinLevel.HIGH,
                    initial_value=False,
                    pin_factory=self._factory,
                )
        except gpio_errors() as error:
            raise DeviceLost(f"pin {self._settings.pin}: {gpio_in_words(error)}") from error

    def _give_up(self) -> None:
        device, self._device = self._device, None
        if device is None:
            return
        try:
            device.close()
        except gpio_errors() as error:
            logger.error("%s: pin %d: %s", self.name, self._settings.pin, error)


def gpio_errors() -> tuple[type[Exception], ...]:
    """What a pin can raise: gpiozero's errors, the system's, and those of the library below it, where that is loaded."""
    from gpiozero import GPIOZeroError

    below: Any = sys.modules.get("lgpio")
    return (GPIOZeroError, OSError, *((below.error,) if below is not None else ()))


def gpio_in_words(error: Exception) -> str:
    """Why a pin cannot be had, and what to do."""
    from gpiozero import BadPinFactory

    if isinstance(error, BadPinFactory):
        return (
            "no library for pins works here: is this a Raspberry Pi, is python3-lgpio installed, and was .venv made with "
            "--system-site-packages?"
        )
    return str(error)
