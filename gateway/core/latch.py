"""Whether the lock holds the door that it should: a strike whose bolt did not fall, a magnet that something keeps off.

Theory of operation. While the leaf is shut and the lock at rest, the latch monitor says that it holds. If it does not for
`unlatched_after_s`, that is an alarm, which is over when it holds again or the door is opened. A monitor that is lost says nothing.
"""

from gateway.core.policy import PortalPolicy
from gateway.core.tables import seconds


class Latch:
    """Follows the monitor. `unlatched`: told, and not over."""

    def __init__(self, policy: PortalPolicy) -> None:
        self._policy = policy
        self._free = False
        self._since_ms: int | None = None  # since when it should hold and does not
        self.unlatched = False

    def adopt(self, policy: PortalPolicy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def monitor(self, *, free: bool) -> None:
        """What the monitor says: whether nothing holds the door."""
        self._free = free

    def lost(self) -> None:
        """The monitor is lost: what it last said is no longer known."""
        self._free = False

    def look(self, now_ms: int, *, should_hold: bool) -> bool | None:
        """Whether it has become unlatched (True), or is so no more (False); None: nothing new. After whatever may have changed."""
        if not (self._free and should_hold):
            self._since_ms = None
        elif self._since_ms is None:
            self._since_ms = now_ms
        since_ms = self._since_ms
        unlatched = since_ms is not None and now_ms >= since_ms + seconds(self._policy.unlatched_after_s)
        if unlatched is self.unlatched:
            return None
        self.unlatched = unlatched
        return unlatched

    def deadline(self) -> int | None:
        """When it wants to be looked at again."""
        if self._since_ms is None or self.unlatched:
            return None
        return self._since_ms + seconds(self._policy.unlatched_after_s)
