"""What a sender needs of a log: to look at it. Whoever keeps one provides it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sync.log.records import Record


class Head(NamedTuple):
    """A record's number and its hash in the chain; (0, GENESIS) before the first."""

    seq: int
    hash: bytes


class LogView(Protocol):
    """A log as a sender sees it. Every answer is as of now; the log grows, is trimmed and replaced behind it."""

    @property
    def log_id(self) -> str:
        """The log's random id; another one after the log was replaced."""

    def oldest(self) -> int:
        """The number of the oldest record still held; `head().seq + 1` when none is."""

    def first_held(self, after: int) -> int:
        """The number of the first record beyond `after` that is held, or would be written next; what lies between is gone."""

    def head(self) -> Head:
        """The last durable record."""

    def hash_at(self, seq: int) -> bytes | None:
        """The hash at `seq` (GENESIS at 0, and known still for the last record trimmed); None when it is not held."""

    def read(self, after: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        """The records from `after + 1`, in order, without a gap: at most `max_records`, and bodies of about `max_bytes`
        in all, but always at least one where there is one."""
