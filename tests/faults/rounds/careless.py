"""Protections taken away, for the controls: each a patch of the real parts, in a process of its own, started in place of them.

What a protection is for shows only where a round hits it: a control that is not found out within some rounds says that the
kind of fault proves nothing.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gateway import uplink
from gateway.journal import Journal, opening
from gateway.journal.mailbox import Done
from gateway.journal.store import Store
from sync import mqtt
from sync.log import sender
from sync.log.messages import Batch
from sync.log.receiver import decode_upward
from sync.log.sender import Acknowledged, Action, Send
from sync.log.view import Head
from tests.faults.rounds.hurry import KEEPALIVE
from tests.sync.careless import Believer, sees_no_fork, stores_whatever_comes

GATHER_S: Final = 0.1  # what is promised too early is in memory for so long

# the gate's


def _promises_before_the_commit() -> None:
    """A record counts as written once it is in memory."""
    append, commit = Journal.append, Store.commit

    def careless(self: Journal, body: Any, now: Any, changes: Sequence[Any] = (), done: Done | None = None) -> None:
        if done is not None:
            done(None)
        append(self, body, now, changes)

    def late(self: Store, jobs: Any, notes: Any) -> None:
        if jobs:
            time.sleep(GATHER_S)
        commit(self, jobs, notes)

    Journal.append = careless
    Store.commit = late


class DeletesOnPuback(uplink.Uplink):
    """Deletes what the broker has confirmed. `_log` is the journal itself."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._published: list[tuple[Any, Head]] = []

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if not isinstance(action, Acknowledged):
                super()._carry_out([action])
            if isinstance(action, Send):
                self._note(action.payload)
        self._delete()

    def _note(self, payload: bytes) -> None:
        message, connection = decode_upward(payload), getattr(self._link, "_connection", None)
        if isinstance(message, Batch) and connection is not None and connection._unconfirmed:
            last = message.records[-1]
            self._published.append((connection._unconfirmed[-1][0], Head(last.seq, self._log.hash_at(last.seq) or b"")))

    def _delete(self) -> None:
        journal: Any = self._log
        confirmed = [upto for sent, upto in self._published if sent.is_published()]
        self._published = [(sent, upto) for sent, upto in self._published if not sent.is_published()]
        if confirmed and confirmed[-1].seq > journal.acked.seq:
            journal.acknowledge(*confirmed[-1])
            journal.trim(_now(), keep_days=0, limit=100_000)


def _now() -> Any:
    from bench.journal import moment

    return moment()


class GoesOn(sender.Sender):
    """After a break it goes on behind what it sent last, and asks nobody."""

    def connected(self, now: int) -> Sequence[Action]:
        """The link is up."""
        if self._told is None:
            return super().connected(now)
        self._connected = True
        self._cursor = self._cursor or self._told
        self._wake = now
        return ()

    def disconnected(self) -> None:
        """The link is down; what was sent has surely arrived."""
        self._connected = False
        self._wake = None
        self._window.forget()


class NeverComparing(Believer):
    """Whatever the office says that it holds is what was written here."""

    def _on_fork(self, fork: Any, now: int) -> Sequence[Action]:
        return ()


def _has_one_name() -> None:
    """Every log of the gate is called the same, and nobody compares hashes."""
    build = opening.build

    def careless(draft: Path, *rest: Any) -> None:
        build(draft, *rest)
        with closing(sqlite3.connect(draft)) as connection, connection:
            connection.execute("UPDATE meta SET log_id = ?", ("0" * 32,))

    opening.build = careless
    _use_sender(NeverComparing)()


def _carries_nothing_over() -> None:
    opening._sound = lambda _source, _acked: iter(())


def _offers_no_earlier_log() -> None:
    Journal.earlier = lambda _self: ()


def _waits_for_ever() -> None:
    """Of a broker that says nothing, an answer is still expected."""
    mqtt.PATIENCE = tuple(replace(each, ready_s=1e6) for each in mqtt.PATIENCE)
    defaults = mqtt.MqttLink.__init__.__kwdefaults__
    assert defaults is not None
    defaults[KEEPALIVE] = 0


def _use_uplink(kind: type[uplink.Uplink]) -> Callable[[], None]:
    return lambda: setattr(uplink, "Uplink", kind)


def _use_sender(kind: type[sender.Sender]) -> Callable[[], None]:
    return lambda: setattr(uplink, "Sender", kind)


GATE: Final[dict[str, Callable[[], None]]] = {
    "commit": _promises_before_the_commit,
    "acknowledgement": _use_uplink(DeletesOnPuback),
    "cursor": _use_sender(GoesOn),
    "hashes": _use_sender(NeverComparing),
    "names": _has_one_name,
    "earlier": _offers_no_earlier_log,
    "carrying": _carries_nothing_over,
    "deadline": _waits_for_ever,
}

# the office's


def _answers_before_the_commit() -> None:
    from django.db import transaction

    from central.ingest.process import Ingest
    from central.ingest.writer import Writer

    answer, write = Ingest._answer, Writer.write
    told = threading.local()

    def early(self: Writer, incoming: Any) -> Any:
        with transaction.atomic():
            answers = write(self, incoming)
            told.ingest._send_early(answers)
            time.sleep(GATHER_S)
        return answers

    def begin(self: Ingest, incoming: Any, real: Any = Ingest._write) -> None:
        told.ingest = self
        real(self, incoming)

    Ingest._write = begin
    Ingest._send_early = answer
    Ingest._answer = lambda _self, _answers: None
    Writer.write = early


def _takes_whatever_comes() -> None:
    from central.ingest import writer

    writer.receive = stores_whatever_comes


def _has_no_index() -> None:
    """The cursor is not looked at, and no key keeps a record from coming twice either (PostgreSQL)."""
    from django.db import connection

    _takes_whatever_comes()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ingest_record DROP CONSTRAINT IF EXISTS one_record")
    connection.close()


def _sees_no_fork() -> None:
    from central.ingest import writer

    writer.receive = sees_no_fork


def _keeps_no_ranges() -> None:
    from central.ingest import ranges

    ranges.name = lambda *_: None


def _has_no_lock() -> None:
    import fcntl

    fcntl.flock = lambda *_: None


def _commits_in_memory() -> None:
    """Its commits return before they are written."""
    from django.db import connection

    options = connection.settings_dict["OPTIONS"]
    assert "synchronous_commit=on" in options["options"], "the session's options have another name now"
    options["options"] = options["options"].replace("synchronous_commit=on", "synchronous_commit=off")


OFFICE: Final[dict[str, Callable[[], None]]] = {
    "answer": _answers_before_the_commit,
    "cursor": _takes_whatever_comes,
    "index": _has_no_index,
    "hashes": _sees_no_fork,
    "names": _sees_no_fork,
    "ranges": _keeps_no_ranges,
    "lock": _has_no_lock,
    "deadline": _waits_for_ever,
    "durability": _commits_in_memory,
}


def take_away(what: str, parts: dict[str, Callable[[], None]]) -> None:
    """Take a protection away in this process, where it has one of that name; "" takes nothing."""
    assert not what or what in GATE or what in OFFICE, f"no protection is called {what}"
    if what in parts:
        parts[what]()
