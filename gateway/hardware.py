"""The devices of one gate, built from its configuration, by the use each has."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from drivers.catalogue import MODELS, Bench, Kind
from drivers.errors import DriverError
from drivers.interfaces import Device, Output, Post, Speaker
from drivers.readings import DeviceState
from drivers.tally import Tally
from gateway.config import DeviceConfig
from gateway.core.moment import Moment
from sync.contract.alarms import MOST_DEVICES, DeviceReport
from sync.contract.colours import Lamp

logger = logging.getLogger("menshen.gate")
LAMPS = {"lamp-red": Lamp.RED, "lamp-yellow": Lamp.YELLOW, "lamp-green": Lamp.GREEN}
_ORDER = (Kind.CONTACT, Kind.PASSAGE_SENSOR, Kind.THERMOMETER, Kind.CARD_READER, Kind.CODE_SCANNER, Kind.SPEAKER)


class Intake(Protocol):
    """Makes the `post` of each device."""

    def of(self, name: str, use: str) -> Post:
        """The `post` for one device."""


class Hardware:
    """Builds every device at once. Outputs are at rest from then on; the others do nothing until `start`."""

    def __init__(self, configs: Sequence[DeviceConfig], bench: Bench) -> None:
        outputs_first = sorted(configs, key=lambda config: MODELS[config.model].kind is not Kind.OUTPUT)
        self.devices: list[tuple[DeviceConfig, Any]] = [
            (config, MODELS[config.model].build(config.name, config.settings, bench)) for config in outputs_first
        ]
        self._started: list[Device] = []

    def by_use(self, use: str) -> Any:
        """The (first) device with this use, or None."""
        return next((device for config, device in self.devices if config.use == use), None)

    @property
    def lock(self) -> Output | None:
        """The lock's relay, where the portal has one."""
        return cast("Output | None", self.by_use("lock"))

    @property
    def sounder(self) -> Output | None:
        """The siren, where there is one."""
        return cast("Output | None", self.by_use("sounder"))

    @property
    def alarm_lamp(self) -> Output | None:
        """The lamp that tells of an alarm that nobody has acknowledged for a while, where there is one."""
        return cast("Output | None", self.by_use("alarm-lamp"))

    @property
    def lamps(self) -> Mapping[Lamp, Output]:
        """The lamps that this gate has."""
        return {lamp: output for use, lamp in LAMPS.items() if (output := self.by_use(use)) is not None}

    @property
    def speaker(self) -> Speaker | None:
        """The loudspeaker, where there is one."""
        return cast("Speaker | None", self.by_use("speaker"))

    def reports(self, now: Moment) -> tuple[DeviceReport, ...]:
        """How each device is, those first that are not well. From any thread."""
        found = [
            _report(config.name, state, getattr(device, "tally", None), now)
            for config, device in self.devices
            if (state := getattr(device, "state", None)) is not None
        ]
        return tuple(sorted(found, key=lambda each: each.state == DeviceState.OK)[:MOST_DEVICES])

    def watch(self, near: Callable[[int], bool]) -> None:
        """The thermometer's readings have to change while this says that somebody is before it (monotonic ms). Before `start`."""
        for config, device in self.devices:
            if config.use == "thermometer":
                device.near = near

    def start(self, intake: Intake) -> None:
        """Start what reads: contacts first (fire, exit, door), then readers, then the camera and the loudspeaker."""
        reading = [(config, device) for config, device in self.devices if MODELS[config.model].kind in _ORDER]
        for config, device in sorted(reading, key=lambda each: _ORDER.index(MODELS[each[0].model].kind)):
            device.start(intake.of(config.name, config.use))
            self._started.append(device)

    def stop(self) -> None:
        """Stop what reads, the last first."""
        while self._started:
            self._started.pop().stop()

    def close(self) -> None:
        """Return every output to its safe level."""
        for config, device in self.devices:
            if MODELS[config.model].kind is Kind.OUTPUT:
                try:
                    device.close()
                except DriverError as error:
                    logger.error("%s: could not be returned to rest: %s", config.name, error)


def _report(name: str, state: DeviceState, tally: Tally | None, now: Moment) -> DeviceReport:
    if tally is None:
        return DeviceReport(name=name, state=state.value)
    valid_ms = tally.last_valid_ms
    return DeviceReport(
        name=name,
        state=state.value,
        valid_at_ms=0 if valid_ms is None else now.at_ms - (now.mono_ms - valid_ms),
        frames=tally.frames,
        bad=tally.bad,
        noise=tally.noise,
        reopens=tally.reopens,
    )
