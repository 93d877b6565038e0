"""How many may be inside (限流): whether one more may, who waits as which number, and when the guard is warned.

Theory of operation. People inside are counted from passages. Where the limit is the whole site's, the office tells how many came
in by the other gates; while that is older than the policy allows, or was never told, this gate goes by its own share of the limit.
Who is refused because it is full gets the next number of the queue, and the same one again until it is full no more.
"""

from typing import Final

from gateway.core.moment import Moment
from gateway.core.policy import Booked, CapacityPolicy
from gateway.core.tables import seconds

FULL, NO_SLOT = "full", "no-slot"
WARNING, REACHED = "nearly-full", "full"
SLACK: Final = 0.05  # of what may be inside, and at least two people where ten or more may
MOST_WAITING: Final = 10_000  # people in the queue who are known by their number


class Capacity:
    """Counts against the limit. `own`: how many this gate let in, less those it let out."""

    def __init__(self, policy: CapacityPolicy) -> None:
        self._policy = policy
        self._elsewhere: int | None = None
        self._told_ms = 0
        self._queue: dict[str, int] = {}
        self._level = ""
        self._judged_by: object = None

    def adopt(self, policy: CapacityPolicy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def told(self, elsewhere: int, at_ms: int, now: Moment) -> None:
        """The office has told how many are inside by the other gates, as it knew at `at_ms`: what this gate finds when it starts may be
        of long ago. A clock that was not set cannot tell how long."""
        age_ms = max(0, now.at_ms - at_ms) if now.trusted else 0
        self._elsewhere, self._told_ms = elsewhere, now.mono_ms - age_ms

    def against(self, own: int, booked: tuple[tuple[int, int], ...], now: Moment) -> str:
        """What speaks against one more: `FULL`, `NO_SLOT`, or ""."""
        has_slot = any(begins <= now.at_ms // 1000 < ends for begins, ends in booked)
        if self._policy.booked is Booked.REQUIRED and not has_slot:
            return NO_SLOT
        reserved = self._policy.booked is Booked.RESERVED and has_slot
        return FULL if self._percent(own, now) >= 100 and not reserved else ""

    def number(self, who: str) -> int:
        """The place in the queue of whoever was refused because it is full."""
        if who not in self._queue and len(self._queue) < MOST_WAITING:
            self._queue[who] = len(self._queue) + 1
        return self._queue.get(who, MOST_WAITING)

    def level(self, own: int, now: Moment) -> str:
        """`WARNING`, `REACHED` or ""; each holds until it is a little below, since people come and go all the time at the limit.
        What was found by another limit, or by the share, holds nothing. Forgets the queue when it is full no more."""
        judged_by = self._policy, self._site_known(now)
        if judged_by != self._judged_by:
            self._judged_by, self._level = judged_by, ""
        used = self._percent(own, now)
        if used < 100:
            self._queue.clear()
        slack = self._slack
        if used >= 100 or (self._level == REACHED and used > 100 - slack):
            self._level = REACHED
        else:
            warn = self._policy.warn_percent
            holds = self._level and used > max(0, warn - slack)
            self._level = WARNING if used >= warn or holds else ""
        return self._level

    @property
    def _slack(self) -> float:
        """Per cent."""
        most = self._policy.most
        return 100 * max(SLACK, 2 / most) if most >= 10 else 0.0

    def _percent(self, own: int, now: Moment) -> float:
        most = self._policy.most
        if not most:
            return 0.0
        if not self._policy.site_wide:
            return 100 * own / most
        if self._elsewhere is not None and self._site_known(now):
            return 100 * (own + self._elsewhere) / most
        share = most * self._policy.share_percent // 100
        return 100 * own / share if share else 100.0

    def _site_known(self, now: Moment) -> bool:
        """Whether what the office told of the other gates is young enough to go by."""
        return self._elsewhere is not None and now.mono_ms - self._told_ms <= seconds(self._policy.site_max_age_s)
