"""Batches into the database: records, what is made of them, and the cursor, in the caller's one transaction."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from central.alarms.book import Heard, News, NotOurAlarm, Source, hear, is_open_at_office, raise_at_office
from central.drills.projection import gate_stage, tie
from central.duty.projection import shift_event
from central.entries.dates import Dates
from central.entries.models import MadeOnce
from central.entries.projection import Projection, Shown, shown_elsewhere, visit_name, write_once
from central.ingest import ranges
from central.ingest.models import ForkEvent, Log, MissingRange, Record, Spooled
from central.ingest.reading import INT64
from central.ingest.rows import insert, new_keys
from central.orders.book import hear_record
from central.registry.models import Gate
from central.registry.states import boot_name
from central.text import harmless
from sync.contract.records import (
    MAX_RUNS,
    AlarmRecord,
    Body,
    CardSeen,
    CommandRecord,
    Door,
    Drill,
    LogOpened,
    Passage,
    Shift,
    Visit,
    decode_body,
)
from sync.errors import MessageError
from sync.log.records import GENESIS
from sync.log.records import Record as Sent
from sync.log.view import Head

# the kinds that more is made of; all others are kept
_READ = frozenset({"visit", "card-seen", "passage", "door", "alarm", "command", "log-opened", "shift", "drill"})
_LOG_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_AWAITS: Final = Exists(MissingRange.objects.filter(log=OuterRef("pk"), last__gt=OuterRef("seq")))
_MOVE: Final = "UPDATE ingest_log SET seq = %s, hash = %s, written = %s, last_at = %s WHERE id = %s AND seq = %s"
MOST_OPENINGS: Final = (
    8  # of a gate's logs in one transaction; each may name `MAX_RUNS` ranges, and everybody waits for that
)


class _RecordRow(NamedTuple):
    """The columns of `Record`."""

    id: int
    log_id: int
    seq: int
    kind: str
    at: int
    clock: bool
    boot: bytes
    mono: int
    body: bytes | None
    salt: bytes | None
    body_hash: bytes
    hash: bytes
    received_at: datetime


class _SpooledRow(NamedTuple):
    """The columns of `Spooled`."""

    gate_id: str
    log_id: int
    after: int
    upto: int
    payload: bytes | None
    received_at: datetime


class TooManyRanges(MessageError):
    """A gate tells of more missing ranges than are stored of one."""


class CursorMoved(Exception):
    """The cursor is not where it was read: somebody else writes this log. The transaction must be undone."""


class KnownLog(NamedTuple):
    """A log; `awaits`: records are missing beyond its cursor, so those that come have to be looked for there."""

    log: Log
    awaits: bool


def logs_where(which: Q) -> QuerySet[Log]:
    """The logs of which this is true, with what `known` needs."""
    return Log.objects.filter(which).annotate(awaits=_AWAITS)


def known(logs: Iterable[Log]) -> list[KnownLog]:
    """What `logs_where` asks for, as `Sheet` takes it."""
    return [KnownLog(log, bool(vars(log)["awaits"])) for log in logs]


class Sheet:
    """What one transaction takes in: gathered message by message, written together by `write`, within the caller's
    transaction. The cursors it tells are as if all of it were written already. `logs`: those it will be about, as far as
    they were read in this transaction."""

    def __init__(self, logs: Iterable[KnownLog] = ()) -> None:
        self._logs: dict[tuple[str, str], Log] = {}
        self._spooled: list[_SpooledRow] = []
        self._stood: dict[tuple[str, str], int] = {}  # where the cursors that are to move stand in the database
        self._records: list[_RecordRow] = []
        self._projection = Projection()
        self._once: list[MadeOnce] = []
        self._dates = Dates()
        self._openings: Counter[str] = Counter()  # by gate
        self._awaited: set[int] = set()  # logs of which records are missing beyond the cursor
        for each in logs:
            self._know(each)

    def cursor_of(self, gate: Gate, log_id: str) -> Head:
        """Up to where the office has this log."""
        log = self._find(gate, log_id)
        return Head(0, GENESIS) if log is None else Head(log.seq, bytes(log.hash))

    def take_records(
        self, gate: Gate, log_id: str, records: Sequence[Sent], hashes: Sequence[bytes], now: datetime
    ) -> None:
        """Take the records from the cursor on."""
        log = self._open(gate, log_id)
        self._fill(gate, log, records[-1].seq, now)
        self._take(gate, log, records, hashes, now)
        self._advance(log, Head(records[-1].seq, hashes[-1]))
        log.written, log.last_at = log.seq, records[-1].at

    def spool_batch(self, gate: Gate, log_id: str, upto: Head, payload: bytes, now: datetime) -> None:
        """Take the records from the cursor to `upto` as they came: they are written out later."""
        log = self._open(gate, log_id)
        self._fill(gate, log, upto.seq, now)
        self._spool(log, gate, upto, payload, now)

    def knows(self, gate: Gate, log_id: str) -> bool:
        """Whether anything of this log was ever taken."""
        return self._find(gate, log_id) is not None

    def _fill(self, gate: Gate, log: Log, upto: int, now: datetime) -> None:
        if log.pk in self._awaited:
            ranges.fill(gate, log, log.seq + 1, upto, now)

    def write_out(self, gate: Gate, log: Log, records: Sequence[Sent], hashes: Sequence[bytes], now: datetime) -> None:
        """Take records that were spooled. The cursor has passed them long ago."""
        self._logs.setdefault((gate.pk, log.log_id), log)
        self._take(gate, log, records, hashes, now)
        log.written, log.last_at = records[-1].seq, records[-1].at

    def _take(self, gate: Gate, log: Log, records: Sequence[Sent], hashes: Sequence[bytes], now: datetime) -> None:
        keys = new_keys(Record, len(records))
        self._records += [
            _row(key, log.pk, sent, digest, now) for key, sent, digest in zip(keys, records, hashes, strict=True)
        ]
        self._project(gate, log, records, keys, now)

    def take_gap(self, gate: Gate, log_id: str, upto: Head, reason: str, now: datetime) -> None:
        """Take it that the records from the cursor to `upto` are gone for good, and raise the office's alarm. Raises TooManyRanges."""
        if ranges.too_many(gate, 1):
            told = f"gone: of this gate {ranges.MOST_RANGES} missing ranges are stored, which no honest gate has; no more are taken"
            raise TooManyRanges(told)
        log = self._open(gate, log_id)
        ranges.name(gate, log, log.seq + 1, upto.seq, reason, now)
        if log.written < log.seq:
            self._spool(log, gate, upto, None, now)
        else:
            self._advance(log, upto)
            log.written = log.seq

    def note_fork(self, gate: Gate, log_id: str, seq: int, now: datetime) -> None:
        """Store that the gate has another record at `seq` than the office, and raise the office's alarm."""
        log = self._open(gate, log_id)
        ForkEvent.objects.get_or_create(log=log, seq=seq, defaults={"received_at": now})
        raise_at_office(gate, "log-fork", f"{log_id}/{seq}", f"{log_id[:8]} #{seq}", now)

    def write(self) -> None:
        """Write what was gathered, and move the cursors over it. Raises CursorMoved."""
        self._write_rows()
        self._dates.write()
        for name, stood in self._stood.items():
            _move(self._logs[name], stood)
        self._stood = {}
        insert(Spooled, self._spooled)
        self._spooled = []

    def _write_rows(self) -> None:
        insert(Record, self._records)
        self._projection.write()
        tie(self._once)
        write_once(self._once)
        self._records, self._once = [], []

    def _find(self, gate: Gate, log_id: str) -> Log | None:
        log = self._logs.get((gate.pk, log_id))
        if log is None:
            for found in known(logs_where(Q(gate=gate, log_id=log_id))):  # one, or none
                log = self._know(found)
        return log

    def _know(self, found: KnownLog) -> Log:
        log = found.log
        self._logs[log.gate_id, log.log_id] = log
        if found.awaits:
            self._awaited.add(log.pk)
        return log

    def _open(self, gate: Gate, log_id: str) -> Log:
        log = self._find(gate, log_id) or Log.objects.create(gate=gate, log_id=log_id)
        self._logs[gate.pk, log_id] = log
        return log

    def _spool(self, log: Log, gate: Gate, upto: Head, payload: bytes | None, now: datetime) -> None:
        self._spooled.append(_SpooledRow(gate.pk, log.pk, log.seq, upto.seq, payload, now))
        self._advance(log, upto)

    def _advance(self, log: Log, upto: Head) -> None:
        self._stood.setdefault((log.gate_id, log.log_id), log.seq)
        log.seq, log.hash = upto.seq, upto.hash

    def _project(self, gate: Gate, log: Log, records: Sequence[Sent], keys: Sequence[int], now: datetime) -> None:
        bodies = [_body(sent) for sent in records]
        for sent, body in zip(records, bodies, strict=True):
            if isinstance(body, LogOpened):
                self._opened(gate, log, sent, body, now)
        self._dates.learn(gate, log, records, keys, now)
        begins = log.opened_because and not log.predecessor
        known = frozenset() if begins else self._shown(log, records, bodies)  # where its beginning is missing, too
        for key, sent, body in zip(keys, records, bodies, strict=True):
            if sent.kind == "visit":
                visit = body if isinstance(body, Visit) else None
                if not known or (visit_name(visit), sent.body_hash) not in known:
                    self._projection.visit(self._dated(gate, sent, key, now), visit)
            elif sent.kind == "card-seen":
                card = body if isinstance(body, CardSeen) else None
                self._projection.card(self._dated(gate, sent, key, now), card)
            elif isinstance(body, Passage):
                self._projection.passage(gate.pk, body)
            elif isinstance(body, Door):
                self._projection.door(gate.pk, body)
            elif isinstance(body, AlarmRecord):
                _hear(gate, log, sent, body, now)
            elif isinstance(body, CommandRecord):
                hear_record(gate, body, now)
            elif isinstance(body, Shift):
                self._once.append(shift_event(self._dated(gate, sent, key, now), sent.body_hash, body))
            elif isinstance(body, Drill):
                self._once.append(gate_stage(self._dated(gate, sent, key, now), sent.body_hash, body))

    def _dated(self, gate: Gate, sent: Sent, key: int, now: datetime) -> Shown:
        boot, shown_at, doubt = self._dates.time_of(gate, sent, now)
        return Shown(key, gate.pk, sent.at, boot, 0 if boot is None else sent.mono, shown_at, doubt.value, now)

    def _shown(self, log: Log, records: Sequence[Sent], bodies: Sequence[Body | None]) -> Set[tuple[str, bytes]]:
        """Those visits that were carried over by a gate that did not know them to be acknowledged."""
        self._write_rows()  # some may be on this very sheet
        pairs = [(body if isinstance(body, Visit) else None, sent.body_hash)
                 for sent, body in zip(records, bodies, strict=True) if sent.kind == "visit"]  # fmt: skip
        return shown_elsewhere(log, pairs)

    def _opened(self, gate: Gate, log: Log, sent: Sent, body: LogOpened, now: datetime) -> None:
        predecessor = harmless(body.predecessor, 64)
        if sent.seq == 1:  # any other was carried over: it tells how an earlier log began
            log.predecessor, log.opened_because = predecessor, harmless(body.reason, 32)
            log.save(update_fields=["predecessor", "opened_because"])
            if not predecessor:
                self._left_behind(gate, log, sent, now)
        upto = body.predecessor_head or max((last for _, last in body.carried), default=0)
        if body.reason == "moved-aside":  # put down now and then: the gate may have said more since
            upto = max(upto, self._said_of(gate, predecessor))
        if predecessor == log.log_id or not _LOG_ID.match(predecessor) or upto > INT64:
            return
        self._openings[gate.pk] += 1
        most = self._openings[gate.pk] > MOST_OPENINGS or len(body.carried) > MAX_RUNS
        if most or ranges.too_many(gate, len(body.carried) + 1):
            told = f"#{sent.seq}: log-opened names more than any gate does"
            raise_at_office(gate, "record-doubtful", f"{log.log_id}/log-opened", told, now)
            return
        before = self._find(gate, predecessor)  # None: nothing of it ever came here
        for first, last in _gaps(0 if before is None else before.seq, upto, body.carried):
            before = before or self._open(gate, predecessor)
            ranges.name(gate, before, first, last, body.reason, now)
            self._awaited.add(before.pk)

    def _said_of(self, gate: Gate, log_id: str) -> int:
        """The last record that the gate said to have of a log."""
        log = self._find(gate, log_id)
        told = 0 if log is None else log.told
        return max(told, gate.head if gate.log_id == log_id else 0)

    def _left_behind(self, gate: Gate, log: Log, first: Sent, now: datetime) -> None:
        """This log goes on from none. What the gate last said to have of the one before and never sent lies in a journal that
        somebody moved aside, or was on a card that was replaced."""
        others = Log.objects.filter(gate=gate).exclude(pk=log.pk)
        if others.filter(predecessor=log.log_id).exists():
            return  # it is the older one itself, and comes later
        followed = others.exclude(predecessor="").values("predecessor")
        before = [other for other in others.exclude(log_id__in=followed) if not _began_later(other, first)]
        named = [self._name_unsent(gate, other, now) for other in before]
        if before and not named[0] and gate.log_id == log.log_id and not is_open_at_office(gate, "journal-replaced"):
            newest = before[0]
            raise_at_office(gate, "journal-replaced", newest.log_id, f"{newest.log_id[:8]} #{newest.seq}", now)

    def _name_unsent(self, gate: Gate, other: Log, now: datetime) -> bool:
        """Name what the gate said to have of a log, and nobody will send but who finds it. Whether there is any."""
        head = self._said_of(gate, other.log_id)
        found = self._find(gate, other.log_id)
        if found is None or not found.seq < head <= INT64 or ranges.too_many(gate, 1):
            return False
        ranges.name(gate, found, found.seq + 1, head, "moved-aside", now)
        self._awaited.add(found.pk)
        return True


def _began_later(other: Log, first: Sent) -> bool:
    """Whether this log was begun after the one whose first record this is, as far as their clocks tell."""
    began = Record.objects.filter(log=other, seq=1).only("boot", "mono", "clock", "at").first()
    if began is None:
        return False
    if bytes(began.boot) == first.boot:
        return began.mono > first.mono
    return began.clock and first.clock and began.at > first.at


def _row(key: int, log_key: int, sent: Sent, digest: bytes, now: datetime) -> _RecordRow:
    return _RecordRow(
        key, log_key, sent.seq, sent.kind, sent.at, sent.clock, sent.boot, sent.mono, sent.body, sent.salt,
        sent.body_hash, digest, now,
    )  # fmt: skip


def _move(log: Log, after: int) -> None:
    with connection.cursor() as cursor:  # for each transaction: the ORM would compile it anew each time
        cursor.execute(_MOVE, [log.seq, bytes(log.hash), log.written, log.last_at, log.pk, after])
        moved = cursor.rowcount
    if moved != 1:
        raise CursorMoved(f"{log}: the cursor is not at {after}")


def _body(sent: Sent) -> Body | None:
    if sent.body is None or sent.kind not in _READ:
        return None
    try:
        return decode_body(sent.kind, sent.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None  # kept as it came; the chain vouches for the bytes, nobody for their sense


def _hear(gate: Gate, log: Log, sent: Sent, body: AlarmRecord, now: datetime) -> None:
    if not all(abs(number) <= INT64 for number in (body.alarm.since_ms, body.alarm.count)):
        return
    heard = Heard(boot_name(sent.boot), sent.mono, log.log_id, sent.seq)
    news = News(
        action=body.action,
        alarm=body.alarm,
        heard=heard,
        source=Source.RECORD,
        at_ms=sent.at,
        by=body.by,
        note=body.note,
        what=body.what,
    )
    try:
        hear(gate, news, now)
    except NotOurAlarm as error:
        raise_at_office(gate, "record-doubtful", f"{log.log_id}/{sent.seq}", f"#{sent.seq}: {error}", now)


def _gaps(after: int, upto: int, carried: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of the numbers `after + 1 … upto` is in none of these runs."""
    for first, last in sorted(carried):
        if last < first:
            continue
        if after < min(first - 1, upto):
            yield after + 1, min(first - 1, upto)
        after = max(after, last)
    if after < upto:
        yield after + 1, upto
