"""Two light beams one behind the other, by gpiozero: who went in and who went out.

Source: hardware notes, section 4. As with a single contact no factory is asked to debounce. Who went which way is worked out from
the edges' own times (`drivers.crossings`).
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from drivers.contacts import BACKSTOP_S, gpio_errors, gpio_in_words, is_active, open_input
from drivers.crossings import Beam, Crossings
from drivers.debounce import Debounce
from drivers.edges import EdgeClock
from drivers.errors import DeviceLost
from drivers.readings import Crossed, DeviceState
from drivers.settings import BeamPairSettings
from drivers.tally import Count, Tally, TallyKeeper
from drivers.threaded import RETRY, Retry, ThreadedDevice, monotonic_ms

logger = logging.getLogger("menshen.gpio")
_MOST: Final = 512  # edges that wait


class BeamPair(ThreadedDevice):
    """Implements PassageSensor."""

    def __init__(self, name: str, settings: BeamPairSettings, pin_factory: Any = None, *, retry: Retry = RETRY) -> None:
        super().__init__(name, logger, retry)
        self._settings = settings
        self._wirings = dict(zip((Beam.OUTER, Beam.INNER), settings.wirings, strict=True))
        self._factory = pin_factory
        self._edges: deque[tuple[Beam, bool, int]] = deque(maxlen=_MOST)
        self._woken = threading.Event()
        self._keeper = TallyKeeper()

    @property
    def tally(self) -> Tally:
        """What it has to show for itself; `frames`: how often its pins were read. From any thread."""
        return self._keeper.tally

    def _live(self) -> None:
        try:
            with ExitStack() as opened:
                pins = {
                    beam: opened.enter_context(open_input(wiring, self._factory)).pin
                    for beam, wiring in self._wirings.items()
                }
                self._edges.clear()
                self._keeper.opened()
                clock = EdgeClock(pins[Beam.OUTER].factory, monotonic_ms())
                listeners = {beam: self._listener(beam, clock) for beam in pins}  # gpiozero keeps weak references
                for beam, pin in pins.items():
                    pin.when_changed = listeners[beam]
                self._follow(pins, clock)
        except gpio_errors() as error:
            raise DeviceLost(
                f"pins {self._settings.outer} and {self._settings.inner}: {gpio_in_words(error)}"
            ) from error

    def _listener(self, beam: Beam, clock: EdgeClock) -> Callable[[Any, object], None]:
        """Called by gpiozero's own thread: only enqueues."""

        def changed(ticks: Any, level: object) -> None:
            self._edges.append((beam, is_active(self._wirings[beam], level), clock.at_ms(ticks, monotonic_ms())))
            self._woken.set()

        return changed

    def _follow(self, pins: Mapping[Beam, Any], clock: EdgeClock) -> None:
        broken = self._read(pins)
        now_ms = monotonic_ms()
        crossings = Crossings(broken, now_ms, round(self._settings.stuck_s * 1000))
        debounces = {beam: Debounce(broken[beam], round(self._settings.debounce_s * 1000)) for beam in Beam}
        self._become(DeviceState.OK)
        count = Count()
        while not self._stopping.is_set():
            due = [due_ms for debounce in debounces.values() if (due_ms := debounce.due_ms()) is not None]
            self._woken.wait(min([BACKSTOP_S, *(max(0, due_ms - monotonic_ms()) / 1000 for due_ms in due)]))
            self._woken.clear()
            now_ms = monotonic_ms()
            clock.look(now_ms)
            for at_ms, beam, level in sorted(self._settled(debounces, pins, now_ms)):
                inward = crossings.level(beam, level, at_ms)
                if inward is not None:
                    self._post(Crossed(inward))
            count.good += 1
            self._keeper.looked(count, now_ms)
            self._look(crossings, now_ms)

    def _settled(
        self, debounces: Mapping[Beam, Debounce], pins: Mapping[Beam, Any], now_ms: int
    ) -> list[tuple[int, Beam, bool]]:
        """What has settled since, with when it began."""
        told: list[tuple[int, Beam, bool]] = []

        def tell(beam: Beam, level: bool | None) -> None:
            if level is not None:
                told.append((debounces[beam].told_since_ms, beam, level))

        while self._edges:
            beam, level, at_ms = self._edges.popleft()
            tell(beam, debounces[beam].edge(level, at_ms))
        for beam, level in self._read(pins).items():
            tell(beam, debounces[beam].due(now_ms))  # before a level whose edge was lost takes its place
            tell(beam, debounces[beam].look(level, now_ms))
        return told

    def _read(self, pins: Mapping[Beam, Any]) -> dict[Beam, bool]:
        return {beam: is_active(self._wirings[beam], pin.state) for beam, pin in pins.items()}

    def _look(self, crossings: Crossings, now_ms: int) -> None:
        beam = crossings.stuck(now_ms)
        if beam is not None:
            self._become(
                DeviceState.STALE,
                f"the {beam} beam has been broken for {self._settings.stuck_s:g} s: is something in it, is it out of line, "
                "or a wire cut?",
            )
        else:
            self._become(DeviceState.OK)

    def _wake(self) -> None:
        self._woken.set()
