"""A slim gate in a process of its own: the real journal, uplink and link, and made-up visits instead of devices.

    python -m tests.faults.rounds.gate NAME HOST PORT --folder FOLDER --seed TEXT --rate PER_S [--trims] …

It writes what it does, line by line, into FOLDER/told, with one system call each, so that nothing of it dies with the process:

    ["promised", VISIT]                       the journal has said that the visit is durable: a door would open now
    ["wrote", LOG, SEQ, BODY_HASH, VISIT]     the record stands in the journal; VISIT is "" for records of other kinds
    ["quiet"]                                 FOLDER/quiet is there, and all that was appended is written

The card, that is the journal with its files, is FOLDER/card.
"""

import argparse
import json
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from bench.journal import moment, visit
from gateway import uplink
from gateway.clock import boot_id
from gateway.journal import Journal, JournalError
from sync.contract.alarms import StateMessage
from sync.contract.records import Refused
from sync.mqtt import MqttLink
from tests.faults.rounds.careless import GATE, take_away
from tests.faults.rounds.hurry import hurry

BURSTS: Final = (1, 1, 1, 2, 5)  # records that come together
TRIM_S: Final = 0.1
READ: Final = 1000


class Teller:
    """Writes the lines. `wrote` is for the journal's thread, or before there is anything to write."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._journal = journal
        self._listed = ("", 0)

    def tell(self, *line: object) -> None:
        """One line."""
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def wrote(self) -> None:
        """List the records that are new in the journal."""
        journal = self._journal
        log_id, after = self._listed
        if journal.log_id != log_id:
            log_id, after = journal.log_id, journal.oldest() - 1
        while records := journal.read(after, READ, READ * 1024):
            for record in records:
                named = json.loads(record.body or b"{}")["visit"] if record.kind == "visit" else ""
                self.tell("wrote", log_id, record.seq, record.body_hash.hex(), named)
            after = records[-1].seq
        self._listed = (log_id, after)


class Hand:
    """Writes records into the journal, as many and as fast as chance will have it."""

    def __init__(self, journal: Journal, teller: Teller, chance: random.Random) -> None:
        self._journal, self._teller, self._chance = journal, teller, chance
        self._number = 0
        self._open = 0
        self._lock = threading.Lock()

    @property
    def waits(self) -> bool:
        """Whether something is appended and not durable yet."""
        with self._lock:
            return self._open > 0

    def write(self) -> None:
        """Some records, together."""
        for _ in range(self._chance.choice(BURSTS)):
            self._number += 1
            if self._chance.random() < 0.1:
                self._journal.append(Refused(what="card", reason="unknown", detail=f"#{self._number}"), moment())
            else:
                self._visit()

    def _visit(self) -> None:
        body = visit(self._number, self._chance)
        with self._lock:
            self._open += 1

        def done(error: JournalError | None) -> None:
            if error is None:
                self._teller.tell("promised", body.visit)
            with self._lock:
                self._open -= 1

        self._journal.append(body, moment(), (), done)


def run(arguments: argparse.Namespace) -> None:
    """Until SIGTERM."""
    stop, folder, boot = threading.Event(), arguments.folder, boot_id()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with closing(Journal.open(folder / "card" / "journal.sqlite", boot=boot, now=moment())) as journal:
        teller = Teller(folder / "told", journal)
        teller.wrote()
        journal.subscribe(teller.wrote)
        road = uplink.Uplink(
            arguments.name,
            journal,
            status=lambda connection: StateMessage(
                online=True, boot=boot.hex(), connection=connection, log_id=journal.log_id
            ),
            now_ms=lambda: moment().mono_ms,
            replace_log=lambda reason, held: journal.replace_log(reason, now=moment(), held=held),
            boot=boot,
        )
        link = MqttLink(
            arguments.host, arguments.port, client_id=arguments.name, will=road.will, connected=road.connected,
            disconnected=road.disconnected,
        )  # fmt: skip
        link.subscribe(road.down_topic, road.received)
        journal.subscribe(road.appended)
        road.start(link)
        link.start()
        work(arguments, journal, teller, stop)
        road.stop()
        link.stop()


def work(arguments: argparse.Namespace, journal: Journal, teller: Teller, stop: threading.Event) -> None:
    """Write until FOLDER/quiet is there, and trim."""
    chance, quiet = random.Random(arguments.seed), arguments.folder / "quiet"
    hand, told, trim_at = Hand(journal, teller, chance), False, 0.0
    while not stop.wait(chance.expovariate(arguments.rate)):
        if not quiet.exists():
            hand.write()
        elif not told and not hand.waits:
            told = True
            teller.tell("quiet")
        if arguments.trims and time.monotonic() >= trim_at:
            trim_at = time.monotonic() + TRIM_S
            journal.trim(moment(), keep_days=0, limit=100_000)


def main(words: Sequence[str] | None = None) -> None:
    """Run a gate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--rate", type=float, required=True, help="bursts of records a second, about")
    parser.add_argument("--trims", action="store_true", help="delete what the office has acknowledged, at once")
    parser.add_argument("--times", type=float, default=1.0, help="how many times shorter the waits of the road are")
    parser.add_argument("--without", default="", help="a protection to go without")
    arguments = parser.parse_args(words)
    hurry(arguments.times)
    take_away(arguments.without, GATE)
    run(arguments)


if __name__ == "__main__":
    main()
