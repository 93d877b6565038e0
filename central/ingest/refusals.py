"""What came from outside and was not taken: counted, and logged once for each gate and minute."""

import logging
from collections import Counter
from datetime import datetime, timedelta

_LOGGER = logging.getLogger("menshen.ingest")
_AGAIN = timedelta(minutes=1)
_MAX_NAMES = 1000  # gates whose names are told apart; more are counted together


class Refused(Exception):
    """A payload that is not taken: why, in words."""


class Refusals:
    """Counts by gate; the log is told at most once a minute for each, with the number since."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._told: dict[str, datetime] = {}
        self._since: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many were refused since the start."""
        return self.counts.total()

    def refuse(self, gate: str, reason: str, now: datetime) -> None:
        """Count one."""
        self._count(gate, reason, now, None)

    def fault(self, gate: str, what: str, fault: Exception, now: datetime) -> None:
        """Count one that could not be read or written by a fault of ours, which the log is shown whole."""
        self._count(gate, f"it could not be {what}: {fault!r}", now, fault)

    def _count(self, gate: str, reason: str, now: datetime, fault: Exception | None) -> None:
        if gate not in self.counts and len(self.counts) >= _MAX_NAMES:
            gate = "(others)"
        self.counts[gate] += 1
        self._since[gate] += 1
        told = self._told.get(gate)
        if told is None or now - told >= _AGAIN:
            _LOGGER.warning(
                "gate %s: %d message(s) refused; the last: %s", gate, self._since[gate], reason, exc_info=fault
            )
            self._told[gate] = now
            self._since[gate] = 0
