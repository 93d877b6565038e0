"""What a model of device is: one declaration, of which everything else is made.

Out of it come the models' list (`drivers.catalogue`), what a gate's file may say, `docs/configuration.md` and `docs/hardware.md`, the
probe, `menshen devices simulate`, and the walks and fuzz targets of the tests.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import getdoc
from typing import TYPE_CHECKING, Any, Final

from drivers.protocols.stillness import Still
from drivers.simulators.bench import Bench
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.signs import I2cSign, Sign
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup

SIMULATED: Final = "simulated-"


class Kind(StrEnum):
    """What a device is, by the interface it stands behind (`drivers.interfaces`)."""

    THERMOMETER = "thermometer"
    CODE_SCANNER = "code scanner"
    CARD_READER = "card reader"
    CONTACT = "contact"
    PASSAGE_SENSOR = "passage sensor"
    OUTPUT = "output"
    SPEAKER = "speaker"


def claims_nothing(_settings: object) -> tuple[str, ...]:
    """Any number of such devices may be there."""
    return ()


def takes_anything(_content: str) -> None:
    """Whatever a person may bring."""


def nothing_wrong(_settings: object) -> Iterable[tuple[str, str]]:
    """Each value by itself says whether it is right."""
    return ()


def claims_port(settings: Any) -> tuple[str, ...]:
    """A serial port has one device."""
    return (f"port {settings.port}",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A model's simulated twin: the same driver, before a simulator. `settings`, `build`, `claims`, `about` and `takes`: as a Model's;
    `example`: keys that it requires, as TOML, besides those in the model's wiring."""

    settings: type[Any]
    build: Callable[[str, Any, Bench], Any]
    claims: Callable[[Any], tuple[str, ...]] = claims_nothing
    about: str = ""
    example: Mapping[str, str] = field(default_factory=dict)
    takes: Callable[[str], None] = takes_anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`name`: as in a gate's file; `what`: what it is and gives; `unit`: of what it gives; `source`: of what is known of it.

    `settings`: what it can be told; `about`: what the lists say of it, where its settings are others' too (else their docstring).
    `claims`: what only one device of a gate may have, such as "port /dev/ttyS0" or "pin 17". `build`: makes the device
    of that name; what simulated ones share is on the bench. It imports the libraries that it needs, as whatever is called here does:
    declarations are loaded by every command.

    `wiring`: how a real one is connected. `sign`: by what a model on a port or a bus is recognised, where it can be. `link`: on a port,
    what a connection's bytes mean, by the settings. `line`: its simulator on a pty; `line_settings`: what to write besides the port, as TOML, to read that. `twin`: the simulated model, where it has one.
    `still`: how long its link lets it say the same before it is taken to hang, where it measures all the time. `wrong`: the keys of settings
    that are no mistake of one value alone, and what to write. `takes`: of a simulated one, raises WrongUse for a card or code that cannot
    be laid on it or held before it.
    """

    name: str
    kind: Kind
    what: str
    unit: str
    source: str
    settings: type[Any]
    build: Callable[[str, Any, Bench], Any]
    claims: Callable[[Any], tuple[str, ...]] = claims_nothing
    about: str = ""
    wiring: Wiring | None = None
    sign: "Callable[[], Sign | I2cSign] | None" = None
    link: "Callable[[Any], Callable[[int], Link]] | None" = None
    line: "Callable[[str, Setup], SerialLine] | None" = None
    line_settings: Mapping[str, str] = field(default_factory=dict)
    twin: Twin | None = None
    still: Still | None = None
    wrong: Callable[[Any], Iterable[tuple[str, str]]] = nothing_wrong
    takes: Callable[[str], None] = takes_anything

    @property
    def meaning(self) -> str:
        """What it is, for who writes a gate's file."""
        return self.about or " ".join((getdoc(self.settings) or "").split())

    @property
    def simulated(self) -> "Model | None":
        """Its twin, as a model of its own: `simulated-` and the name (of pins: without `gpio-`)."""
        if self.twin is None:
            return None
        return Model(
            name=f"{SIMULATED}{self.name.removeprefix('gpio-')}",
            kind=self.kind,
            what=f"The driver of {self.name}, before a simulator",
            unit=self.unit,
            source=f"as {self.name}",
            settings=self.twin.settings,
            build=self.twin.build,
            claims=self.twin.claims,
            about=self.twin.about,
            takes=self.twin.takes,
        )


def by_name(*declared: Model) -> Iterator[tuple[str, Model]]:
    """Each with its twin behind it. Raises ValueError for two of one name."""
    seen: set[str] = set()
    for model in (each for real in declared for each in (real, real.simulated) if each is not None):
        if model.name in seen:
            raise ValueError(f"two models of the catalogue (drivers/catalogue.py) are called {model.name!r}")
        seen.add(model.name)
        yield model.name, model
