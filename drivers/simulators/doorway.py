"""A simulated doorway: a door with its lock, its contact, the beam or beams behind it, and the buttons beside it, on simulated
pins.

The relay's pin alone decides whether the door gives way. Parts are named by their use at the gate; what a gate does not
have, nobody can use, and a doorway without a lock stands open to everyone.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from drivers.crossings import Beam
from drivers.settings import (
    BeamPairSettings,
    InputSettings,
    OutputSettings,
    PinLevel,
    SimulatedBeamPairSettings,
    SimulatedInputSettings,
    SimulatedOutputSettings,
)
from drivers.simulators.bench import Bench
from drivers.simulators.passage import Walker, moves, walk

PRESS_S: Final = 0.15  # how long a button is held, besides what its debouncing asks
DOOR, LOCK, BEAM, PRESENCE = "door-contact", "lock", "beam", "presence"
PACE_M_S: Final = 1.2  # how fast people walk
LATCH: Final = "latch"
BEAM_PAIR, INWARD = "beam-pair", "entry"
EXIT_BUTTON, ACKNOWLEDGE, CALL = "exit-button", "acknowledge", "call"


class Doorway:
    """Implements gateway.simulation.people.Doorway. `parts`: settings by use, such as `{"door-contact": InputSettings(pin=6)}`;
    those of devices without a pin are passed over. Build the devices on the same bench first."""

    def __init__(self, bench: Bench, parts: Mapping[str, object]) -> None:
        self._bench = bench
        self._inputs = {use: wiring for use, settings in parts.items() if (wiring := _input(settings)) is not None}
        self._beams = _beams(parts.get(BEAM_PAIR))
        self._wanted: dict[str, bool] = {}  # how each switch would be if nothing were wrong with it
        self._damaged: set[str] = set()
        self._changed = threading.Condition()
        self._open = self._jammed = False
        self._lock_pin: Any = None
        self._released_level = True
        lock = _output(parts.get(LOCK))
        if lock is not None:
            self._lock_pin = bench.pins.pin(lock.pin)
            self._released_level = lock.active is PinLevel.HIGH
            self._lock_pin.watchers.append(self._relay_switched)

    @property
    def is_open(self) -> bool:
        """Whether the door stands open."""
        return self._open

    @property
    def released(self) -> bool:
        """Whether the lock lets the door go."""
        pin = self._lock_pin
        return pin is None or (pin.function == "output" and bool(pin.state) == self._released_level)

    def presence(self, present: bool) -> None:
        """Somebody stands before the door, or no longer."""
        self.switch(PRESENCE, active=present)

    def wait_released(self, timeout: float) -> bool:
        """Whether the lock was released within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.released, timeout)

    def push(self) -> bool:
        """Push the door; True when it opened, or stood open."""
        if self.released:
            self._move(is_open=True)
        return self._open

    def walk_through(self, direction: str) -> None:
        """Cross the beam, which cannot tell the `direction` ("entry", "exit"), and the two beams, which can."""
        self._press(BEAM)
        if self._beams:
            self.people_walk([walk(PACE_M_S, inward=direction == INWARD)])

    def people_walk(self, walkers: Sequence[Walker], *, chatter: int = 0) -> None:
        """Several at once through the two beams, in their own time; each contact bounces so many times."""
        held = threading.Event()  # never set: people are slow
        began_s, seen = time.monotonic(), moves(walkers)
        first_s = seen[0].at_s if seen else 0.0  # nobody waits for who is still on the way
        for move in seen:
            held.wait(max(0.0, began_s + move.at_s - first_s - time.monotonic()))
            for active in (move.broken, not move.broken) * chatter:
                self._bench.set_active(self._beams[move.beam], active=active)
            self._bench.set_active(self._beams[move.beam], active=move.broken)

    def block(self, beam: Beam, *, broken: bool) -> None:
        """Put something into one of the two beams, or take it away."""
        self._bench.set_active(self._beams[beam], active=broken)

    def jam_bolt(self, *, jammed: bool) -> None:
        """Keep the lock from holding the door, or let it again."""
        self._jammed = jammed
        self._bolt()

    def close(self) -> None:
        """Let the door fall shut."""
        self._move(is_open=False)

    def force(self) -> None:
        """Break the door open, locked or not."""
        self._move(is_open=True)

    def press_exit(self) -> None:
        """Press the exit button, and let it go."""
        self._press(EXIT_BUTTON)

    def acknowledge(self) -> None:
        """Press the guard's button, and let it go."""
        self._press(ACKNOWLEDGE)

    def call(self) -> None:
        """Press the call button, and let it go."""
        self._press(CALL)

    def switch(self, use: str, *, active: bool) -> None:
        """Any input, such as `fire` or `tamper`."""
        wiring = self._inputs.get(use)
        if wiring is not None:
            self._wanted[use] = active
            if use not in self._damaged:
                self._bench.set_active(wiring, active=active)

    def cut_wire(self, use: str) -> None:
        """Cut the wire of an input: the Pi's own resistor decides from then on, until it is mended."""
        wiring = self._inputs.get(use)
        if wiring is not None:
            self._damaged.add(use)
            self._bench.pins.pin(wiring.pin).connect(None)

    def stick(self, use: str) -> None:
        """An input stays as it is, such as a button that has jammed, until it is mended."""
        if use in self._inputs:
            self._damaged.add(use)

    def mend(self, use: str) -> None:
        """An input is as it should be by now."""
        if use in self._damaged:
            self._damaged.remove(use)
            self.switch(use, active=self._wanted.get(use, False))

    def _press(self, use: str) -> None:
        """Long enough to count, and then long enough that letting go counts too."""
        wiring = self._inputs.get(use)
        if wiring is None:
            return
        held = threading.Event()  # never set: people are slow
        for active in (True, False):
            self.switch(use, active=active)
            held.wait(PRESS_S + wiring.debounce_s)

    def _move(self, *, is_open: bool) -> None:
        self._open = is_open
        self.switch(DOOR, active=is_open)
        self._bolt()

    def _bolt(self) -> None:
        """It is back while the lock is released or the door stands open."""
        self.switch(LATCH, active=self._jammed or self._open or self.released)

    def _relay_switched(self, _level: bool) -> None:
        self._bolt()
        with self._changed:
            self._changed.notify_all()


def _input(settings: object) -> InputSettings | None:
    wiring = settings.wiring if isinstance(settings, SimulatedInputSettings) else settings
    return wiring if isinstance(wiring, InputSettings) else None


def _output(settings: object) -> OutputSettings | None:
    wiring = settings.wiring if isinstance(settings, SimulatedOutputSettings) else settings
    return wiring if isinstance(wiring, OutputSettings) else None


def _beams(settings: object) -> Mapping[Beam, InputSettings]:
    pair = settings.wiring if isinstance(settings, SimulatedBeamPairSettings) else settings
    return dict(zip((Beam.OUTER, Beam.INNER), pair.wirings, strict=True)) if isinstance(pair, BeamPairSettings) else {}
