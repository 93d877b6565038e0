"""Contacts, beams and relays on pins of the Pi."""

from typing import Final

from drivers.interfaces import Contact, Output, PassageSensor
from drivers.model import Kind, Model, Twin
from drivers.settings import (
    AnyPinSettings,
    BeamPairSettings,
    InputSettings,
    OutputSettings,
    SimulatedBeamPairSettings,
    SimulatedInputSettings,
    SimulatedOutputSettings,
)
from drivers.simulators.bench import Bench
from drivers.wiring import Wiring


def _input(name: str, settings: InputSettings, _bench: Bench) -> Contact:
    from drivers.contacts import GpioContact

    return GpioContact(name, settings)


def _simulated_input(name: str, settings: SimulatedInputSettings, bench: Bench) -> Contact:
    from drivers.contacts import GpioContact

    bench.set_active(settings.wiring, active=False)
    return GpioContact(name, settings.wiring, bench.pins)


def _beam_pair(name: str, settings: BeamPairSettings, _bench: Bench) -> PassageSensor:
    from drivers.beam_pair import BeamPair

    return BeamPair(name, settings)


def _simulated_beam_pair(name: str, settings: SimulatedBeamPairSettings, bench: Bench) -> PassageSensor:
    from drivers.beam_pair import BeamPair

    for wiring in settings.wiring.wirings:
        bench.set_active(wiring, active=False)
    return BeamPair(name, settings.wiring, bench.pins)


def _output(name: str, settings: OutputSettings, _bench: Bench) -> Output:
    from drivers.contacts import GpioOutput

    return GpioOutput(name, settings)


def _simulated_output(name: str, settings: SimulatedOutputSettings, bench: Bench) -> Output:
    from drivers.contacts import GpioOutput

    return GpioOutput(name, settings.wiring, bench.pins)


def _pin(settings: AnyPinSettings) -> tuple[str, ...]:
    return (f"pin {settings.pin}",)


def _beams(settings: BeamPairSettings | SimulatedBeamPairSettings) -> tuple[str, ...]:
    return (f"pin {settings.outer}", f"pin {settings.inner}")


GPIO_INPUT: Final = Model(
    name="gpio-input",
    kind=Kind.CONTACT,
    what="A contact, button or sensor on a pin of the Pi: posts Level, debounced, first the one at start",
    unit="active or not",
    source='hardware notes 4; gpiozero\'s manual, "Pins"',
    settings=InputSettings,
    build=_input,
    claims=_pin,
    wiring=Wiring(
        summary="a dry contact between a pin and GND, closed at rest",
        joins={"one side": "a pin, such as GPIO 27", "other side": "GND"},
        power="none: a contact; a sensor with an output of its own (12 V) only through an optocoupler",
        level="3.3 V at most: nothing but a dry contact or an open collector straight to a pin",
        example={"pin": "27", "pull": '"up"', "active": '"high"', "debounce_s": "0.05"},
        use="door-contact",
        notes=(
            'A loop that is closed at rest, with pull = "up" and active = "high", reads a cut wire as active.',
            "2 and 3 are always pulled up; 14 and 15 are the serial port's; 0 and 1 the HAT's own.",
            "A wire that leaves the cabinet: 1 kΩ in series, and a suppressor diode to ground.",
        ),
        source="hardware notes 4; the protection is general knowledge",
    ),
    twin=Twin(settings=SimulatedInputSettings, build=_simulated_input, claims=_pin),
)

GPIO_BEAM_PAIR: Final = Model(
    name="gpio-beam-pair",
    kind=Kind.PASSAGE_SENSOR,
    what="Two light beams in a passage, on two pins of the Pi: posts Crossed, once for each body that goes through",
    unit="in or out",
    source='hardware notes 4; gpiozero\'s manual, "Pins"',
    settings=BeamPairSettings,
    build=_beam_pair,
    claims=_beams,
    wiring=Wiring(
        summary="two light beams across the lane, one behind the other, each an open collector or a dry contact",
        joins={"outer": "a pin, such as GPIO 20", "inner": "a pin, such as GPIO 21", "other sides": "GND"},
        power="the beams' own supply (12 or 24 V): never into a pin",
        level="3.3 V at most: nothing but a dry contact or an open collector straight to a pin",
        example={"outer": "20", "inner": "21"},
        use="beam-pair",
        notes=(
            "10 cm apart, at hip height: closer than half a body is deep (docs/wiring.md).",
            "A beam that stays covered is told as stale, and is no passage.",
        ),
        source="hardware notes 4; the distance follows from how a body covers both",
    ),
    twin=Twin(settings=SimulatedBeamPairSettings, build=_simulated_beam_pair, claims=_beams),
)

GPIO_OUTPUT: Final = Model(
    name="gpio-output",
    kind=Kind.OUTPUT,
    what="A relay, lamp or siren on a pin of the Pi, at rest from the start",
    unit="on or off",
    source='hardware notes 4 and 10; gpiozero\'s manual, "Pins"',
    settings=OutputSettings,
    build=_output,
    claims=_pin,
    wiring=Wiring(
        summary="a relay board's input, with a resistor that holds it at rest",
        joins={
            "IN": "a pin, such as GPIO 22",
            "GND": "GND",
            "VCC": "5 V of a supply that bears the relays, not a pin of 3.3 V",
            "10 kΩ": 'from the pin to GND (to 3.3 V for active = "low"): rest, while no gate runs',
        },
        power="a pin bears 16 mA, a coil takes more: always through a relay board or a transistor",
        level="3.3 V out: a relay board that wants 5 V at its input needs a level shifter",
        example={"pin": "22", "active": '"high"'},
        use="lock",
        notes=(
            "Choose a pin that is at rest when the Pi starts, or the relay pulls for a moment: one of GPIO 9 to 27, which are low; "
            'for a board that is switched on by low (active = "low"), one of GPIO 4 to 8, which are high.',
            "The lock has a supply of its own, with break-glass and fire contact in it.",
            "A diode across the coil of a lock for direct current.",
        ),
        source="hardware notes 4 and 10; pins at boot and current are general knowledge",
    ),
    twin=Twin(settings=SimulatedOutputSettings, build=_simulated_output, claims=_pin),
)
