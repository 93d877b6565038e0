"""Anti-passback: a credential that has let somebody in lets nobody in again before it has let them out (IEC 60839-11-1).

Theory of operation. Of every holder it is kept on which side they are, and since which minute: 12 bytes each, in 256 buckets by
the first of them, so that a passage rewrites one bucket of the durable state. Who was never seen may be on either side. A
bucket that is full forgets whom it has not seen for the longest time: that one is then on either side again.
"""

import hashlib
import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.core import durable
from gateway.core.moment import Moment
from gateway.core.policy import AntiPassback, PortalPolicy
from sync.contract.records import Direction

ALREADY_INSIDE, ALREADY_OUTSIDE = "already-inside", "already-outside"
MOST_IN_BUCKET: Final = 256
_PREFIX: Final = "passback-"
_ENTRY: Final = struct.Struct(">QI")
_INSIDE: Final = 1 << 31  # in the minute's field; the rest are minutes since 1970, which are enough until the year 6053


class _Side(NamedTuple):
    inside: bool
    minute: int


class Passback:
    """Where each holder is, as far as it is known."""

    def __init__(self, policy: PortalPolicy, state: Mapping[str, bytes]) -> None:
        self._policy = policy
        self._kept = {key: value for key, value in state.items() if key.startswith(_PREFIX)}
        self._buckets = {key: _unpacked(key, value) for key, value in self._kept.items()}

    def adopt(self, policy: PortalPolicy) -> None:
        """Go by this from now on."""
        self._policy = policy

    def against(self, direction: Direction, holder: str, now: Moment) -> str:
        """What speaks against a passage by this holder: a reason, or ""."""
        if self._policy.anti_passback is AntiPassback.OFF or not holder:
            return ""
        key, number = _place(holder)
        side = self._buckets.get(key, {}).get(number)
        if side is None:
            return ""
        if self._policy.anti_passback is AntiPassback.TIMED:
            fresh = 0 <= _minute(now) - side.minute < self._policy.anti_passback_min
            return ALREADY_INSIDE if direction is Direction.ENTRY and side.inside and fresh else ""
        if direction is Direction.ENTRY:
            return ALREADY_INSIDE if side.inside else ""
        return "" if side.inside else ALREADY_OUTSIDE

    def passed(self, direction: Direction, holder: str, now: Moment) -> None:
        """This holder has passed."""
        if self._policy.anti_passback is AntiPassback.OFF or not holder:
            return
        key, number = _place(holder)
        bucket = self._buckets.setdefault(key, {})
        bucket.pop(number, None)  # the last one seen stands last
        bucket[number] = _Side(direction is Direction.ENTRY, _minute(now))
        while len(bucket) > MOST_IN_BUCKET:
            del bucket[next(iter(bucket))]
        packed = b"".join(
            _ENTRY.pack(each, side.minute | (_INSIDE if side.inside else 0)) for each, side in bucket.items()
        )
        self._kept = self._kept | {key: durable.encode(packed)}  # a new one: what was given stays as it was

    def forgive(self) -> None:
        """Everybody may be on either side again: the guard has counted, or there was a fire."""
        self._kept, self._buckets = {}, {}

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return self._kept


def _place(holder: str) -> tuple[str, int]:
    digest = hashlib.blake2s(holder.encode(), digest_size=8).digest()
    return f"{_PREFIX}{digest[0]:02x}", int.from_bytes(digest)


def _minute(now: Moment) -> int:
    return max(0, now.at_ms // 60_000) % _INSIDE


def _unpacked(key: str, value: bytes) -> dict[int, _Side]:
    packed = durable.decode(key, value, bytes)
    if len(packed) % _ENTRY.size:
        raise durable.StateError(f"durable state {key!r}: {len(packed)} bytes are no list of holders")
    return {number: _Side(bool(minute & _INSIDE), minute & ~_INSIDE) for number, minute in _ENTRY.iter_unpack(packed)}
