"""The one thread that decides: events out of the inbox, effects to the executor, one timer."""

import logging
from collections.abc import Callable
from typing import Protocol

from gateway.clock import Clock
from gateway.core.checkpoint import Checkpoint
from gateway.core.effects import Effect
from gateway.core.events import ClockStepped, Event, Tick
from gateway.core.moment import Moment
from gateway.inbox import Inbox

logger = logging.getLogger("menshen.gate")
IDLE_S = 1.0  # the longest the loop waits: the watchdog is fed and the clock looked at this often


class CarriesOut(Protocol):
    """What the loop needs of the executor."""

    def carry_out(self, todo: tuple[Effect, ...], now: Moment) -> None:
        """Carry out the effects of one event."""


class Loop:
    """Runs in the thread that calls `run`, until `stop`."""

    def __init__(
        self, checkpoint: Checkpoint, inbox: Inbox, executor: CarriesOut, clock: Clock, alive: Callable[[], None]
    ) -> None:
        self._checkpoint = checkpoint
        self._inbox = inbox
        self._executor = executor
        self._clock = clock
        self._alive = alive
        self._running = True

    def begin(self) -> None:
        """Carry out what the core wants at the start: the door at rest comes before everything else."""
        now = self._clock.now()
        self._executor.carry_out(self._checkpoint.start(now), now)

    def run(self) -> None:
        """Decide until stopped; what was posted before `stop` is still decided."""
        while True:
            event = self._inbox.get(self._timeout())
            if event is None and not self._running:
                return
            self._turn(event or Tick())
            self._alive()

    def stop(self) -> None:
        """End `run`. From any thread."""
        self._running = False
        self._inbox.close()

    def _timeout(self) -> float:
        deadline = self._checkpoint.deadline()
        if deadline is None:
            return IDLE_S
        return min(IDLE_S, max(0, deadline - self._clock.mono_ms()) / 1000)

    def _turn(self, event: Event) -> None:
        now = self._clock.now()
        step = self._clock.take_step()
        if step is not None:
            self._decide(ClockStepped(step, now.trusted), now)
        self._decide(event, now)

    def _decide(self, event: Event, now: Moment) -> None:
        for decide in (self._checkpoint.handle, self._checkpoint.rescue):
            try:
                self._executor.carry_out(decide(event, now), now)
            except Exception:
                # a fault of ours must not end the gate, nor hold anybody inside: then fire and the way out are decided alone
                logger.exception("deciding on %s failed", type(event).__name__)
            else:
                return
