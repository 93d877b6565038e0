"""From a record to a row of the entry log or of the newly seen cards, in the transaction that stores the record."""

from collections.abc import Sequence, Set
from datetime import datetime
from typing import NamedTuple

from central.entries.models import UNREADABLE, Entry, MadeOnce, SeenCard
from central.ingest.models import Log
from central.ingest.rows import insert
from central.text import harmless
from sync.contract.records import CardSeen, Door, Passage, Visit, VisitOutcome, withdrawn

MOST_FACTS = 8  # of one visit
_TOGETHER = 500  # visits asked for in one statement
_LOWEST_C, _HIGHEST_C = -60.0, 120.0  # what a thermometer of ours could say at all


class Shown(NamedTuple):
    """What a row says of the record that it is made from; see `central.entries.models.Dated`."""

    record_id: int
    gate_id: str
    at: int
    boot_id: int | None
    mono: int
    shown_at: int | None
    clock_doubt: str
    received_at: datetime


class _EntryRow(NamedTuple):
    """The columns of `Entry` but its key; what is not given is that of a visit that could not be read."""

    record_id: int
    gate_id: str
    at: int
    boot_id: int | None
    mono: int
    shown_at: int | None
    clock_doubt: str
    received_at: datetime
    facts: dict[str, str]
    visit: str = ""
    portal: str = ""
    direction: str = ""
    outcome: str = UNREADABLE
    reasons: str = ""
    credential: str = ""
    credential_kind: str = ""
    holder: str = ""
    pass_type: str = ""
    health_code: str = ""
    object_c: float | None = None
    ambient_c: float | None = None
    night: bool = False
    mode: str = ""
    passed: bool = False


class Projection:
    """What the records of one transaction make besides themselves: gathered one by one, written together by `write`."""

    def __init__(self) -> None:
        self._visits: list[tuple[Shown, Visit | None]] = []
        self._cards: list[SeenCard] = []
        self._passed: dict[str, set[str]] = {}  # gate → visits
        self._withdrawn: dict[
            tuple[str, str], tuple[VisitOutcome, str]
        ] = {}  # gate, visit → what became of it, and why

    def visit(self, shown: Shown, visit: Visit | None) -> None:
        """Add the row of a visit record; `visit` None: its body could not be read, which is shown and not hidden."""
        self._visits.append((shown, visit))

    def card(self, shown: Shown, seen: CardSeen | None) -> None:
        """Add the row of a card seen for the first time. A gate whose memory was put back (an imaged card) tells it again:
        the first time that the office heard of it stands."""
        row = SeenCard(**shown._asdict(), outcome=UNREADABLE)
        if seen is not None:
            _fill_card(row, seen)
        self._cards.append(row)

    def passage(self, gate_id: str, passage: Passage) -> None:
        """Mark the visit after which somebody was seen to pass."""
        if passage.visit:
            self._passed.setdefault(gate_id, set()).add(harmless(passage.visit, 64))

    def door(self, gate_id: str, door: Door) -> None:
        """Show no visit as let in whose grant was not carried out."""
        outcome = withdrawn(door)
        if outcome is not None:
            self._withdrawn[gate_id, harmless(door.visit, 64)] = outcome, harmless(door.cause, 40)

    def write(self) -> None:
        """Write what was gathered; the records are there by now."""
        passed = self._passed
        insert(Entry, [_entry(shown, visit, passed.get(shown.gate_id, frozenset())) for shown, visit in self._visits])
        SeenCard.objects.bulk_create(self._cards, ignore_conflicts=True)  # `one_first_time`: the first one stands
        for gate_id, visits in passed.items():
            _mark_passed(gate_id, sorted(visits))
        for (gate_id, visit), (outcome, why) in self._withdrawn.items():
            granted = Entry.objects.filter(gate_id=gate_id, visit=visit, outcome=VisitOutcome.GRANTED.value)
            granted.update(outcome=outcome.value, reasons=why)
        self._visits, self._cards, self._passed, self._withdrawn = [], [], {}, {}


def shown_elsewhere(log: Log, visits: Sequence[tuple[Visit | None, bytes]]) -> set[tuple[str, bytes]]:
    """Which of these visits, each with its record's `body_hash`, have their row already from another log of the gate: the
    same record, with the same salt and body. By name (see `visit_name`) and hash."""
    wanted = {(visit_name(visit), digest) for visit, digest in visits}
    rows = Entry.objects.filter(gate_id=log.gate_id, visit__in={name for name, _ in wanted})
    found = rows.exclude(record__log=log).values_list("visit", "record__body_hash")
    return wanted & {(name, bytes(digest)) for name, digest in found}


def write_once(rows: Sequence[MadeOnce]) -> None:
    """Save these, in their order; of what is there already the first one stands."""
    for model in dict.fromkeys(type(row) for row in rows):
        model._default_manager.bulk_create([row for row in rows if type(row) is model], ignore_conflicts=True)


def visit_name(visit: Visit | None) -> str:
    """How a visit is called in the entry log."""
    return "" if visit is None else harmless(visit.visit, 64)


def _mark_passed(gate: str, visits: Sequence[str]) -> None:
    for begin in range(0, len(visits), _TOGETHER):
        rows = Entry.objects.filter(gate_id=gate, visit__in=visits[begin : begin + _TOGETHER], passed=False)
        rows.update(passed=True)


def _entry(shown: Shown, visit: Visit | None, passed: Set[str]) -> _EntryRow:
    if visit is None:
        return _EntryRow(*shown, {})
    name = visit_name(visit)
    return _EntryRow(
        *shown,
        {harmless(what, 32): harmless(fact) for what, fact in list(visit.facts.items())[:MOST_FACTS]},
        visit=name,
        portal=harmless(visit.portal, 64),
        direction=visit.direction.value,
        outcome=visit.outcome.value,
        reasons=" ".join(harmless(reason, 40).replace(" ", "_") for reason in visit.reasons[:10])[:400],
        credential=harmless(visit.credential, 128),
        credential_kind=harmless(visit.credential_kind, 32),
        holder=harmless(visit.holder, 128),
        pass_type=visit.pass_type.value if visit.pass_type else "",
        health_code=visit.health_code.value if visit.health_code else "",
        object_c=_plausible(visit.object_c),
        ambient_c=_plausible(visit.ambient_c),
        night=visit.night,
        mode=harmless(visit.mode, 32),
        passed=name in passed,
    )


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
