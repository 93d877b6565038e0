"""Work beside ingest goes on, whatever fails."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.db import OperationalError

from central import beside
from central.beside import Beside

WAIT_S = 20.0


@pytest.fixture
def work(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Exception | None]], threading.Event]]:
    """Starts work that fails so one time after the other; the event is set when the last time was reached."""
    monkeypatch.setattr(beside, "RETRY_S", 0.01)
    running: list[Beside] = []

    def start(outcomes: list[Exception | None]) -> threading.Event:
        reached = threading.Event()

        def once(_now: datetime) -> None:
            outcome = outcomes.pop(0) if outcomes else None
            if not outcomes:
                reached.set()
            if outcome is not None:
                raise outcome

        running.append(Beside("work", once, 0.01))
        running[0].start()
        return reached

    yield start
    for each in running:
        each.stop()
        assert not each._thread.is_alive()


def test_a_database_that_is_away_is_told_once_and_its_return_too(
    work: Callable[[list[Exception | None]], threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    away = [OperationalError("gone") for _ in range(3)]
    assert work([None, *away, None, None]).wait(WAIT_S)
    told = [record.getMessage() for record in caplog.records if record.name == "menshen.beside"]
    assert told == ["work: the database cannot be used: gone", "work: the database can be used again"]


def test_a_fault_of_ours_is_told_and_the_work_goes_on(
    work: Callable[[list[Exception | None]], threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    assert work([ValueError("ours"), None, None]).wait(WAIT_S)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == ["work failed; going on"]
