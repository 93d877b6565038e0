"""From a record to a row of the entry log or of the newly seen cards, in the transaction that stores the record."""

from datetime import datetime

from central.entries.models import UNREADABLE, ClockDoubt, Entry, SeenCard
from central.ingest.models import Log, Record
from central.text import harmless
from sync.contract.records import CardSeen, Passage, Visit

_DAY_MS = 24 * 3600 * 1000
MOST_FACTS = 8  # of one visit
_LOWEST_C, _HIGHEST_C = -60.0, 120.0  # what a thermometer of ours could say at all


def project_visit(log: Log, record: Record, visit: Visit | None, doubt: ClockDoubt) -> None:
    """Add the row of a visit record; `visit` None: its body could not be read, which is shown and not hidden."""
    row = Entry(
        record=record, gate_id=log.gate_id, at=record.at, clock_doubt=doubt, received_at=record.received_at,
        outcome=UNREADABLE,
    )  # fmt: skip
    if visit is not None:
        _fill(row, visit)
    row.save(force_insert=True)


def is_shown(log: Log, record: Record, visit: Visit | None) -> bool:
    """Whether the same record, with the same salt and body, has its row already from another log of the gate."""
    name = "" if visit is None else harmless(visit.visit, 64)
    rows = Entry.objects.filter(gate_id=log.gate_id, visit=name, record__body_hash=record.body_hash)
    return rows.exclude(record__log=log).exists()


def project_card(log: Log, record: Record, seen: CardSeen | None, doubt: ClockDoubt) -> None:
    """Add the row of a card seen for the first time. A gate whose memory was put back (an imaged card) tells it again:
    the first time that the office heard of it stands."""
    row = SeenCard(
        record=record, gate_id=log.gate_id, at=record.at, clock_doubt=doubt, received_at=record.received_at,
        outcome=UNREADABLE,
    )  # fmt: skip
    if seen is not None:
        _fill_card(row, seen)
    if not (row.card and SeenCard.objects.filter(gate_id=log.gate_id, card=row.card).exists()):
        row.save(force_insert=True)


def project_passage(log: Log, passage: Passage) -> None:
    """Mark the visit after which somebody was seen to pass."""
    if passage.visit:
        Entry.objects.filter(gate_id=log.gate_id, visit=harmless(passage.visit, 64)).update(passed=True)


def clock_doubt(at_ms: int, trusted: bool, previous_at_ms: int, received: datetime) -> ClockDoubt:
    """Why the time of a record is to be shown with "≈", if at all: the gate did not trust its clock, it is more than a
    day ahead of the office's, or earlier than the record before."""
    if not trusted:
        return ClockDoubt.UNTRUSTED
    if at_ms > received.timestamp() * 1000 + _DAY_MS:
        return ClockDoubt.AHEAD
    return ClockDoubt.BACK if at_ms < previous_at_ms else ClockDoubt.NONE


def _fill(row: Entry, visit: Visit) -> None:
    row.visit = harmless(visit.visit, 64)
    row.portal = harmless(visit.portal, 64)
    row.direction = visit.direction.value
    row.outcome = visit.outcome.value
    row.reasons = " ".join(harmless(reason, 40).replace(" ", "_") for reason in visit.reasons[:10])[:400]
    row.credential = harmless(visit.credential, 128)
    row.credential_kind = harmless(visit.credential_kind, 32)
    row.holder = harmless(visit.holder, 128)
    row.pass_type = visit.pass_type.value if visit.pass_type else ""
    row.health_code = visit.health_code.value if visit.health_code else ""
    row.object_c = _plausible(visit.object_c)
    row.ambient_c = _plausible(visit.ambient_c)
    row.facts = {harmless(what, 32): harmless(fact) for what, fact in list(visit.facts.items())[:MOST_FACTS]}
    row.night = visit.night
    row.mode = harmless(visit.mode, 32)


def _fill_card(row: SeenCard, seen: CardSeen) -> None:
    row.portal = harmless(seen.portal, 64)
    row.reader = harmless(seen.reader, 64)
    row.direction = seen.direction.value
    row.card = harmless(seen.card, 128)
    row.holder = harmless(seen.holder, 128)
    row.outcome = harmless(seen.outcome, 16)
    row.reason = harmless(seen.reason, 40)
    row.full = seen.full


def _plausible(celsius: float | None) -> float | None:
    return celsius if celsius is not None and _LOWEST_C <= celsius <= _HIGHEST_C else None
