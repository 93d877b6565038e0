"""A disk with no byte of room left, under a gate that runs and under one that starts."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from bench.wear import bodies
from gateway.core.moment import Moment
from gateway.journal import Journal
from gateway.room import FIRST, MB
from sync.contract.records import Dropped
from tests.faults.conftest import CALM
from tests.installation import Installation, Line
from tests.small_disk import small_disk, stuff

ALARM = "SELECT a.cleared, e.source FROM alarms_alarm a JOIN alarms_alarmevent e ON e.alarm_id = a.id WHERE kind = 'journal-failed' AND e.action = 'raised'"
VISIT = "SELECT 1 FROM records WHERE kind = 'visit' AND json_extract(CAST(body AS TEXT), '$.visit') = ?"
CAUSES = "SELECT json_extract(CAST(body AS TEXT), '$.visit') FROM records WHERE kind = 'door' AND json_extract(CAST(body AS TEXT), '$.cause') = 'journal-failed'"
KINDS = "SELECT kind, count(*), sum(body IS NOT NULL) FROM {} GROUP BY kind"
DROPPED = "SELECT body FROM {} WHERE kind = 'dropped' ORDER BY seq"
WEEKS = 450  # visits
VISITS = "SELECT visit FROM entries_entry"
SCARCE = "SELECT detail, cleared FROM alarms_alarm WHERE kind = 'disk' ORDER BY since_ms"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small filesystem for the gate's data and nothing else."""
    with small_disk(tmp_path / "gate", "40m") as disk:
        yield disk


def hear_on_a_full_disk(day: Installation, disk: Path, wanted: Callable[[Line], bool]) -> list[Line]:
    """The lines up to one that is wanted; whatever room the gate makes meanwhile is taken from it."""
    heard: list[Line] = []
    while not heard or not wanted(heard[-1]):
        stuff(disk)
        heard.append(day.hear())
    return heard


def is_line(what: str, **values: str) -> Callable[[Line], bool]:
    return lambda line: line["what"] == what and all(line.get(key) == value for key, value in values.items())


def opens_on_failure(text: str) -> str:
    return text.replace("[policy.portal]", '[policy]\nwhen_journal_fails = "open"\n\n[policy.portal]')


def verify(path: Path) -> None:
    with Journal.open(path, boot=bytes(16), now=Moment(0, 0, trusted=False)) as journal:
        assert journal.recovered is None
        journal.verify()


def head(day: Installation) -> int:
    return int(day.ask_journal("SELECT max(seq) FROM records")[0][0])


@pytest.mark.timeout(240)
def test_the_gate_goes_on_and_nothing_is_lost(disk: Path, install: Callable[..., Installation]) -> None:
    day = install(scenario=CALM)
    filler = disk / "filler"
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    day.hear_until("decision", outcome="granted")

    # full while it runs: the reserve is used up, then grants go to the guard
    heard = hear_on_a_full_disk(day, disk, is_line("decision", reason="journal-failed"))
    assert any(map(is_line("alarm", kind="journal-failed", action="raised"), heard))
    assert heard[-1]["outcome"] == "referred"
    heard = hear_on_a_full_disk(day, disk, is_line("scene-ended"))
    assert not any(map(is_line("door", state="released"), heard)), "the door opened without a record"
    assert any(map(is_line("say", phrase="guard-comes"), heard))
    before = head(day)
    hear_on_a_full_disk(day, disk, is_line("scene", en="Out"))
    heard = hear_on_a_full_disk(day, disk, is_line("scene-ended"))
    assert any(map(is_line("door", state="released"), heard)), "the exit button must open on a full disk"
    assert head(day) == before, "the disk was not full"
    day.wait_until("the office has the alarm", lambda: bool(day.ask_office(ALARM)))
    assert day.ask_office(ALARM) in ([(0, "message")], [(0, "state")])
    assert "the disk is full: free some space" in day.log("gate")

    filler.unlink()
    day.hear_until("alarm", kind="journal-failed", action="cleared")
    day.hear_until("decision", outcome="granted", reason="ok")
    day.settle()
    assert day.tally().whole
    decided = [line for line in day.lines if line["what"] == "decision" and line["reason"] != "journal-failed"]
    assert day.tally().visits == len(decided)
    withheld = len(day.ask_journal(CAUSES))
    assert withheld == sum(map(is_line("decision", reason="journal-failed"), day.lines)) > 0
    assert [cleared for cleared, _ in day.ask_office(ALARM)] == [1]

    # full when it starts, and where a grant opens all the same
    day.stop("gate")
    verify(day.journal)
    filler = stuff(disk)
    day.configure(visits=0, change=opens_on_failure)
    day.start("gate")
    heard = hear_on_a_full_disk(day, disk, is_line("alarm", kind="journal-failed", action="raised"))
    let_in = ""
    while not let_in or day.ask_journal(VISIT, let_in):
        heard = hear_on_a_full_disk(day, disk, lambda line: line["what"] == "door" and line["state"] == "released")
        let_in = heard[-1].get("visit", "")
    filler.unlink()
    day.hear_until("alarm", kind="journal-failed", action="cleared")
    day.settle(opens_on_failure)
    assert day.tally().whole
    assert day.ask_journal(VISIT, let_in) == [(1,)]
    assert (let_in,) in day.ask_journal(CAUSES)
    day.wait_until("the office clears it", lambda: [row[0] for row in day.ask_office(ALARM)] == [1, 1])
    day.stop("gate")
    verify(day.journal)


def little_room(text: str) -> str:
    return text + "\n[journal]\nmin_free_mb = 8\n"


def fill_to(disk: Path, left: int) -> Path:
    """Leave `left` bytes of room. Returns the file that takes the rest."""
    filler = disk / "filler"
    found = os.statvfs(disk)
    filler.write_bytes(bytes(found.f_bavail * found.f_frsize - left))
    return filler


def counted(rows: list[tuple[str, int, int]]) -> tuple[dict[str, int], dict[str, int]]:
    """How many records of each kind there are, and how many of them have a body."""
    return {kind: count for kind, count, _ in rows}, {kind: whole for kind, _, whole in rows}


def told(rows: list[tuple[bytes]]) -> list[Dropped]:
    return [msgspec.json.decode(body, type=Dropped) for (body,) in rows]


def record_weeks(path: Path) -> None:
    """What a gate has recorded that the office has not heard from for long."""
    chance = random.Random(1)
    with Journal.open(path, boot=bytes(16), now=Moment(0, 1_700_000_000_000)) as journal:
        for number in range(WEEKS):
            for body in bodies(number, chance):
                journal.append(body, Moment(number, 1_700_000_000_000 + number))


@pytest.mark.timeout(300)
def test_offline_for_long_it_gives_up_what_it_can_spare_and_no_visit(
    disk: Path, install: Callable[..., Installation]
) -> None:
    day = install(scenario=CALM)
    record_weeks(day.journal)
    day.configure(visits=2, change=little_room)
    day.start("gate")
    day.hear_until("finished")
    before, whole = counted(day.ask_journal(KINDS.format("records")))
    assert before == whole and before["visit"] == WEEKS + 2

    # nearly full, and the office far away
    filler = fill_to(disk, 6 * MB)
    day.hear_until("alarm", kind="disk", action="raised", detail="disk-nearly-full")
    day.wait_until("all that is worth it was given up", lambda: len(day.ask_journal(DROPPED.format("records"))) == 2)
    count, whole = counted(day.ask_journal(KINDS.format("records")))
    lost = Counter[str]()
    for each in told(day.ask_journal(DROPPED.format("records"))):
        assert (each.reason, each.sent) == ("disk-nearly-full", 0)
        lost.update(each.kinds)
    assert lost == {kind: number for kind in count if (number := count[kind] - whole[kind])}
    assert lost == {"door": before["door"], "passage": before["passage"]} and lost.keys() <= FIRST.keys()
    assert {kind: whole[kind] for kind in ("visit", "alarm")} == {"visit": before["visit"], "alarm": 1}

    # the office comes: it gets every visit, and what is missing of the rest
    for name in ("broker", "ingest"):
        day.start(name)
    day.wait_until("the office has every visit", lambda: len(day.ask_office(VISITS)) == before["visit"])
    at_office, whole_at_office = counted(day.ask_office(KINDS.format("ingest_record")))
    assert {kind: at_office[kind] - whole_at_office[kind] for kind in lost} == lost
    assert (
        sum(sum(each.kinds.values()) for each in told(day.ask_office(DROPPED.format("ingest_record")))) == lost.total()
    )
    assert day.ask_office(SCARCE) == [("disk-nearly-full", 0)]

    # the disk is as full as before: now what the office has goes, before its time, and that is told too
    sent = "SELECT trimmed_seq FROM meta"
    day.wait_until(
        "what the office has is deleted, and that is told",
        lambda: any(each.sent for each in told(day.ask_journal(DROPPED.format("records")))),
    )
    day.wait_until_told()
    gone = [each for each in told(day.ask_office(DROPPED.format("ingest_record"))) if each.sent]
    assert sum(each.sent for each in gone) == gone[-1].last == day.ask_journal(sent)[0][0]
    filler.unlink()
    day.hear_until("alarm", kind="disk", action="cleared")
    day.wait_until("the office clears it", lambda: day.ask_office(SCARCE) == [("disk-nearly-full", 1)])
    day.stop("gate")
    verify(day.journal)
    assert len(day.ask_office(VISITS)) == before["visit"]
