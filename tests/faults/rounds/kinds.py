"""What a kind of fault is, and what is found after one round of it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """After a round, everything running again and the link healed. `records`: of the journal; `lost`: of these and of what
    the gate had promised (doors opened, records acknowledged) and no office has, or no journal where the office is not
    concerned, and no missing range explains; `doubled`: what the office shows more than once; `broken`: why a chain does
    not verify, "" when it does."""

    records: int
    lost: int
    doubled: int
    broken: str = ""

    @property
    def sound(self) -> bool:
        """Nothing lost, nothing doubled, every chain whole."""
        return not self.lost and not self.doubled and not self.broken


Round = Callable[[random.Random, Path], Found]
"""One round in a folder of its own: everything random comes from the generator. Ends whatever it has started."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `play`: a round of it. `control`: the same with a protection taken away (`without` says which),
    which must be found out within `control_rounds` rounds, or the kind proves nothing. `why_not`: why it cannot be played on
    this machine, "" where it can. `weight`: how often it comes among the others."""

    name: str
    play: Round
    control: Round
    without: str
    why_not: Callable[[], str] = lambda: ""
    control_rounds: int = 10
    weight: int = 1


Kinds = Sequence[Kind]
