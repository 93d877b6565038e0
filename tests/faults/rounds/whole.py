"""The whole gate, `menshen gate run`, with its simulated devices and all waits as they are: kill -9 on a busy day."""

import random
import sys
from pathlib import Path
from typing import Final

from menshen.demo.gate import GATE
from tests.faults.conftest import BUSY
from tests.faults.rounds.judge import judge
from tests.faults.rounds.kills import no_broker
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.ledger import Ledger, read_card
from tests.faults.rounds.office import read_books
from tests.faults.test_kill import CARELESS, released_visits
from tests.installation import Installation

VICTIMS: Final = ("gate", "broker", "ingest")
KILLS: Final = 3


def whole(chance: random.Random, folder: Path) -> Found:
    """Three kills. A door that was released is a promise."""
    day = Installation(folder.absolute(), scenario=BUSY)
    try:
        _play(day, chance)
        return _judged(day)
    finally:
        day.close()


def _play(day: Installation, chance: random.Random) -> None:
    for name in ("broker", "ingest", "gate"):
        day.start(name)
    for _ in range(KILLS):
        victim = chance.choice(VICTIMS)
        for _ in range(chance.randrange(2, 14)):  # some moment of somebody's visit
            day.hear()
        day.hear_for(chance.uniform(0, 0.3))
        day.kill(victim)
        day.start(victim)
        if victim == "gate":
            day.hear_until("ready")
    day.settle()


def whole_control(chance: random.Random, folder: Path) -> Found:
    """An office that loses a record now and then."""
    day = Installation(folder.absolute(), scenario=BUSY)
    day.ingest = [sys.executable, "-c", CARELESS, str(day.port)]
    try:
        for name in ("broker", "ingest", "gate"):
            day.start(name)
        for _ in range(2):
            day.hear_until("decision", outcome="granted")
        day.settle()
        return _judged(day)
    finally:
        day.close()


def _judged(day: Installation) -> Found:
    day.stop("gate")
    day.stop("ingest")
    ledger = Ledger(promised=released_visits(day))
    return judge(ledger, read_card(day.journal), read_books(day.ask_office, GATE))


KINDS: Kinds = (
    Kind("whole-gate", whole, whole_control, "care at the office: it loses a record now and then", no_broker),
)
