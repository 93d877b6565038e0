"""What a device can be used for at a gate."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from drivers.catalogue import Kind


class Use(StrEnum):
    """The part that a device plays."""

    THERMOMETER = "thermometer"
    ENTRY_READER = "entry-reader"
    EXIT_READER = "exit-reader"
    ENTRY_CAMERA = "entry-camera"
    EXIT_CAMERA = "exit-camera"
    PRESENCE = "presence"
    DOOR_CONTACT = "door-contact"
    LATCH = "latch"
    BEAM = "beam"
    BEAM_PAIR = "beam-pair"
    EXIT_BUTTON = "exit-button"
    FIRE = "fire"
    TAMPER = "tamper"
    CALL = "call"
    ACKNOWLEDGE = "acknowledge"
    LOCK = "lock"
    LAMP_RED = "lamp-red"
    LAMP_YELLOW = "lamp-yellow"
    LAMP_GREEN = "lamp-green"
    SOUNDER = "sounder"
    SPEAKER = "speaker"
    APPROACH = "approach"
    VEHICLE = "vehicle"
    ONE_METRE = "one-metre"
    ALARM_LAMP = "alarm-lamp"


@dataclass(frozen=True, slots=True)
class Part:
    """Which kind of device can play it, what it does, and whether a gate may have several."""

    kind: Kind
    meaning: str
    several: bool = False


PARTS: Final[Mapping[Use, Part]] = {
    Use.THERMOMETER: Part(Kind.THERMOMETER, "measures foreheads"),
    Use.ENTRY_READER: Part(Kind.CARD_READER, "reads the cards of people who come in", several=True),
    Use.EXIT_READER: Part(Kind.CARD_READER, "reads the cards of people who go out", several=True),
    Use.ENTRY_CAMERA: Part(Kind.CODE_SCANNER, "reads the codes of people who come in", several=True),
    Use.EXIT_CAMERA: Part(Kind.CODE_SCANNER, "reads the codes of people who go out", several=True),
    Use.PRESENCE: Part(Kind.CONTACT, "active while somebody stands before the readers"),
    Use.DOOR_CONTACT: Part(Kind.CONTACT, "active while the door is open; wire it so that a cut wire reads as open"),
    Use.LATCH: Part(Kind.CONTACT, "active while nothing holds the door: the bolt is back, or the magnet's plate off"),
    Use.BEAM: Part(Kind.CONTACT, "active while the beam in the passage is broken"),
    Use.BEAM_PAIR: Part(Kind.PASSAGE_SENSOR, "two beams in the passage, which tell who goes in and who goes out"),
    Use.EXIT_BUTTON: Part(Kind.CONTACT, "active while the exit button (REX) is pressed", several=True),
    Use.FIRE: Part(Kind.CONTACT, "active while the fire alarm is on: the door is released"),
    Use.TAMPER: Part(Kind.CONTACT, "active while a housing is open or its loop is cut"),
    Use.CALL: Part(Kind.CONTACT, "active while the call button is pressed", several=True),
    Use.ACKNOWLEDGE: Part(Kind.CONTACT, "active while the guard's button is pressed", several=True),
    Use.APPROACH: Part(Kind.CONTACT, "active while a person is on the way to the gate, or from it"),
    Use.VEHICLE: Part(Kind.CONTACT, "the same for a vehicle"),
    Use.ONE_METRE: Part(Kind.CONTACT, "active while a second person is inside the one-metre line"),
    Use.LOCK: Part(Kind.OUTPUT, "active = released; at rest the door is locked"),
    Use.LAMP_RED: Part(Kind.OUTPUT, "stop"),
    Use.LAMP_YELLOW: Part(Kind.OUTPUT, "wait for the guard"),
    Use.LAMP_GREEN: Part(Kind.OUTPUT, "go"),
    Use.SOUNDER: Part(Kind.OUTPUT, "a siren for alarms"),
    Use.ALARM_LAMP: Part(Kind.OUTPUT, "on while an alarm has been acknowledged by nobody for long"),
    Use.SPEAKER: Part(Kind.SPEAKER, "speaks, and sounds the alarm tones"),
}
