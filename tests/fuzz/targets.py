"""All targets by name. A new decoder is a row in one of these modules; a new model of device has one already."""

from tests.fuzz import credentials, devices, pictures, readers, wires
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *credentials.TARGETS,
        *wires.TARGETS,
        *devices.BY_TRANSCRIPT,
        *devices.TARGETS,
        *pictures.TARGETS,
        *readers.TARGETS,  # instead of those by transcript, for models of these names
    )
}
