"""Pins with a circuit at their other end: gpiozero's mock pins, where a switch beats the Pi's own resistor, as in copper."""

from collections.abc import Callable
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

from drivers.settings import InputSettings, PinLevel, Pull

_PULLED = {Pull.UP.value: True, Pull.DOWN.value: False}


class WiredPin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A mock pin. `watchers` are told each new level, by whoever changes it: they must only enqueue."""

    def __init__(self, factory: Any, info: Any) -> None:
        self._circuit: bool | None = None
        self.watchers: list[Callable[[bool], None]] = []
        super().__init__(factory, info)

    def connect(self, level: bool | None) -> None:
        """Tie an input to ground (False) or 3.3 V (True), or cut its wire (None): then the pull decides, if there is one."""
        self._circuit = level
        self._settle()

    def pulse_low(self, at_s: float) -> None:
        """Tie an input that is high to ground for a moment, at this time of the factory's clock (`ticks`)."""
        self._change_state(False)
        self._last_change = at_s
        if self._edges in ("both", "falling") and self._when_changed is not None:
            self._call_when_changed()
        self.drive_high()

    def _settle(self) -> None:
        level = _PULLED.get(self._pull) if self._circuit is None else self._circuit
        if level is not None and self._function == "input":
            (self.drive_high if level else self.drive_low)()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self._settle()

    def _change_state(self, value: bool) -> bool:
        changed: bool = super()._change_state(value)
        if changed:
            for watch in self.watchers:
                watch(value)
        return changed


def wired_factory() -> Any:
    """A factory of such pins, those of a Pi 3B."""
    return MockFactory(pin_class=WiredPin)


def set_active(factory: Any, settings: InputSettings, *, active: bool) -> None:
    """Work the switch at an input, as it is wired."""
    factory.pin(settings.pin).connect(active == (settings.active is PinLevel.HIGH))
