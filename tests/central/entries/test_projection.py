"""From visit records to rows that clerks read: whatever stands in them."""

import unicodedata

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from central.entries.models import UNREADABLE, Entry
from central.ingest.models import Record
from central.text import harmless
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Direction, Door, Passage, Visit, VisitOutcome, encode_body
from tests.central.ingest.sending import NOW, NOW_MS, Desk, ack, batch, hashes, raw, record, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]


def is_plain(text: str) -> bool:
    """Whether there is nothing in it but what is seen, and spaces of any width."""
    return all(char.isprintable() or unicodedata.category(char) == "Zs" for char in text)


def shown(body: bytes | None) -> Entry:
    """The row of a visit record with this body."""
    sent = raw("visit", body)
    assert Desk().take(batch(sent)) == [ack(1, hashes([sent])[-1])], "it is kept and acknowledged, whatever it says"
    assert Record.objects.get().body == body
    return Entry.objects.get()


def test_a_visit_is_a_row_with_its_words() -> None:
    row = shown(
        encode_body(
            Visit(
                visit="v1",
                portal="main",
                direction=Direction.ENTRY,
                outcome=VisitOutcome.DENIED,
                reasons=("fever", "red code"),
                started_ms=0,
                duration_ms=1,
                mode="night",
                night=True,
                credential="abc",
                credential_kind="pass",
                holder="h-1",
                pass_type=PassType.RETURNEE,
                health_code=HealthCode.RED,
                object_c=37.9,
                ambient_c=21.5,
            )
        )
    )
    assert (row.visit, row.portal, row.direction, row.outcome, row.reasons) == (
        "v1", "main", "entry", "denied", "fever red_code",
    )  # fmt: skip
    assert (row.mode, row.night, row.credential, row.credential_kind, row.holder) == (
        "night",
        True,
        "abc",
        "pass",
        "h-1",
    )
    assert (row.pass_type, row.health_code, row.object_c, row.ambient_c) == ("returnee", "red", 37.9, 21.5)
    assert (row.at, row.shown_at, row.received_at, row.clock_doubt, row.passed) == (NOW_MS, NOW_MS, NOW, "", False)


@pytest.mark.parametrize(
    "body",
    [
        None,  # erased
        b"",
        b"null",
        b"{}",
        b"\xff\xfe",
        b'{"visit":' + b"[" * 60_000,
        b'{"visit":"v","portal":"p","direction":"sideways","outcome":"granted","reasons":[],"started_ms":0,"duration_ms":0}',
        encode_body(visit()).replace(b'"visit-1"', b'"\\ud800"'),
        encode_body(visit()).replace(b'"duration_ms":4000', b'"duration_ms":4000,"object_c":1e999'),
        encode_body(visit()).replace(b'"duration_ms":4000', b'"duration_ms":' + b"9" * 5000),
    ],
)
def test_a_visit_that_cannot_be_read_is_shown_as_such(body: bytes | None) -> None:
    row = shown(body)
    assert (row.outcome, row.visit, row.at, row.object_c) == (UNREADABLE, "", NOW_MS, None)


def test_numbers_beyond_64_bits_are_kept_in_the_record_alone() -> None:
    row = shown(encode_body(visit()).replace(b'"duration_ms":4000', b'"duration_ms":%d' % 10**40))
    assert row.outcome == "granted"


@pytest.mark.parametrize("celsius", [b"-274", b"1e308", b"-1e308", b"121", b"100000000000000000000000"])
def test_a_temperature_that_no_thermometer_gives_is_none(celsius: bytes) -> None:
    row = shown(encode_body(visit()).replace(b'"duration_ms":4000', b'"duration_ms":4000,"object_c":' + celsius))
    assert (row.outcome, row.object_c) == ("granted", None)


LONGEST = {
    "visit": 64, "portal": 64, "reasons": 400, "mode": 32, "credential": 128, "credential_kind": 32, "holder": 128,
}  # fmt: skip
HOSTILE = "\x1b[31m\u202eevil\u2066<script>alert(1)</script>\x00\n=1+1" + "x" * 5000


def test_hostile_text_becomes_one_harmless_line() -> None:
    row = shown(
        encode_body(
            Visit(
                visit=HOSTILE, portal=HOSTILE, direction=Direction.ENTRY, outcome=VisitOutcome.GRANTED,
                reasons=(HOSTILE, "a b") * 100, started_ms=0, duration_ms=0, mode=HOSTILE, credential=HOSTILE,
                credential_kind=HOSTILE, holder=HOSTILE,
            )
        )
    )  # fmt: skip
    for name, longest in LONGEST.items():
        text = getattr(row, name)
        assert text.isprintable(), name
        assert text.startswith("\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}evil"), name
        assert len(text) <= longest, name


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=100), st.text(max_size=100))
@example("\x00", "\ud7ff\ue000")
def test_any_text_can_be_stored_and_a_passage_finds_its_visit(name: str, holder: str) -> None:
    with transaction.atomic():
        mine = Visit(
            visit=name, portal="main", direction=Direction.ENTRY, outcome=VisitOutcome.GRANTED, reasons=(),
            started_ms=0, duration_ms=0, holder=holder,
        )  # fmt: skip
        passage = record(Passage(portal="main", direction=Direction.ENTRY, visit=name), 2)
        Desk().take(batch(record(mine), passage))
        row = Entry.objects.get()
        assert row.passed == bool(name)
        assert len(row.holder) == len(holder)
        assert is_plain(row.holder)
        transaction.set_rollback(True)


def test_a_passage_marks_its_own_gates_visit_only() -> None:
    desk = Desk()
    desk.take(batch(record(visit(7))), gate="south-gate")
    passage = record(Passage(portal="main", direction=Direction.ENTRY, visit="visit-7"), 2)
    desk.take(batch(record(visit(7)), passage))
    assert dict(Entry.objects.values_list("gate", "passed")) == {"north-gate": True, "south-gate": False}


@given(st.text(max_size=300), st.integers(2, 250))
def test_harmless_text_is_printable_and_short(text: str, limit: int) -> None:
    clean = harmless(text, limit)
    assert len(clean) <= limit
    assert is_plain(clean)
    assert harmless(clean, limit) == clean
    assert len(clean) == min(len(text), limit)


@pytest.mark.parametrize(
    ("cause", "state", "outcome", "reasons"),
    [
        ("lockdown", "locked_down", "denied", "lockdown"),
        ("closed-management", "locked", "denied", "closed-management"),
        ("already-inside", "released", "denied", "already-inside"),  # somebody else was let in at that moment
        ("journal-failed", "locked", "referred", "journal-failed"),
        ("journal-failed", "released", "granted", "ok"),  # let in without its record, by the site's policy
        ("contact", "forced", "granted", "ok"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_a_grant_that_was_not_carried_out_is_shown_as_none(
    cause: str, state: str, outcome: str, reasons: str, together: bool
) -> None:
    granted = Visit(
        visit="v-1", portal="main", direction=Direction.ENTRY, outcome=VisitOutcome.GRANTED, reasons=("ok",),
        started_ms=0, duration_ms=0,
    )  # fmt: skip
    first, door = record(granted), record(Door(portal="main", state=state, cause=cause, visit="v-1"), 2)
    desk = Desk()
    if together:
        desk.take(batch(first, door))
    else:
        desk.take(batch(first))
        desk.take(batch(door, previous=hashes([first])[-1]))
    row = Entry.objects.get()
    assert (row.outcome, row.reasons) == (outcome, reasons)
