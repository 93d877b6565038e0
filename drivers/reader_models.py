"""The models of code scanners and card readers: a part of the catalogue (`drivers.catalogue`), by the same rules."""

from collections.abc import Mapping
from typing import Any, Final

from drivers.interfaces import CodeScanner
from drivers.model import Kind, Model
from drivers.reader_settings import Gm65Settings, SimulatedGm65Settings
from drivers.simulators.bench import Bench


def _gm65(name: str, settings: Gm65Settings, _bench: Bench) -> CodeScanner:
    """Code scanner module GM60, GM65, GM66, GM805 or GM861: posts CodeRead, once for a code that is held up.

    Unit: the bytes of a code. Source: hardware notes 2.1; Tasmota xsns_107_gm861; DFRobot DFR0660."""
    from drivers.protocols.gm65 import Gm65Link
    from drivers.serial_device import SerialDevice

    return SerialDevice(name, settings.port, Gm65Link)


def _simulated_gm65(name: str, _settings: SimulatedGm65Settings, _bench: Bench) -> CodeScanner:
    """The driver of gm65, with a model of the module at the far end of a pty; `simulator` is the latter.

    Unit: the bytes of a code. Source: as gm65."""
    from drivers.protocols.gm65 import Gm65Link
    from drivers.simulators.code_scanner import SimulatedGm65
    from drivers.simulators.serial_device import SimulatedSerialDevice

    return SimulatedSerialDevice(name, SimulatedGm65(name), Gm65Link)


def _nothing(_settings: object) -> tuple[str, ...]:
    return ()


def _port(settings: Any) -> tuple[str, ...]:
    return (f"port {settings.port}",)


READER_MODELS: Final[Mapping[str, Model]] = {
    "gm65": Model(Kind.CODE_SCANNER, Gm65Settings, _port, _gm65),
    "simulated-gm65": Model(Kind.CODE_SCANNER, SimulatedGm65Settings, _nothing, _simulated_gm65),
}
