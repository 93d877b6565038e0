"""Passages: who went through, which way, by whose leave, and how many are inside.

Theory of operation. A release gives leave to pass: a grant to one person one way, the exit button and the guard to as
many as go while the door is open. A crossing uses the first leave that fits. One without leave is for the alarm. Leave
ends when the door is at rest again, and a moment later for somebody whom the beam sees only behind the door.

Where the limit is a whole site's, people may leave by another gate than they came by: then the count is net, and may be below 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core import durable
from sync.contract.records import Direction

GRACE_MS = 2_000  # the beam may stand a step behind the door
ONE_BODY_MS = 500  # one beam broken again within this is the same body: a bag, the other leg
BEHIND_MS = 3_000  # who goes in so soon after somebody with leave went in went with them
MOST_LEAVES = 8  # that wait to be used: a free door may never come to rest
_KEY = "inside"


@dataclass(slots=True)
class Leave:
    """Leave to pass. `once`: for one person; `until_ms`: set when the door is at rest again."""

    direction: Direction
    visit: str
    once: bool
    until_ms: int | None = None
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Crossed:
    """A crossing, understood. `behind`: right behind somebody who went in with leave."""

    direction: Direction
    visit: str
    granted: bool
    holder: str = ""
    behind: bool = False


class Passages:
    """Gives leave, matches crossings, counts."""

    def __init__(self, state: Mapping[str, bytes], *, nets: bool = False) -> None:
        self.inside = durable.read(state, _KEY, int, 0)
        self._nets = nets
        self._went_in_ms: int | None = None
        self._leaves: list[Leave] = []
        self._last = Direction.ENTRY
        self._last_ms: int | None = None

    def adopt(self, *, nets: bool) -> None:
        """Count so from now on."""
        self._nets = nets

    def correct(self, inside: int) -> int:
        """Somebody has counted: so many are inside. How many it was before."""
        before, self.inside = self.inside, inside if self._nets else max(0, inside)
        return before

    @property
    def coming(self) -> int:
        """How many were let in and have not passed yet."""
        return sum(
            leave.once and leave.until_ms is None and leave.direction is Direction.ENTRY for leave in self._leaves
        )

    def give(self, direction: Direction, visit: str = "", *, once: bool, holder: str = "") -> None:
        """Give leave to pass."""
        self._last = direction
        self._leaves = [leave for leave in self._leaves if leave.until_ms is None and leave.once][-MOST_LEAVES:]
        self._leaves.append(Leave(direction, visit, once, holder=holder))

    def take_back(self, direction: Direction, holder: str) -> None:
        """What this holder has not used: they pass once."""
        mine = [leave for leave in self._leaves if holder and leave.holder == holder and leave.direction is direction]
        self._leaves = [leave for leave in self._leaves if leave not in mine]

    def end(self, now_ms: int) -> None:
        """The door is at rest again: whoever crosses the beam when it was open next is another body."""
        self._last_ms = None
        for leave in self._leaves:
            leave.until_ms = now_ms + GRACE_MS if leave.until_ms is None else leave.until_ms

    @property
    def expected(self) -> bool:
        """Whether anybody still has leave who has not passed."""
        return any(leave.until_ms is None for leave in self._leaves)

    def crossing(self, direction: Direction | None, now_ms: int) -> Crossed | None:
        """The beam was crossed; None when it is still the same body."""
        last_ms, self._last_ms = self._last_ms, now_ms
        if direction is None and last_ms is not None and now_ms - last_ms < ONE_BODY_MS:
            return None
        leave = self._use(direction, now_ms)
        if leave is None:
            went = direction or self._last
            behind = went is Direction.ENTRY and self._went_in_ms is not None
            behind = behind and now_ms - (self._went_in_ms or 0) <= BEHIND_MS
            return self._count(Crossed(went, "", granted=False, behind=behind))
        if leave.direction is Direction.ENTRY:
            self._went_in_ms = now_ms
        return self._count(Crossed(leave.direction, leave.visit, granted=True, holder=leave.holder))

    def _use(self, direction: Direction | None, now_ms: int) -> Leave | None:
        self._leaves = [leave for leave in self._leaves if leave.until_ms is None or now_ms < leave.until_ms]
        fitting = [leave for leave in self._leaves if direction in (None, leave.direction)]
        if not fitting:
            return None
        if fitting[0].once:
            self._leaves.remove(fitting[0])
        return fitting[0]

    def _count(self, crossed: Crossed) -> Crossed:
        inside = self.inside + (1 if crossed.direction is Direction.ENTRY else -1)
        self.inside = inside if self._nets else max(0, inside)
        return crossed

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_KEY: durable.encode(self.inside)} if self.inside else {}
