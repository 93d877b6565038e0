"""All targets by name. A new decoder is a row in one of these modules."""

from tests.fuzz import credentials, pictures, readers, thermometers, wires
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (*credentials.TARGETS, *wires.TARGETS, *thermometers.TARGETS, *readers.TARGETS, *pictures.TARGETS)
}
