"""People who walk through two beams: a body has a depth and a place at each moment, and breaks whatever beam it covers. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from drivers.crossings import Beam

SPACING_M = 0.1  # from beam to beam; the outer one is at 0


@dataclass(frozen=True, slots=True)
class Walker:
    """A body `depth_m` deep along its way. `way`: where its middle is, as (s, m), m growing inwards; it stands still before and
    after."""

    depth_m: float
    way: tuple[tuple[float, float], ...]

    def covers(self, at_m: float) -> Iterator[tuple[float, float]]:
        """When it breaks a beam there: from and until, in seconds, in order."""
        half = self.depth_m / 2
        for (from_s, from_m), (to_s, to_m) in pairwise(self.way):
            if from_m == to_m:
                if abs(from_m - at_m) < half:
                    yield from_s, to_s
                continue
            times = [
                from_s + (edge - from_m) * (to_s - from_s) / (to_m - from_m) for edge in (at_m - half, at_m + half)
            ]
            begins, ends = max(from_s, min(times)), min(to_s, max(times))
            if begins < ends:
                yield begins, ends


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A beam changes."""

    at_s: float
    beam: Beam
    broken: bool


def walk(speed_m_s: float, *, inward: bool, depth_m: float = 0.3, starts_s: float = 0.0) -> Walker:
    """Somebody who walks straight through."""
    from_m, to_m = (-1.0, 1.0) if inward else (1.0, -1.0)
    return Walker(depth_m, ((starts_s, from_m), (starts_s + 2.0 / speed_m_s, to_m)))


def moves(walkers: Sequence[Walker], spacing_m: float = SPACING_M) -> list[Move]:
    """What the beams do while these walk, in order."""
    found: list[Move] = []
    for beam, at_m in ((Beam.OUTER, 0.0), (Beam.INNER, spacing_m)):
        for begins, ends in _joined(span for walker in walkers for span in walker.covers(at_m)):
            found += [Move(begins, beam, True), Move(ends, beam, False)]
    return sorted(found)


def _joined(spans: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Spans that touch are one: a beam that two cover is broken until the second has gone."""
    begun: tuple[float, float] | None = None
    for begins, ends in sorted(spans):
        if begun is not None and begins <= begun[1] + 1e-9:
            begun = begun[0], max(begun[1], ends)
            continue
        if begun is not None:
            yield begun
        begun = begins, ends
    if begun is not None:
        yield begun
