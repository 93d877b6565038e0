"""Codes of passes on phones that were used: each lets in once, whatever the clock says.

Theory of operation. A phone signs a new code every 30 s, with a counter that grows. Of every pass the highest counter that
a visit read is kept from the visit's end on, however the visit ended: once a code was held up, somebody may have a picture
of it, and its holder has the next one within 30 s. The same counter or a lower one is then refused. Within one visit a
code read again is nothing new, and is not asked about here.

After `KEPT_S` a pass is forgotten and its counter becomes the floor for all of them: no code is good any more that was
signed before that one, also when the gate's clock was set back and would call it fresh. After `FLOOR_S` nothing of that
holds any longer: a clock that was ahead by a year, and was put right, must not keep phones out for a year. These times are
counted on the monotonic clock, and across a restart they begin anew.

A code that was taken while the gate's clock was not trusted may be of any time at all, and its phone may have made that up.
It holds for its own pass alone, for `FLOOR_S`, and is never a floor: else one phone could keep out all others.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

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
    doubtful: tuple[str, ...] = ()


class _Used(NamedTuple):
    counter: int
    at_ms: int
    sure: bool


class UsedCodes:
    """The highest counter used, by pass; the oldest first."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        kept = durable.read(state, _KEY, _Kept, _Kept())
        self._durable: dict[str, bytes] | None = None
        self._floor, self._floor_ms = kept.floor, 0
        self._passes = {
            pass_id: _Used(counter, 0, pass_id not in kept.doubtful) for pass_id, counter in kept.passes.items()
        }

    def start(self, now_ms: int) -> None:
        """Count the time of what an earlier run has left from now on."""
        self._floor_ms = now_ms
        self._passes = {pass_id: used._replace(at_ms=now_ms) for pass_id, used in self._passes.items()}

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
        floor = self._floor if _holds(self._floor_ms, now_ms) else 0
        used = self._passes.get(pass_id)
        return max(floor, used.counter) if used is not None and _holds(used.at_ms, now_ms) else floor

    def use(self, counters: Mapping[str, int], now_ms: int, *, sure: bool = True) -> None:
        """The codes that a visit which ends now has read, by pass. `sure`: by a clock that was trusted."""
        for pass_id, counter in counters.items():
            before = self._passes.pop(pass_id, None)
            known = before is not None and _holds(before.at_ms, now_ms) and before.counter >= counter
            self._passes[pass_id] = before._replace(at_ms=now_ms) if before and known else _Used(counter, now_ms, sure)
        if counters:
            self._forget(now_ms)
            self._durable = None

    def _forget(self, now_ms: int) -> None:
        if not _holds(self._floor_ms, now_ms):
            self._floor = 0
        for pass_id, used in list(self._passes.items()):
            kept_s = KEPT_S if used.sure else FLOOR_S
            if now_ms - used.at_ms <= seconds(kept_s) and len(self._passes) <= MOST:
                continue
            del self._passes[pass_id]
            if used.sure and _holds(used.at_ms, now_ms):
                self._floor, self._floor_ms = max(self._floor, used.counter), now_ms

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        if self._durable is None:
            self._durable = self._encoded()
        return self._durable

    def _encoded(self) -> dict[str, bytes]:
        passes = {pass_id: used.counter for pass_id, used in self._passes.items()}
        doubtful = tuple(pass_id for pass_id, used in self._passes.items() if not used.sure)
        return {_KEY: durable.encode(_Kept(self._floor, passes, doubtful))} if self._floor or passes else {}


def _holds(at_ms: int, now_ms: int) -> bool:
    return now_ms - at_ms <= seconds(FLOOR_S)
