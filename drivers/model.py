"""What a model of device is, in the catalogue."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from drivers.protocols.stillness import Still
from drivers.simulators.bench import Bench
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from drivers.signs import I2cSign, Sign


class Kind(StrEnum):
    """What a device is, by the interface it stands behind (`drivers.interfaces`)."""

    THERMOMETER = "thermometer"
    CODE_SCANNER = "code scanner"
    CARD_READER = "card reader"
    CONTACT = "contact"
    PASSAGE_SENSOR = "passage sensor"
    OUTPUT = "output"
    SPEAKER = "speaker"


def _nothing_wrong(_settings: object) -> Iterable[tuple[str, str]]:
    """Each value by itself says whether it is right."""
    return ()


@dataclass(frozen=True, slots=True)
class Model:
    """`claims`: what only one device of a gate may have, such as "port /dev/ttyS0" or "pin 17". `build`: makes the device
    of that name; what simulated ones share is on the bench. `wiring`: how a real one is connected. `sign`: by what a model
    on a port or a bus is recognised, where it can be; `still`: how long its link lets it say the same before it is taken to
    hang, where it measures all the time; `wrong`: the keys of settings that are no mistake of one value alone, and what to
    write."""

    kind: Kind
    settings: type[Any]
    claims: Callable[[Any], tuple[str, ...]]
    build: Callable[[str, Any, Bench], Any]
    wiring: Wiring | None = None
    sign: "Callable[[], Sign | I2cSign] | None" = None
    still: Still | None = None
    wrong: Callable[[Any], Iterable[tuple[str, str]]] = _nothing_wrong


def claims_nothing(_settings: object) -> tuple[str, ...]:
    """Any number of such devices may be there."""
    return ()


def claims_port(settings: Any) -> tuple[str, ...]:
    """A serial port has one device."""
    return (f"port {settings.port}",)
