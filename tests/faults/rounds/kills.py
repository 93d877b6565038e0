"""kill -9, at any moment, of any of the processes and of several at once."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.faults.rounds.kinds import Found, Kind, Kinds, Round
from tests.faults.rounds.site import Plan, Site
from tests.mosquitto import program
from tests.postgres import programs

BACKLOG_S: Final = (1.0, 2.5)


def no_broker() -> str:
    """Why there is no broker here, "" where there is one."""
    return "" if program("mosquitto") else "mosquitto is not installed (make test installs it)"


def no_postgres() -> str:
    """Why there is no PostgreSQL here, or no broker."""
    return no_broker() or ("" if programs() else "PostgreSQL is not installed (make test installs it, as root)")


def some_plan(chance: random.Random) -> Plan:
    """What is left to chance in most kinds: the database, one gate or two, and whether they keep what has arrived."""
    postgres = not no_postgres() and chance.random() < 0.3
    return Plan(
        database="postgresql" if postgres else "sqlite",
        gates=chance.choice((1, 1, 2)),
        trims=chance.random() < 0.5,
        rate=chance.choice((15.0, 40.0, 80.0)),
    )


def kills(victims: Sequence[str], *, database: str = "", without: str = "") -> Round:
    """Rounds in which some of these are killed, two to four times; the database too where a round has a server for it and
    there are several."""

    def play(chance: random.Random, folder: Path) -> Found:
        plan = some_plan(chance)
        if database:
            plan = replace(plan, database=database)
        if without:
            plan = replace(plan, without=without, trims=without != "cursor", rate=120.0, limit_s=12.0)
        many = [*victims, "postgres"] if len(victims) > 2 and plan.database == "postgresql" else list(victims)
        with Site(folder, chance, plan) as site:
            site.start("broker", "ingest", "gates")
            for _ in range(chance.randint(2, 4)):
                site.flow()
                _kill_some(site, chance.sample(many, chance.randint(1, len(many))))
            site.flow()
            return site.judged()

    return play


def _kill_some(site: Site, dying: list[str]) -> None:
    """Kill them, and start them again in another order: at once, or when a backlog has come together."""
    chance = site.chance
    site.kill(*dying)
    site.pass_time(chance.uniform(*chance.choice(((0.0, 0.4), (0.0, 0.4), BACKLOG_S))))
    chance.shuffle(dying)
    site.start(*(name for name in dying if name != "backend"))


KINDS: Kinds = (
    Kind(
        "kill-gate", kills(["gates"]), kills(["gates"], without="commit"),
        "the commit before the promise: a record counts as written once it is in memory", no_broker, weight=3,
    ),
    Kind(
        "kill-broker", kills(["broker"]), kills(["broker"], without="cursor"),
        "the cursor: the gate goes on after what it sent last, the office takes a batch wherever it begins",
        no_broker, weight=3,
    ),
    Kind(
        "kill-ingest", kills(["ingest"]), kills(["ingest"], without="answer"),
        "the commit before the answer: the office acknowledges what it is about to write", no_broker, weight=3,
    ),
    Kind(
        "kill-postgres", kills(["postgres", "backend"], database="postgresql"),
        kills(["postgres"], database="postgresql", without="durability"),
        "synchronous_commit: the database calls durable what it has in memory", no_postgres, weight=2,
    ),
    Kind(
        "kill-several", kills(["gates", "broker", "ingest"]),
        kills(["broker", "ingest"], without="acknowledgement"),
        "the office's acknowledgement: the gate deletes on the broker's PUBACK", no_broker, weight=4,
    ),
)  # fmt: skip
