"""Upkeep of a real journal."""

import threading
from pathlib import Path

import pytest

from gateway import upkeep
from gateway.core.moment import Moment
from gateway.upkeep import TRIM_MS, Upkeep
from tests.gateway.journaling import DAY_MS, NOW, Answer, body, opened


def later(days: float) -> Moment:
    return NOW.after(int(days * DAY_MS))


def test_trims_what_was_acknowledged_and_is_old_while_nobody_is_there(tmp_path: Path) -> None:
    clock = [later(31)]
    idle = [False]
    with opened(tmp_path / "journal.sqlite") as journal:
        for number in range(450):
            journal.append(body(number), NOW)
        last = Answer()
        journal.append(body(450), NOW, done=last)
        assert last.wait() is None
        head = journal.head()
        journal.acknowledge(head.seq, head.hash)
        upkeep = Upkeep(journal, lambda: clock[0], lambda: idle[0], keep_days=30)

        upkeep.look()
        assert journal.oldest() == 1, "somebody is at the gate"
        idle[0] = True
        upkeep.look()
        assert journal.oldest() == head.seq + 1
        assert journal.verify().records == 0


def test_trims_once_an_hour(tmp_path: Path) -> None:
    clock = [later(31)]
    with opened(tmp_path / "journal.sqlite") as journal:
        upkeep = Upkeep(journal, lambda: clock[0], lambda: True, keep_days=30)
        upkeep.look()
        answer = Answer()
        journal.append(body(1), NOW, done=answer)
        assert answer.wait() is None
        head = journal.head()
        journal.acknowledge(head.seq, head.hash)
        upkeep.look()
        assert journal.oldest() == 1
        clock[0] = clock[0].after(TRIM_MS)
        upkeep.look()
        assert journal.oldest() == head.seq + 1


def test_what_else_is_looked_at_is_so_whether_somebody_is_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "EVERY_S", 0.0)
    looked = threading.Event()
    with opened(tmp_path / "journal.sqlite") as journal:
        busy = Upkeep(journal, lambda: NOW, lambda: False, looked.set, keep_days=30)
        busy.start()
        assert looked.wait(10)
        busy.stop()
