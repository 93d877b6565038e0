"""A disk with no byte of room left, under a gate that runs and under one that starts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.core.moment import Moment
from gateway.journal import Journal
from tests.faults.conftest import CALM
from tests.installation import Installation, Line
from tests.small_disk import small_disk, stuff

ALARM = "SELECT a.cleared, e.source FROM alarms_alarm a JOIN alarms_alarmevent e ON e.alarm_id = a.id WHERE kind = 'journal-failed' AND e.action = 'raised'"
VISIT = "SELECT 1 FROM records WHERE kind = 'visit' AND json_extract(CAST(body AS TEXT), '$.visit') = ?"
CAUSES = "SELECT json_extract(CAST(body AS TEXT), '$.visit') FROM records WHERE kind = 'door' AND json_extract(CAST(body AS TEXT), '$.cause') = 'journal-failed'"


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
