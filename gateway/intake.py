"""From readings to events: what a device posts becomes what the core is told, by the use the device has at this gate."""

import logging
from collections.abc import Callable, Mapping

from drivers.interfaces import Post
from drivers.readings import (
    CardRead,
    CardUnread,
    CodeHint,
    CodeRead,
    Crossed,
    DeviceState,
    DeviceStatus,
    Level,
    Reading,
    Temperature,
)
from gateway.core import events
from gateway.core.moment import Moment
from gateway.nearby import Nearby
from gateway.resolve import ResolveWorkers
from gateway.sampling import TemperatureSampler
from sync.contract.records import Direction

logger = logging.getLogger("menshen.gate")
LEVELS: Mapping[str, Callable[[bool], events.Event | None]] = {
    "presence": events.Presence,
    "door-contact": events.DoorContact,
    "latch": events.LatchMonitor,
    "fire": events.FireInput,
    "tamper": events.TamperInput,
    "approach": events.Approach,
    "vehicle": lambda active: events.Approach(active, vehicle=True),
    "one-metre": events.TooClose,
    "beam": lambda broken: events.Crossing(None) if broken else None,
    "exit-button": lambda pressed: events.ExitRequested() if pressed else None,
    "call": lambda pressed: events.CallPressed() if pressed else None,
    "acknowledge": lambda pressed: events.Acknowledge("button") if pressed else None,
}
"""Inputs by use: the level as an event, or None for the edge that says nothing."""

READERS = {
    "entry-reader": Direction.ENTRY,
    "entry-camera": Direction.ENTRY,
    "exit-reader": Direction.EXIT,
    "exit-camera": Direction.EXIT,
}


class Intake:
    """Makes the `post` of each device. Called from the devices' own threads; only enqueues."""

    def __init__(
        self,
        post: Callable[[events.Event], None],
        workers: ResolveWorkers,
        sampler: TemperatureSampler | None,
        now: Callable[[], Moment],
    ) -> None:
        self._post = post
        self._workers = workers
        self._sampler = sampler
        self._now = now
        self._nearby = Nearby()

    def near(self, mono_ms: int) -> bool:
        """Whether somebody is known to be before the thermometer."""
        return self._nearby.at(mono_ms)

    def of(self, name: str, use: str) -> Post:
        """The `post` for one device. Raises KeyError for a use that no reading can have."""
        handler = self._handler(name, use)

        def post(reading: Reading) -> None:
            if isinstance(reading, DeviceStatus):
                self._status(name, use, reading)
            else:
                handler(reading)

        return post

    def _handler(self, name: str, use: str) -> Callable[[Reading], None]:
        if use == "speaker":
            return lambda _reading: None  # it has a state and no readings
        if use == "beam-pair":
            return self._crossed
        if use == "thermometer":
            return self._temperature
        if use in READERS:
            return lambda reading: self._scan(reading, name, READERS[use])
        if use == "presence":
            return self._presence
        to_event = LEVELS[use]
        return lambda reading: self._level(reading, to_event)

    def _status(self, name: str, use: str, status: DeviceStatus) -> None:
        if use == "presence" and status.state is not DeviceState.OK:
            self._nearby.presence(self._now().mono_ms, present=False)
        if status.state is not DeviceState.STARTING:
            self._post(events.DeviceChanged(name, status.state.value, status.detail))

    def _crossed(self, reading: Reading) -> None:
        if isinstance(reading, Crossed):
            self._post(events.Crossing(Direction.ENTRY if reading.inward else Direction.EXIT))

    def _temperature(self, reading: Reading) -> None:
        if self._sampler is None or not isinstance(reading, Temperature):
            return
        measured = self._sampler.feed(reading.measured_c, reading.ambient_c, self._now().mono_ms)
        if measured is not None:
            self._post(measured)

    def _presence(self, reading: Reading) -> None:
        if isinstance(reading, Level):
            self._nearby.presence(self._now().mono_ms, present=reading.active)
        self._level(reading, LEVELS["presence"])

    def _scan(self, reading: Reading, name: str, direction: Direction) -> None:
        now = self._now()
        if direction is Direction.ENTRY:
            self._nearby.shown(now.mono_ms)
        if isinstance(reading, CardUnread):
            logger.warning("%s: a card that cannot be read: %s", name, reading.why)
        elif isinstance(reading, CardRead):
            self._workers.card(reading.uid, name, direction, now)
        elif isinstance(reading, CodeRead):
            # bytes that are no text can be nobody's code: resolved all the same, so that the refusal is recorded
            self._workers.text(reading.text or reading.data.hex(), name, direction, now)
        elif isinstance(reading, CodeHint):
            self._post(events.CodeUnread(reading.hint.value, name, direction))

    def _level(self, reading: Reading, to_event: Callable[[bool], events.Event | None]) -> None:
        event = to_event(reading.active) if isinstance(reading, Level) else None
        if event is not None:
            self._post(event)
