"""Codes of passes on phones that were used: each lets in once, whatever the clock says.

Theory of operation. A phone signs a new code every 30 s, with a counter that grows. Of every pass the highest counter that
a visit read is kept from the visit's end on, however the visit ended: once a code was held up, somebody may have a picture
of it, and its holder has the next one within 30 s. The same counter or a lower one is then refused. Within one visit a
code read again is nothing new, and is not asked about here.

After `KEPT_S` a pass is forgotten and its counter becomes the floor for all of them: no code is good any more that was
signed before that one, also when the gate's clock was set back and would call it fresh. After `FLOOR_S` nothing of that
holds any longer: a clock that was ahead by a year, and was put right, must not keep phones out for a year. These times are
counted on the monotonic clock, and across a restart they begin anew.
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from gateway.core import durable
from gateway.core.events import CredentialResolved, Outcome
from gateway.core.tables import seconds

CODE_USED = "code-used"
KEPT_S = 300.0  # well above the time a code is good for
FLOOR_S = 12 * 3600.0
MOST = 512  # passes; beyond that the oldest is forgotten early: more than a door lets through in `KEPT_S`
_KEY = "codes-used"


class _Kept(msgspec.Struct, frozen=True):
    floor: int = 0
    passes: dict[str, int] = {}


class UsedCodes:
    """The highest counter used, by pass; the oldest first."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        kept = durable.read(state, _KEY, _Kept, _Kept())
        self._floor, self._floor_ms = kept.floor, 0
        self._passes = {pass_id: (counter, 0) for pass_id, counter in kept.passes.items()}

    def start(self, now_ms: int) -> None:
        """Count the time of what an earlier run has left from now on."""
        self._floor_ms = now_ms
        self._passes = {pass_id: (counter, now_ms) for pass_id, (counter, _) in self._passes.items()}

    def judged(self, event: CredentialResolved, now_ms: int) -> CredentialResolved:
        """The reading, refused where its code was used before."""
        verdict = event.verdict
        if verdict.outcome is not Outcome.VALID or not verdict.counter:
            return event
        if verdict.counter > self._used_up_to(verdict.credential, now_ms):
            return event
        refused = replace(verdict, outcome=Outcome.INVALID, reason=CODE_USED, serves=frozenset())
        return replace(event, verdict=refused)

    def _used_up_to(self, pass_id: str, now_ms: int) -> int:
        kept = (self._floor, self._floor_ms), self._passes.get(pass_id, (0, now_ms))
        return max((counter for counter, at_ms in kept if _holds(at_ms, now_ms)), default=0)

    def use(self, counters: Mapping[str, int], now_ms: int) -> None:
        """The codes that a visit which ends now has read, by pass."""
        for pass_id, counter in counters.items():
            before, at_ms = self._passes.pop(pass_id, (0, 0))
            self._passes[pass_id] = (max(before, counter) if _holds(at_ms, now_ms) else counter, now_ms)
        if counters:
            self._forget(now_ms)

    def _forget(self, now_ms: int) -> None:
        if not _holds(self._floor_ms, now_ms):
            self._floor = 0
        for pass_id, (counter, at_ms) in list(self._passes.items()):
            if now_ms - at_ms <= seconds(KEPT_S) and len(self._passes) <= MOST:
                return
            del self._passes[pass_id]
            if _holds(at_ms, now_ms):
                self._floor, self._floor_ms = max(self._floor, counter), now_ms

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        passes = {pass_id: counter for pass_id, (counter, _) in self._passes.items()}
        return {_KEY: durable.encode(_Kept(self._floor, passes))} if self._floor or passes else {}


def _holds(at_ms: int, now_ms: int) -> bool:
    return now_ms - at_ms <= seconds(FLOOR_S)
