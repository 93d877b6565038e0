"""Who is turned away because the readers are locked out: on record, and nobody can fill the journal by going on.

Theory of operation. The first visit that ends so with nothing good shown is a record like any other. Further ones are counted, and become
one record with their number when a minute is over, and so on, as with everything that is refused. Who shows a pass or card
that is good, or whose plate was noted, has a visit on record, once a minute each: they are known, and there are only so many of them;
and so has whom the guard has registered, and whose phone's code was used up by it, each time.
"""

from gateway.core.attempt import Closed
from gateway.core.findings import LOCKED_OUT
from gateway.core.refusals import AGAIN_S
from gateway.core.tables import seconds
from sync.contract.records import Refused, Step

MOST_KNOWN = 256  # good passes and cards that are told apart within a minute


class TurnedAway:
    """Counts them."""

    def __init__(self) -> None:
        self._since_ms: int | None = None
        self._count = 0
        self._known: dict[str, int] = {}  # a good credential, and when it was last told

    def is_told(self, closed: Closed, now_ms: int) -> bool:
        """Whether the visit is to be on record; it is counted where not."""
        findings = closed.attempt.findings
        if LOCKED_OUT not in closed.decision.reasons or findings.counters:
            return True
        if Step.REGISTRATION in findings.passed and findings.credential is None:
            return True
        if closed.attempt.plate and self._new(f"plate {closed.attempt.plate}", now_ms):
            return True
        told = self._first(now_ms) if findings.credential is None else self._new(findings.credential.credential, now_ms)
        self._count += 0 if told else 1
        if not told and self._since_ms is None:
            self._since_ms = now_ms
        return told

    def _first(self, now_ms: int) -> bool:
        if self._since_ms is not None and (self._count or now_ms - self._since_ms < seconds(AGAIN_S)):
            return False
        self._since_ms = now_ms
        return True

    def _new(self, credential: str, now_ms: int) -> bool:
        self._known = {each: at_ms for each, at_ms in self._known.items() if now_ms - at_ms < seconds(AGAIN_S)}
        if credential in self._known or len(self._known) >= MOST_KNOWN:
            return False
        self._known[credential] = now_ms
        return True

    def deadline(self) -> int | None:
        """When a record is due."""
        return self._since_ms + seconds(AGAIN_S) if self._count and self._since_ms is not None else None

    def due(self, now_ms: int) -> Refused | None:
        """The record that is due."""
        deadline = self.deadline()
        if deadline is None or now_ms < deadline:
            return None
        self._since_ms, counted, self._count = now_ms, self._count, 0
        return Refused(what="reader", reason=LOCKED_OUT, count=counted)
