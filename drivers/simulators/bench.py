"""What the simulated devices of one gate share."""

from functools import cached_property
from typing import Any

from drivers.settings import InputSettings


class Bench:
    """`pins`: one gpiozero factory of simulated pins, made on first use; use it first from one thread alone."""

    @cached_property
    def pins(self) -> Any:
        """See drivers.simulators.pins."""
        from drivers.simulators.pins import wired_factory

        return wired_factory()

    def set_active(self, settings: InputSettings, *, active: bool) -> None:
        """Work the switch at an input."""
        from drivers.simulators.pins import set_active

        set_active(self.pins, settings, active=active)
