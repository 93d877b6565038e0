"""Card readers with a Wiegand output, on two pins."""

from typing import Final

from drivers.interfaces import CardReader
from drivers.model import Kind, Model, Twin
from drivers.settings import SimulatedWiegandSettings, WiegandSettings
from drivers.simulators.bench import Bench
from drivers.wiring import Wiring


def _build(name: str, settings: WiegandSettings, _bench: Bench) -> CardReader:
    from drivers.wiegand import WiegandReader

    return WiegandReader(name, settings)


def _build_twin(name: str, settings: SimulatedWiegandSettings, bench: Bench) -> CardReader:
    from drivers.simulators.wiegand import SimulatedWiegandReader

    return SimulatedWiegandReader(name, settings.wiring, bench.pins)


def _takes(uid: str) -> None:
    from drivers.protocols.wiegand import shortest

    shortest(uid)


def _claims(settings: WiegandSettings | SimulatedWiegandSettings) -> tuple[str, ...]:
    return (f"pin {settings.d0}", f"pin {settings.d1}")


WIEGAND: Final = Model(
    name="wiegand",
    kind=Kind.CARD_READER,
    what="A card reader with a Wiegand output of 26 or 34 bits: posts CardRead, once for a card that lies there",
    unit="a card's number, 8 hexadecimal digits",
    source="hardware notes 3; SIA AC-01-1996.10",
    settings=WiegandSettings,
    build=_build,
    claims=_claims,
    wiring=Wiring(
        summary="D0 and D1 on two pins, each through a level shifter; 12 V supply",
        joins={
            "D0 (green)": "a pin, such as GPIO 20, through a divider or level shifter",
            "D1 (white)": "another, such as GPIO 21, through a divider or level shifter",
            "GND (black)": "GND of its supply and of the Pi, joined",
            "+12 V (red)": "its own supply",
        },
        power="12 V as a rule, from the door's supply and never from the Pi",
        level="5 V on both lines: each through a divider or a level shifter, or the pins are lost",
        example={"d0": "20", "d1": "21"},
        use="entry-reader",
        notes=(
            "Shielded wire, the shield to ground at one end; at most 150 m.",
            "Outside the door, a reader's wires can be reached: the relay of the lock is inside.",
        ),
        source="hardware notes 3 and 10; SIA AC-01-1996.10; colours and length are general knowledge",
    ),
    twin=Twin(settings=SimulatedWiegandSettings, build=_build_twin, claims=_claims, takes=_takes),
)
