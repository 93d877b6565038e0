"""Who went which way, from two beams one behind the other. Pure: levels come with their own times.

Theory of operation. The beams hang closer together than a body is deep, so that somebody who walks through breaks the near one,
then both, then the far one alone, then none: that is a crossing. Whoever turns back takes the same way back and is none. While
somebody still breaks the far beam alone, the near one may be broken again: by the next one, close behind, or by the same body that
turns round. When the far beam then comes free about as soon as a body takes from beam to beam, the first has gone on and that is
the next one; who turns round has first to come back by nearly their own depth, and takes longer.

`near` and `far` are meant from where the body came. A beam that stays broken is a fault and counts nobody, until both have been
free again; so is it at the start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LEAST_MS: Final = 8  # from beam to beam; a quicker one is no body: both lost their light
SOON_MS: Final = 1500  # to turn round takes longer than the next one's coming, however slow they walk
SLOWER: Final = 2  # so many times slower than at the first beam somebody may be at the second


class Beam(StrEnum):
    """Which beam."""

    OUTER = "outer"
    INNER = "inner"

    @property
    def other(self) -> "Beam":
        """The one beside it."""
        return Beam.INNER if self is Beam.OUTER else Beam.OUTER


class Stage(StrEnum):
    """Where the body in the passage stands."""

    UNKNOWN = "unknown"  # until both beams are free
    NOBODY = "nobody"
    NEAR = "near"  # the near beam alone is broken
    BOTH = "both"
    FAR = "far"  # the far one alone: nearly through
    BEHIND = "behind"  # the near one was broken again meanwhile: the next one, or the same who turns round


class Edge(StrEnum):
    """What a beam did."""

    NEAR_BROKEN = "near broken"
    NEAR_FREE = "near free"
    FAR_BROKEN = "far broken"
    FAR_FREE = "far free"


_S, _E = Stage, Edge
TABLE: Final[Mapping[Stage, Mapping[Edge, Stage]]] = {
    _S.UNKNOWN: {},
    _S.NOBODY: {_E.NEAR_BROKEN: _S.NEAR},
    _S.NEAR: {_E.NEAR_FREE: _S.NOBODY, _E.FAR_BROKEN: _S.BOTH},
    _S.BOTH: {_E.NEAR_FREE: _S.FAR, _E.FAR_FREE: _S.NEAR},
    _S.FAR: {_E.FAR_FREE: _S.NOBODY, _E.NEAR_BROKEN: _S.BEHIND},
    _S.BEHIND: {_E.FAR_FREE: _S.NEAR, _E.NEAR_FREE: _S.FAR},
}
_GONE: Final = ((_S.FAR, _E.FAR_FREE), (_S.BEHIND, _E.FAR_FREE))
"""Where somebody may have gone through."""


@dataclass(slots=True)
class _Body:
    """When it came to the near beam, to the far one, and left the near one; `next_ms`: when the near one was broken again."""

    near_ms: int
    far_ms: int = 0
    left_ms: int = 0
    next_ms: int = 0


class Crossings:
    """Follows the two. Times in monotonic ms; a level is True for a broken beam. `stuck_ms`: broken for so long is a fault."""

    def __init__(self, broken: Mapping[Beam, bool], now_ms: int, stuck_ms: int) -> None:
        self._broken = dict(broken)
        self._since = dict.fromkeys(Beam, now_ms)
        self._stuck_ms = stuck_ms
        self._near = Beam.OUTER
        self._body = _Body(now_ms)
        self.stage = Stage.UNKNOWN if any(broken.values()) else Stage.NOBODY

    def level(self, beam: Beam, broken: bool, at_ms: int) -> bool | None:
        """A beam is broken or free since then. True: somebody went in by it; False: out; None: neither."""
        if broken is self._broken[beam]:
            return None
        self._broken[beam], self._since[beam] = broken, at_ms
        if self.stage is Stage.UNKNOWN:
            self.stage = Stage.UNKNOWN if any(self._broken.values()) else Stage.NOBODY
            return None
        if self.stage is Stage.NOBODY:
            self._near, self._body = beam, _Body(at_ms)
        return self._move(_edge(beam is self._near, broken), at_ms)

    def stuck(self, now_ms: int) -> Beam | None:
        """The beam that has been broken for so long that it is a fault."""
        long = (beam for beam in Beam if self._broken[beam] and now_ms - self._since[beam] >= self._stuck_ms)
        beam = next(long, None)
        if beam is not None:
            self.stage = Stage.UNKNOWN
        return beam

    def stuck_at_ms(self) -> int | None:
        """When a beam that is broken now will be a fault; None: none is."""
        since = [self._since[beam] for beam in Beam if self._broken[beam]]
        return min(since) + self._stuck_ms if since else None

    def _move(self, edge: Edge, at_ms: int) -> bool | None:
        before, body = self.stage, self._body
        self.stage = TABLE[before][edge]
        went = (before, edge) in _GONE and self._went(body, before, at_ms)
        match self.stage, edge:
            case Stage.BOTH, Edge.FAR_BROKEN:
                body.far_ms = at_ms
            case Stage.FAR, Edge.NEAR_FREE:
                body.left_ms = at_ms
            case Stage.BEHIND, _:
                body.next_ms = at_ms
            case Stage.NEAR, Edge.FAR_FREE if went:
                self._body = _Body(body.next_ms)
        return (self._near is Beam.OUTER) if went else None

    @staticmethod
    def _went(body: _Body, before: Stage, at_ms: int) -> bool:
        came_ms, went_ms = body.far_ms - body.near_ms, at_ms - body.left_ms
        if came_ms < LEAST_MS or went_ms < LEAST_MS:
            return False
        return before is Stage.FAR or went_ms <= min(SLOWER * came_ms, SOON_MS)


def _edge(near: bool, broken: bool) -> Edge:
    if near:
        return Edge.NEAR_BROKEN if broken else Edge.NEAR_FREE
    return Edge.FAR_BROKEN if broken else Edge.FAR_FREE
