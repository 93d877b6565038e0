"""What stands at this gate: which device has which use, so that the core knows what it can expect to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SENSORS = (
    "thermometer", "entry-reader", "exit-reader", "entry-camera", "exit-camera",
    "presence", "door-contact", "latch", "beam", "beam-pair", "exit-button", "fire", "tamper", "call", "acknowledge",
    "approach", "vehicle", "one-metre",
)  # fmt: skip
"""Uses of devices that report their own state; an output is found lost when it is switched."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """The devices of a gate. `uses`: a device's name → its use. By default: one sensor for every use, named like it."""

    uses: Mapping[str, str] = field(default_factory=lambda: {use: use for use in SENSORS})

    def has(self, use: str) -> bool:
        """Whether some device has this use."""
        return use in self.uses.values()

    def use_of(self, device: str) -> str:
        """What a device is for; "" when it is none of this gate's."""
        return self.uses.get(device, "")

    def reports(self, device: str) -> bool:
        """Whether the device will say by itself that it works again."""
        return self.use_of(device) in SENSORS
