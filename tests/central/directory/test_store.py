"""A site's directory in the office's database: every change a version, and what a gate is sent is what is there."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random

import pytest

from central.directory.models import Directory, Version
from central.directory.store import SiteSource, change, open_epoch
from sync.log.keyed import NOTHING, Mark, Row, digest_of
from sync.log.parts import Have, open_part
from sync.log.publisher import OpenEpoch, Parts, Publisher
from tests.sync.following import sealed, verified

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("database")]

SITE = "north"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
AT_MS = 1_700_000_000_000
CARD = Row("card", "000414CD7E", b'{"holder":"h-1"}')
LOST = Row("card", "000414CD7E", b'{"holder":"h-1","lost":true}')
GONE = Row("card", "000414CD7E", None)
HOLDER = Row("holder", "h-1", b'{"pass_type":"resident"}')


def sent(since: Mark, title: bytes = b"") -> tuple[Mark, list[Row], bytes]:
    """What a gate that holds this is sent: up to where, the rows, and the title."""
    publisher = Publisher(SITE, SiteSource(SITE), seal=sealed, verify=verified)
    have = Have(site=SITE, seen=since, title=title, whole=since != NOTHING, staged=None, room=16)
    answer = publisher.answer(have, AT_MS)
    assert isinstance(answer, Parts)
    parts = [open_part(payload, SITE, verified) for payload in answer.payloads]
    assert {part.title.base for part in parts} <= {since, NOTHING}
    return parts[-1].title.upto, [row for part in parts for row in part.rows], parts[-1].sealed


def test_nothing_is_there_before_the_first_row() -> None:
    assert SiteSource(SITE).newest() == NOTHING
    assert SiteSource(SITE).changed(NOTHING) == (NOTHING, [])
    assert change(SITE, [], NOW) == change(SITE, [GONE], NOW) == NOTHING


def test_a_change_is_a_version_and_none_is_none() -> None:
    first = change(SITE, [CARD, HOLDER], NOW)
    assert (first.order, first.digest) == ((0, 1), digest_of([CARD, HOLDER]))
    assert change(SITE, [HOLDER], NOW) == first
    second = change(SITE, [LOST, HOLDER], NOW)
    assert (second.order, second.digest) == ((0, 2), digest_of([LOST, HOLDER]))
    third = change(SITE, [GONE], NOW)
    assert (third.order, third.digest) == ((0, 3), digest_of([HOLDER]))
    assert SiteSource(SITE).newest() == third
    assert all(SiteSource(SITE).had(mark) for mark in (first, second, third))
    assert not SiteSource(SITE).had(Mark(0, 2, bytes(16)))
    assert Version.objects.count() == 3


def test_a_gate_is_sent_what_has_changed_and_a_new_one_all_that_is_there() -> None:
    first = change(SITE, [CARD, HOLDER], NOW)
    last = change(SITE, [GONE], NOW)
    assert sent(NOTHING)[:2] == (last, [HOLDER])
    assert sent(first)[:2] == (last, [GONE])
    assert sent(last)[:2] == (last, [])


def test_the_last_of_two_rows_in_one_place_counts() -> None:
    mark = change(SITE, [CARD, LOST], NOW)
    assert mark.digest == digest_of([LOST])


def test_sites_are_apart() -> None:
    change(SITE, [CARD], NOW)
    other = change("south", [HOLDER], NOW)
    assert other == Mark(0, 1, digest_of([HOLDER])) and SiteSource("south").changed(NOTHING)[1] == [HOLDER]
    assert SiteSource(SITE).changed(NOTHING)[1] == [CARD]


def test_whatever_is_changed_the_sum_of_what_a_gate_was_sent_is_what_is_there() -> None:
    random, held, rows, title = Random(4), NOTHING, dict[tuple[str, str], bytes](), b""
    for number in range(60):
        places = [(table, f"k{at}") for table in ("card", "holder") for at in random.sample(range(9), 4)]
        value: bytes | None
        changes: list[Row] = []
        for table, key in places:
            value = None if random.random() < 0.3 else b"%d" % random.randrange(3)
            changes.append(Row(table, key, value))
        change(SITE, changes, NOW)
        if number % 3 == 0:
            held, came, title = sent(held, title)
            for row in came:
                if row.value is None:
                    rows.pop((row.table, row.key), None)
                else:
                    rows[row.table, row.key] = row.value
            assert held == SiteSource(SITE).newest()
            assert digest_of(Row(*place, value) for place, value in rows.items()) == held.digest


def test_many_rows_at_once() -> None:
    many: Sequence[Row] = [Row("holder", f"h-{number}", b"{}") for number in range(1_500)]
    mark = change(SITE, many, NOW)
    assert mark.digest == digest_of(many)
    assert change(SITE, [*many, CARD], NOW).version == 2
    assert len(sent(mark)[1]) == 1


def test_an_office_that_was_put_back_opens_an_epoch_for_whoever_proves_more() -> None:
    change(SITE, [CARD], NOW)
    forgotten = change(SITE, [LOST], NOW)
    _, _, title = sent(NOTHING)
    Directory.objects.get().delete()  # and last night's backup is put in
    change(SITE, [CARD], NOW)
    publisher = Publisher(SITE, SiteSource(SITE), seal=sealed, verify=verified)
    have = Have(site=SITE, seen=forgotten, title=title, whole=True, staged=None, room=1)
    answer = publisher.answer(have, AT_MS)
    assert answer == OpenEpoch(above=0)
    mark = open_epoch(SITE, answer.above, NOW)
    assert mark.order == (1, 2) and mark.digest == digest_of([CARD])
    again = publisher.answer(have, AT_MS)
    assert isinstance(again, Parts)
    part = open_part(again.payloads[0], SITE, verified)
    assert (part.title.base, part.title.upto, part.rows) == (NOTHING, mark, (CARD,))
