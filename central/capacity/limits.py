"""What the office's policy says of a site's capacity. A value in a gate's own file is not known here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from central.holders.models import PolicyValue

LIMIT, PERCENT, WARN, SITE_WIDE, MAX_AGE = (
    f"capacity.{key}" for key in ("limit", "percent", "warn_percent", "site_wide", "site_max_age_s")
)
_AS_GATES_HAVE_IT: Final[Mapping[str, float]] = {LIMIT: 0, PERCENT: 100, WARN: 80, SITE_WIDE: False, MAX_AGE: 120.0}


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """The values of one site by gate and key; the gate "" stands for all."""

    values: Mapping[tuple[str, str], float]

    def number(self, key: str, gate: str = "") -> float:
        """A gate's own value, or that for all, or a gate's default."""
        return self.values.get((gate, key), self.values.get(("", key), _AS_GATES_HAVE_IT[key]))

    def most(self, gate: str = "") -> int:
        """So many may be inside; 0: no limit."""
        limit = int(self.number(LIMIT, gate))
        return max(1, limit * int(self.number(PERCENT, gate)) // 100) if limit > 0 else 0

    @property
    def together(self) -> bool:
        """Whether any gate counts the whole site."""
        return any(value for (_, key), value in self.values.items() if key == SITE_WIDE)

    @property
    def max_age_s(self) -> float:
        """How long the most impatient gate believes what it was told, in seconds."""
        named = [value for (_, key), value in self.values.items() if key == MAX_AGE]
        return min(named, default=_AS_GATES_HAVE_IT[MAX_AGE])


def limits_by_site() -> dict[str, SiteLimits]:
    """Of every site that has such values. Raises what the database raises."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for row in PolicyValue.objects.filter(key__in=_AS_GATES_HAVE_IT):
        try:
            value = msgspec.json.decode(row.value, type=bool | int | float)
        except msgspec.DecodeError:
            continue  # a gate refuses it, and says so
        found.setdefault(row.site, {})[row.gate, row.key] = value
    return {site: SiteLimits(values) for site, values in found.items()}
