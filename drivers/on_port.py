"""A model on a serial port: what follows from its link and its simulator."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from drivers.model import Kind, Model, Twin, claims_port, nothing_wrong, takes_anything
from drivers.protocols.stillness import TENTHS, Still
from drivers.settings import NoSettings, PortSettings, SimulatedThermometerSettings
from drivers.simulators.bench import Bench
from drivers.wiring import Wiring

if TYPE_CHECKING:
    from drivers.serial_device import Link
    from drivers.signs import Sign
    from drivers.simulators.line import SerialLine
    from drivers.simulators.setup import Setup

LinkOf = Callable[[Any], "Callable[[int], Link]"]
"""By the settings: what makes a connection's link, with the time it began (`drivers.serial_device.Link`)."""


def on_port(
    *,
    name: str,
    kind: Kind,
    what: str,
    unit: str,
    source: str,
    about: str = "",
    settings: type[Any] = PortSettings,
    link: LinkOf,
    simulator: "Callable[[str, Setup], SerialLine]",
    wiring: Wiring,
    sign: "Callable[[], Sign]",
    still: Still | None = None,
    wrong: Callable[[Any], Iterable[tuple[str, str]]] = nothing_wrong,
    twin_about: str = "",
    twin_settings: type[Any] | None = None,
    twin_link: LinkOf | None = None,
    twin_takes: Callable[[str], None] = takes_anything,
    line_settings: Mapping[str, str] | None = None,
) -> Model:
    """The model; see Model. `simulator`: makes its line, by what it is set to. `twin_…`: of the simulated one, where it differs: it is
    told its surroundings when it is a thermometer, and nothing else."""
    measures = kind is Kind.THERMOMETER
    told = SimulatedThermometerSettings if measures else NoSettings

    def build(name: str, settings: Any, _bench: Bench) -> Any:
        from drivers.serial_device import SerialDevice

        return SerialDevice(name, settings.port, link(settings), parity=getattr(settings, "parity", "none")[0].upper())

    def build_twin(name: str, settings: Any, _bench: Bench) -> Any:
        from drivers.simulators.serial_device import SimulatedSerialDevice
        from drivers.simulators.setup import setup_of

        return SimulatedSerialDevice(name, simulator(name, setup_of(settings)), (twin_link or link)(settings))

    return Model(
        name=name,
        kind=kind,
        what=what,
        unit=unit,
        source=source,
        about=about,
        settings=settings,
        build=build,
        claims=claims_port,
        wiring=wiring,
        sign=sign,
        link=link,
        line=simulator,
        line_settings=line_settings or {},
        twin=Twin(settings=twin_settings or told, build=build_twin, about=twin_about, takes=twin_takes),
        still=still or (TENTHS if measures else None),
        wrong=wrong,
    )
