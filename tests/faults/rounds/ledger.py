"""What there was to bring: everything that a gate has ever written or promised, and what may rightly be missing of it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync.log.records import GENESIS, Record
from sync.log.view import Head

Place = tuple[str, int]  # log id, number


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it stands on either side, and its hash in the chain."""

    record: Record
    hash: bytes


@dataclass(frozen=True, slots=True)
class Card:
    """A gate's journal as its file has it. `trimmed`: what was deleted before the first row."""

    log_id: str = ""
    rows: tuple[Row, ...] = ()
    trimmed: Head = field(default_factory=lambda: Head(0, GENESIS))

    @property
    def head(self) -> Head:
        """The last record."""
        return Head(self.rows[-1].record.seq, self.rows[-1].hash) if self.rows else self.trimmed

    @property
    def hashes(self) -> set[bytes]:
        """The records held, each by the hash of its salted body, which no two share."""
        return {row.record.body_hash for row in self.rows}


def read_card(path: Path) -> Card:
    """The journal's file; nothing where there is none. Whoever writes it must have ended. Raises sqlite3.Error."""
    if not path.exists():
        return Card()
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
        log_id, seq, digest = connection.execute("SELECT log_id, trimmed_seq, trimmed_hash FROM meta").fetchone()
        found = connection.execute(
            "SELECT seq, kind, at, clock, boot, mono, body, salt, body_hash, hash FROM records ORDER BY seq"
        ).fetchall()
    return Card(log_id, tuple(as_row(row) for row in found), Head(seq, digest))


def as_row(columns: Sequence[Any]) -> Row:
    """A row of either database: seq, kind, at, clock, boot, mono, body, salt, body_hash, hash."""
    seq, kind, at, clock, boot, mono, body, salt, digest, chained = columns
    body, salt = (None if value is None else bytes(value) for value in (body, salt))
    record = Record(seq, kind, at, bool(clock), bytes(boot), mono, body, salt, bytes(digest))
    return Row(record, bytes(chained))


@dataclass
class Ledger:
    """Of one gate. `places`: where each record that was ever seen in its journal stood, by body hash; `visits`: the
    visits among them. `promised`: visits that the journal has called durable.

    `forgiven`: records that nobody had any more when a card was taken away. `named`: missing ranges explain what is
    missing; but never what is in `owed`, which somebody had all the time. `may_open`: more than one log is no fault."""

    places: dict[bytes, set[Place]] = field(default_factory=dict)
    visits: dict[str, bytes] = field(default_factory=dict)
    promised: set[str] = field(default_factory=set)
    forgiven: set[bytes] = field(default_factory=set)
    owed: set[bytes] = field(default_factory=set)
    named: bool = False
    may_open: bool = False

    def add(self, digest: bytes, place: Place, visit: str) -> None:
        """A record was seen."""
        self.places.setdefault(digest, set()).add(place)
        if visit:
            self.visits[visit] = digest

    def read(self, told: Path) -> None:
        """Take in what the gate told (`tests.faults.rounds.gate`)."""
        for line in told.read_bytes().splitlines() if told.exists() else ():
            what, *rest = json.loads(line)
            if what == "promised":
                self.promised.add(rest[0])
            elif what == "wrote":
                log_id, seq, digest, visit = rest
                self.add(bytes.fromhex(digest), (log_id, seq), visit)

    def look(self, card: Card) -> None:
        """Take in what stands in a journal."""
        for row in card.rows:
            self.add(row.record.body_hash, (card.log_id, row.record.seq), visit_in(row.record))

    def taken_away(self, held: Iterable[bytes], at_office: Iterable[bytes]) -> None:
        """A card was taken away. What the one that is there now does not hold, nor the office, is gone."""
        self.forgiven |= self.places.keys() - set(held) - set(at_office)
        self.may_open = True


def visit_in(record: Record) -> str:
    """The visit that a record is of; "" for none, and for a body that somebody has changed: the chain tells of that."""
    if record.kind != "visit" or record.body is None:
        return ""
    try:
        return str(json.loads(record.body)["visit"])
    except (ValueError, KeyError, TypeError):
        return ""
