"""What each code scanner and card reader can be told, with unit, range and meaning beside it once."""

from dataclasses import dataclass
from typing import Annotated

from drivers.settings import PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Gm65Settings:
    """A code scanner module GM60, GM65, GM66, GM805 or GM861 on a serial port. Reads QR and bar codes; its rate is found out,
    and what it is set to is set at start: set-up codes closed, each code framed."""

    port: Annotated[str, PORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedGm65Settings:
    """A code scanner module that is a model of one."""
