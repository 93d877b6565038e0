"""How full each site is, for the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from central.capacity.limits import WARN, SiteLimits, limits_by_site
from central.registry.models import Gate


@dataclass(frozen=True, slots=True)
class Fullness:
    """So many inside of so many. `most`: 0 = no limit that is known here. `level`: `room`, `nearly`, `full`, or `unlimited`."""

    inside: int
    most: int
    level: str

    @property
    def percent(self) -> int:
        """How much of the limit is used; 0 without one."""
        return 100 * max(0, self.inside) // self.most if self.most else 0

    @property
    def left(self) -> int:
        """How many more may come in."""
        return max(0, self.most - self.inside)


@dataclass(frozen=True, slots=True)
class GateCount:
    """One gate's part. `fullness`: by its own limit, where the site is not counted as one."""

    gate: Gate
    online: bool
    fullness: Fullness | None


@dataclass(frozen=True, slots=True)
class SiteCount:
    """A site. `together`: its gates are counted as one; `old`: gates that are offline, whose last number still counts."""

    site: str
    together: bool
    fullness: Fullness
    gates: Sequence[GateCount]
    old: Sequence[Gate]


def level(inside: int, most: int, warn_percent: int) -> str:
    """As the gates reckon it."""
    if not most:
        return "unlimited"
    if inside >= most:
        return "full"
    return "nearly" if 100 * inside >= warn_percent * most else "room"


def site_counts(now: datetime) -> list[SiteCount]:
    """Every site that has gates, by name. Raises what the database raises."""
    limits = limits_by_site()
    gates = Gate.objects.filter(admitted=True).exclude(site="").order_by("site", "pk")
    return [
        _site(site, list(some), limits.get(site, SiteLimits({})), now)
        for site, some in groupby(gates, key=lambda gate: gate.site)
    ]


def _site(site: str, gates: Sequence[Gate], limits: SiteLimits, now: datetime) -> SiteCount:
    inside = max(0, sum(gate.inside for gate in gates))
    together = limits.together or len(gates) == 1
    most = limits.most() if limits.together else limits.most(gates[0].pk) if together else 0
    counts = [
        GateCount(gate, gate.is_online(now), None if together else _fullness(gate.inside, limits, gate.pk))
        for gate in gates
    ]
    old = [each.gate for each in counts if not each.online and each.gate.boot]
    whole = Fullness(inside, most, level(inside, most, int(limits.number(WARN))))
    return SiteCount(site, limits.together, whole, counts, old)


def _fullness(inside: int, limits: SiteLimits, gate: str) -> Fullness:
    most = limits.most(gate)
    return Fullness(inside, most, level(inside, most, int(limits.number(WARN, gate))))
