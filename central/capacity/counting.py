"""What each gate of a site is told of the others, and when it is time to tell it. Pure.

Theory of operation. A gate believes what it was told of the others for `capacity.site_max_age_s` and no longer, so what has not
changed is told again before that; and what changes all the time is told every 5 s and no oftener, since each telling is a new
version of the site's directory. All rows of a site are told together: they are of one moment.
"""

from collections.abc import Mapping
from typing import Final

from sync.contract.directory import Elsewhere

AT_MOST_EVERY_MS: Final = 5_000
BOUND: Final = 1_000_000  # as a row of the directory takes


def elsewhere(inside: Mapping[str, int]) -> dict[str, int]:
    """For each gate, how many are inside by the others. `inside`: what each gate said last of itself."""
    everybody = sum(inside.values())
    return {gate: min(max(everybody - own, -BOUND), BOUND) for gate, own in inside.items()}


def is_due(wanted: Mapping[str, int], standing: Mapping[str, Elsewhere | None], now_ms: int, again_ms: int) -> bool:
    """Whether to tell `wanted` now, where `standing` was told (None: a row that says nothing). `again_ms`: how long what has not
    changed stands."""
    told = [row.at_ms for row in standing.values() if row is not None]
    age_ms = now_ms - max(told, default=0)
    if 0 <= age_ms < AT_MOST_EVERY_MS:
        return False
    same = {gate: None if row is None else row.inside for gate, row in standing.items()} == wanted
    return bool(wanted or standing) and (not same or not 0 <= age_ms < again_ms)
