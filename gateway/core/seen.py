"""The cards that were read at this gate: the first time of each is a record of its own.

Theory of operation. Of every card 8 bytes are kept, in 256 buckets by the first of them, so that a new card rewrites one
bucket of the durable state and not all. There are two books: one of the cards that the gate's directory lists, one of all
others. Each has its bound. What is full takes nothing in any more and gives nothing up: no card has its record twice, and
whoever cycles through made-up numbers fills the book of strangers and displaces nobody. The record that filled a book
says so; from then on a new card of that sort is in its visit's record alone.
"""

import hashlib
import struct
from array import array
from bisect import bisect_left
from collections.abc import Mapping

from gateway.core import durable
from gateway.core.events import CredentialResolved, Outcome
from sync.contract.records import CardSeen

MOST_LISTED, MOST_STRANGERS = 131_072, 32_768  # cards; 8 bytes each in memory, and 11 in the durable state
_NO_WORD_OF_IT = frozenset({Outcome.UNKNOWN, Outcome.UNCHECKED})  # the directory does not list it, or could not say


class Seen:
    """Both books."""

    def __init__(self, state: Mapping[str, bytes], listed: int = MOST_LISTED, strangers: int = MOST_STRANGERS) -> None:
        self._listed = _Book("cards-listed", listed, state)
        self._strangers = _Book("cards-other", strangers, state)
        self._durable = self._listed.kept | self._strangers.kept

    def first_time(self, event: CredentialResolved, portal: str) -> CardSeen | None:
        """The record of a card that was never read here before; None for every other, and for what is no card."""
        verdict = event.verdict
        if verdict.kind != "card" or not verdict.credential:
            return None
        card = hashlib.blake2s(verdict.credential.encode(), digest_size=8).digest()
        if card in self._listed or card in self._strangers:
            return None
        book = self._strangers if verdict.outcome in _NO_WORD_OF_IT else self._listed
        if book.full:
            return None
        book.add(card)
        self._durable = self._listed.kept | self._strangers.kept  # a new one: what was given stays as it was
        return CardSeen(
            portal=portal,
            card=verdict.credential,
            reader=event.reader,
            direction=event.direction,
            outcome=verdict.outcome.value,
            reason=verdict.reason,
            holder=verdict.holder,
            full=book.full,
        )

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return self._durable


class _Book:
    """Numbers of 8 bytes, sorted within their bucket. `kept`: the buckets as the durable state holds them."""

    def __init__(self, name: str, most: int, state: Mapping[str, bytes]) -> None:
        self._name = name
        self._most = most
        self.kept = {key: value for key, value in state.items() if key.startswith(f"{name}-")}
        self._buckets = {key: _unpacked(key, value) for key, value in self.kept.items()}
        self._count = sum(map(len, self._buckets.values()))

    @property
    def full(self) -> bool:
        return self._count >= self._most

    def __contains__(self, card: bytes) -> bool:
        bucket, number = self._buckets.get(self._key(card)), int.from_bytes(card)
        if bucket is None:
            return False
        place = bisect_left(bucket, number)
        return place < len(bucket) and bucket[place] == number

    def add(self, card: bytes) -> None:
        """Add one that is not in it."""
        key, number = self._key(card), int.from_bytes(card)
        bucket = self._buckets.setdefault(key, array("Q"))
        bucket.insert(bisect_left(bucket, number), number)
        self.kept[key] = durable.encode(struct.pack(f">{len(bucket)}Q", *bucket))
        self._count += 1

    def _key(self, card: bytes) -> str:
        return f"{self._name}-{card[0]:02x}"


def _unpacked(key: str, value: bytes) -> "array[int]":
    packed = durable.decode(key, value, bytes)
    try:
        return array("Q", struct.unpack(f">{len(packed) // 8}Q", packed))
    except struct.error as error:
        raise durable.StateError(f"durable state {key!r}: {len(packed)} bytes are no list of cards") from error
