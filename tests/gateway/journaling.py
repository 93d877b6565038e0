"""What the journal's tests share."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.core.effects import StateChange
from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError
from sync.contract.records import Body, LogOpened, Mode, decode_body
from sync.log.records import Record

BOOT = bytes(range(16))
NOW = Moment(mono_ms=5_000, at_ms=1_700_000_000_000)
DAY_MS = 86_400_000
WAIT_S = 10.0


def opened(path: Path, now: Moment = NOW, gate: str = "", **options: int) -> Journal:
    """The journal at `path`."""
    return Journal.open(path, boot=BOOT, now=now, gate=gate, **options)


def body(number: int) -> Mode:
    """A small body that can be told from others."""
    return Mode(mode=f"m{number}", before="normal", by="test")


class Answer:
    """A `done` to wait for."""

    def __init__(self) -> None:
        self.errors: list[JournalError | None] = []
        self._told = threading.Event()

    def __call__(self, error: JournalError | None) -> None:
        self.errors.append(error)
        self._told.set()

    def wait(self) -> JournalError | None:
        """The first answer."""
        assert self._told.wait(WAIT_S), "no answer came"
        return self.errors[0]


class Watch:
    """A listener that lets a test wait for something to become true."""

    def __init__(self, journal: Journal) -> None:
        self._changed = threading.Condition()
        journal.subscribe(self._tell)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_S), "it never came true"


def write(journal: Journal, some: Body, now: Moment = NOW, changes: Sequence[StateChange] = ()) -> None:
    """Append one record and wait until it is durable."""
    answer = Answer()
    journal.append(some, now, changes, answer)
    assert answer.wait() is None


def write_many(journal: Journal, count: int, now: Moment = NOW) -> None:
    """Append records m1, m2 …; durable on return."""
    for number in range(1, count):
        journal.append(body(number), now)
    write(journal, body(count), now)


def everything(journal: Journal) -> list[Record]:
    """All records held."""
    return journal.read(journal.oldest() - 1, 1_000_000, 1_000_000_000)


def modes(journal: Journal) -> list[str]:
    """The words of the records that `body` made, in order."""
    bodies = [decode_body(record.kind, record.body) for record in everything(journal) if record.body is not None]
    return [some.mode for some in bodies if isinstance(some, Mode)]


def first(journal: Journal) -> LogOpened:
    """The log's first record."""
    record = journal.read(0, 1, 100_000)[0]
    assert record.body is not None
    some = decode_body(record.kind, record.body)
    assert isinstance(some, LogOpened)
    return some
