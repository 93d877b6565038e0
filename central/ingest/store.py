"""Batches into the database: records, what is made of them, and the cursor, in the caller's one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from central.alarms.book import Heard, News, NotOurAlarm, Source, hear, raise_at_office
from central.entries.models import ClockDoubt
from central.entries.projection import clock_doubt, is_shown, project_card, project_passage, project_visit
from central.ingest.models import ForkEvent, Log, MissingRange, Record
from central.ingest.reading import INT64
from central.registry.models import Gate
from central.registry.states import boot_name
from central.text import harmless
from sync.contract.records import AlarmRecord, Body, CardSeen, LogOpened, Passage, Visit, decode_body
from sync.log.records import GENESIS
from sync.log.records import Record as Sent
from sync.log.view import Head

# the kinds that more is made of; all others are kept
_READ = frozenset({"visit", "card-seen", "passage", "alarm", "log-opened"})


class CursorMoved(Exception):
    """The cursor is not where it was read: somebody else writes this log. The transaction must be undone."""


def cursor_of(gate: Gate, log_id: str) -> Head:
    """Up to where the office has this log."""
    log = Log.objects.filter(gate=gate, log_id=log_id).first()
    return Head(0, GENESIS) if log is None else Head(log.seq, bytes(log.hash))


def store_records(
    gate: Gate, log_id: str, after: int, records: Sequence[Sent], hashes: Sequence[bytes], now: datetime
) -> None:
    """Store the records `after + 1 …` and move the cursor over them. Raises CursorMoved."""
    log, _ = Log.objects.get_or_create(gate=gate, log_id=log_id)
    rows = Record.objects.bulk_create(
        _row(log, sent, digest, now) for sent, digest in zip(records, hashes, strict=True)
    )
    previous_at = log.last_at
    for sent, row in zip(records, rows, strict=True):
        if sent.kind in _READ:
            _project(gate, log, sent, row, previous_at)
        previous_at = sent.at
    _move(log, after, records[-1].seq, hashes[-1], previous_at)


def store_gap(gate: Gate, log_id: str, after: int, upto: Head, reason: str, now: datetime) -> None:
    """Store that the records `after + 1 …` are gone for good, raise the office's alarm, move the cursor over them."""
    log, _ = Log.objects.get_or_create(gate=gate, log_id=log_id)
    _missing(gate, log, after + 1, upto.seq, reason, now)
    _move(log, after, upto.seq, upto.hash, log.last_at)


def note_fork(gate: Gate, log_id: str, seq: int, now: datetime) -> None:
    """Store that the gate has another record at `seq` than the office, and raise the office's alarm."""
    log, _ = Log.objects.get_or_create(gate=gate, log_id=log_id)
    ForkEvent.objects.get_or_create(log=log, seq=seq, defaults={"received_at": now})
    raise_at_office(gate, "log-fork", f"{log_id}/{seq}", f"{log_id[:8]} #{seq}", now)


def _row(log: Log, sent: Sent, digest: bytes, now: datetime) -> Record:
    return Record(
        log=log,
        seq=sent.seq,
        kind=sent.kind,
        at=sent.at,
        clock=sent.clock,
        boot=sent.boot,
        mono=sent.mono,
        body=sent.body,
        salt=sent.salt,
        body_hash=sent.body_hash,
        hash=digest,
        received_at=now,
    )


def _move(log: Log, after: int, seq: int, digest: bytes, last_at: int) -> None:
    moved = Log.objects.filter(pk=log.pk, seq=after).update(seq=seq, hash=digest, last_at=last_at)
    if moved != 1:
        raise CursorMoved(f"{log}: the cursor is not at {after}")


def _missing(gate: Gate, log: Log, first: int, last: int, reason: str, now: datetime) -> None:
    MissingRange.objects.get_or_create(
        log=log, first=first, defaults={"last": last, "reason": harmless(reason, 64), "received_at": now}
    )
    raise_at_office(gate, "records-missing", f"{log.log_id}/{first}", f"{log.log_id[:8]} #{first}-{last}", now)


def _project(gate: Gate, log: Log, sent: Sent, row: Record, previous_at: int) -> None:
    body = _body(sent)
    if sent.kind == "visit":
        visit = body if isinstance(body, Visit) else None
        if log.predecessor and is_shown(log, row, visit):
            return  # carried over by a gate that did not know it to be acknowledged
        project_visit(log, row, visit, _doubt(sent, row, previous_at))
    elif sent.kind == "card-seen":
        project_card(log, row, body if isinstance(body, CardSeen) else None, _doubt(sent, row, previous_at))
    elif isinstance(body, Passage):
        project_passage(log, body)
    elif isinstance(body, AlarmRecord):
        _hear(gate, log, sent, body, row.received_at)
    elif isinstance(body, LogOpened):
        _opened(gate, log, body, row.received_at)


def _doubt(sent: Sent, row: Record, previous_at: int) -> ClockDoubt:
    return clock_doubt(sent.at, sent.clock, previous_at, row.received_at)


def _body(sent: Sent) -> Body | None:
    if sent.body is None:
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
    )
    try:
        hear(gate, news, now)
    except NotOurAlarm as error:
        raise_at_office(gate, "record-doubtful", f"{log.log_id}/{sent.seq}", f"#{sent.seq}: {error}", now)


def _opened(gate: Gate, log: Log, body: LogOpened, now: datetime) -> None:
    log.predecessor, log.opened_because = harmless(body.predecessor, 64), harmless(body.reason, 32)
    log.save(update_fields=["predecessor", "opened_because"])
    before = Log.objects.filter(gate=gate, log_id=log.predecessor).exclude(pk=log.pk).first()
    upto = body.predecessor_head or max((last for _, last in body.carried), default=0)
    if before is not None and upto <= INT64:
        for first, last in _gaps(before.seq, upto, body.carried):
            _missing(gate, before, first, last, body.reason, now)


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
