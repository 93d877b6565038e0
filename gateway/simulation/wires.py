"""What can be damaged at a gate whose devices are simulated, by the use of each device."""

from collections.abc import Mapping
from typing import Any

from drivers.simulators.doorway import Doorway


class Wires:
    """Damages and mends. `ends`: simulators by their use; what is none of them is an input of the `door`, or nothing. A simulator that
    has no such damage is left alone."""

    def __init__(self, door: Doorway, ends: Mapping[str, Any]) -> None:
        self._door = door
        self._ends = ends

    def cut(self, use: str) -> None:
        """Its wire is cut."""
        self._do("cut_wire", use)

    def stick(self, use: str) -> None:
        """It hangs, or has jammed: it goes on as it is."""
        self._do("stick", use)

    def mend(self, use: str) -> None:
        """It is as new."""
        self._do("mend", use)

    def _do(self, what: str, use: str) -> None:
        end = self._ends.get(use)
        if end is None:
            getattr(self._door, what)(use)
        elif hasattr(end, what):
            getattr(end, what)()
