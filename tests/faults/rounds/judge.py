"""Record by record: what a gate has written and promised against what the office has and shows. Pure.

It trusts neither end's own counting, nor their checks: hashes are computed here, from what stands in the tables.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync.log.records import GENESIS, body_hash, chain_hash
from sync.log.view import Head
from tests.faults.rounds.kinds import Found
from tests.faults.rounds.ledger import Card, Ledger, Row, visit_in

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """One log at the office. `missing`: the ranges that it names."""

    log_id: str
    cursor: Head
    rows: tuple[Row, ...] = ()
    missing: tuple[Range, ...] = ()
    predecessor: str = ""
    forks: int = 0

    def names(self, seq: int) -> bool:
        """Whether a missing range has this number."""
        return any(first <= seq <= last for first, last in self.missing)


@dataclass(frozen=True, slots=True)
class Books:
    """What the office has of one gate. `shown`: the visits of its entry log; `waiting`: batches not written out yet."""

    logs: Mapping[str, Kept] = field(default_factory=dict)
    shown: Sequence[str] = ()
    waiting: int = 0

    @property
    def hashes(self) -> set[bytes]:
        """All records, by body hash."""
        return {row.record.body_hash for log in self.logs.values() for row in log.rows}


def judge(ledger: Ledger, card: Card, books: Books) -> Found:
    """What has become of everything, once both ends have come to rest."""
    ledger.look(card)
    faults = [*_journal_faults(card), *_office_faults(books), *_difference(card, books), *_needless(ledger, books)]
    return Found(
        records=len(ledger.places),
        lost=len(lost(ledger, books)) + len(broken_promises(ledger)) + len(hidden(books)),
        doubled=doubled(books),
        broken="; ".join(faults[:5]),
    )


def add(founds: Iterable[Found]) -> Found:
    """Several gates' together."""
    every = list(founds)
    return Found(
        sum(found.records for found in every),
        sum(found.lost for found in every),
        sum(found.doubled for found in every),
        "; ".join(found.broken for found in every if found.broken),
    )


# lost


def lost(ledger: Ledger, books: Books) -> set[bytes]:
    """Records that stood in a journal, and that neither the office has nor anything explains."""
    missing = ledger.places.keys() - books.hashes - ledger.forgiven
    return {digest for digest in missing if not _explained(digest, ledger, books)}


def _explained(digest: bytes, ledger: Ledger, books: Books) -> bool:
    if not ledger.named or digest in ledger.owed:
        return False
    return any((log := books.logs.get(log_id)) is not None and log.names(seq) for log_id, seq in ledger.places[digest])


def broken_promises(ledger: Ledger) -> set[str]:
    """Visits that were called durable, and stood in no journal."""
    return ledger.promised - ledger.visits.keys()


def hidden(books: Books) -> set[str]:
    """Visits whose record the office has, and which its entry log does not show."""
    held = {visit_in(row.record) for log in books.logs.values() for row in log.rows}
    return held - set(books.shown) - {""}


# doubled


def doubled(books: Books) -> int:
    """How much is there too often: visits of the entry log, records within a log, and records in two logs of which
    neither was opened to go on with an earlier one."""
    count = _too_many(books.shown)
    logs_of: dict[bytes, list[Kept]] = {}
    for log in books.logs.values():
        count += _too_many(row.record.body_hash for row in log.rows)
        for digest in {row.record.body_hash for row in log.rows}:
            logs_of.setdefault(digest, []).append(log)
    return count + sum(_unrelated(logs) for logs in logs_of.values() if len(logs) > 1)


def _too_many(values: Iterable[object]) -> int:
    return sum(count - 1 for count in Counter(values).values())


def _unrelated(logs: Sequence[Kept]) -> int:
    """How many of these logs go on with no other one, as far as their beginnings are known. One has to begin."""
    return max(0, sum(not log.predecessor and not log.names(1) for log in logs) - 1)


# broken


def _journal_faults(card: Card) -> list[str]:
    seq, previous = card.trimmed
    faults = []
    for row in card.rows:
        if row.record.seq != seq + 1:
            faults.append(f"journal: record {seq + 1} is missing")
        elif fault := _fault(row, previous):
            faults.append(f"journal: {fault}")
        seq, previous = row.record.seq, row.hash
    return faults


def _fault(row: Row, previous: bytes | None) -> str:
    """`previous`: the hash before, None where nobody knows it."""
    record = row.record
    if previous is not None and chain_hash(previous, record) != row.hash:
        return f"the chain breaks at record {record.seq}"
    if record.body is not None and body_hash(record.salt or b"", record.body) != record.body_hash:
        return f"the body of record {record.seq} is another one"
    return ""


def _office_faults(books: Books) -> list[str]:
    faults = [f"{books.waiting} batches are not written out"] if books.waiting else []
    return faults + [f"office, log {log.log_id[:8]}: {fault}" for log in books.logs.values() for fault in _in_log(log)]


def _in_log(log: Kept) -> list[str]:
    """Every number up to the cursor is held, or in a named range; the chain holds; the cursor has the last one's hash."""
    rows, seq, faults = {row.record.seq: row for row in log.rows}, 0, []
    previous: bytes | None = GENESIS
    while seq < log.cursor.seq:
        seq += 1
        row = rows.get(seq)
        if row is not None:
            faults += [fault] if (fault := _fault(row, previous)) else []
            previous = row.hash
        elif log.names(seq):
            previous = None
        else:
            faults.append(f"record {seq} is missing, and no range says so")
            previous = None
    if previous is not None and previous != log.cursor.hash:
        faults.append("the cursor has another hash than its record")
    beyond = [number for number in rows if number > log.cursor.seq]
    return [*faults, *([f"{len(beyond)} records beyond the cursor"] if beyond else [])]


def _difference(card: Card, books: Books) -> list[str]:
    """Where both have a record of the same number in the same log, it is the same, column by column."""
    log = books.logs.get(card.log_id)
    if log is None:
        return [f"the office does not know the log {card.log_id[:8]}"] if card.rows else []
    here = {row.record.seq: row for row in card.rows}
    other = [row.record.seq for row in log.rows if row.record.seq in here and here[row.record.seq] != row]
    faults = [f"record {other[0]} and {len(other) - 1} more are others at the office"] if other else []
    if log.cursor != card.head:
        faults.append(f"the office's cursor stands at {log.cursor.seq}, the journal's end is {card.head.seq}")
    return faults


def _needless(ledger: Ledger, books: Books) -> list[str]:
    """A new log, a fork or a missing range where nothing called for one: what was healthy was given up."""
    faults = []
    if not ledger.may_open and len(books.logs) > 1:
        faults.append(f"{len(books.logs) - 1} new logs without a reason")
    if not ledger.may_open and any(log.forks for log in books.logs.values()):
        faults.append("a fork where there is none")
    if not ledger.named and any(log.missing for log in books.logs.values()):
        faults.append("a missing range where nothing is missing")
    return faults
