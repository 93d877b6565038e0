"""kill -9 of gate, broker and office at random moments of a busy day: nothing is lost, nothing is there twice."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import BUSY
from tests.installation import Installation

KILLS = 9  # `make faults` makes hundreds
VICTIMS = ("gate", "broker", "ingest")
CARELESS = """
import sys
import django
django.setup()
from central.ingest import process, store
def careless(sheet, _write=store.Sheet.write):
    took = bool(sheet._records)
    _write(sheet)
    if not took:
        return
    from central.ingest.models import Record
    newest = Record.objects.filter(kind="visit").order_by("-id").values_list("pk", flat=True)[:1]
    from central.entries.models import Entry
    Entry.objects.filter(record__in=list(newest)).delete()
    Record.objects.filter(pk__in=list(newest)).delete()
store.Sheet.write = careless
process.main("127.0.0.1", int(sys.argv[1]))
"""


def released_visits(installation: Installation) -> set[str]:
    """The visits for which the door was seen to be released."""
    doors = [line for line in installation.lines if line["what"] == "door" and line["state"] == "released"]
    return {line["visit"] for line in doors if line.get("visit")}


def journal_visits(installation: Installation) -> list[str]:
    """The visits that the journal holds."""
    sql = "SELECT json_extract(CAST(body AS TEXT), '$.visit') FROM records WHERE kind = 'visit'"
    return [row[0] for row in installation.ask_journal(sql)]


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled(install: Callable[..., Installation]) -> None:
    day = install(scenario=BUSY)
    chance = random.Random(20)
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    for number in range(KILLS):
        victim = VICTIMS[number % len(VICTIMS)]
        for _ in range(chance.randrange(2, 14)):  # some moment of somebody's visit
            day.hear()
        day.hear_for(chance.uniform(0, 0.3))  # and not only right after something was told
        day.kill(victim)
        for _ in range(chance.randrange(0, 5) if victim != "gate" else 0):  # the others go on without it for a while
            day.hear()
        day.start(victim)
        if victim == "gate":
            day.hear_until("ready")
    day.settle()

    tally = day.tally()
    assert (tally.missing, tally.duplicates) == (0, 0)
    assert tally.whole
    assert tally.journal_records > 2 * KILLS
    visits = journal_visits(day)
    assert len(visits) == len(set(visits))
    seen = released_visits(day)
    assert seen, "no door was ever released"
    assert seen <= set(visits), "a door was released for a visit that is not on record"


@pytest.mark.timeout(120)
def test_the_tally_would_see_a_loss(install: Callable[..., Installation], tmp_path: Path) -> None:
    """Positive control: an office that loses a record now and then is found out."""
    day = install(scenario=BUSY)
    day.ingest = [sys.executable, "-c", CARELESS, str(day.port)]
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    for _ in range(2):
        day.hear_until("decision", outcome="granted")
    day.settle()
    tally = day.tally()
    assert tally.missing > 0
    assert not tally.whole
