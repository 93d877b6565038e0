"""Several ingest processes: on SQLite the second is turned away, on PostgreSQL they share the gates by leases, and one of them
is killed, or frozen until its lease is another's and thawed again."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.faults.rounds.kills import no_broker, no_postgres, some_plan
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.site import Plan, Site

REFUSED_S: Final = 10.0
LEASE_S: Final = 1.0
_TURNED_AWAY: Final = b"another `menshen office ingest` is at work"


# SQLite


def second(chance: random.Random, folder: Path) -> Found:
    """A second ingest is started beside the first, once or twice: it ends at once, and says why."""
    return _second(chance, folder, replace(some_plan(chance), database="sqlite"))


def second_control(chance: random.Random, folder: Path) -> Found:
    """The same without the lock."""
    return _second(chance, folder, Plan(without="lock"))


def _second(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with Site(folder, chance, plan) as site:
        site.start("broker", "ingest", "gates")
        site.arrive()
        for _ in range(chance.randint(1, 2)):
            _is_turned_away(site)
            site.flow()
        site.kill("ingest")
        site.start("ingest")  # nothing that the killed one has left keeps the next one out
        site.flow()
        return site.judged()


def _is_turned_away(site: Site) -> None:
    child = site.new_ingest("ingest-2")
    ended = site.came_to(lambda: child.process.poll() is not None, REFUSED_S if not site.plan.without else 3.0)
    if not ended or not child.process.returncode or _TURNED_AWAY not in child.log.read_bytes():
        site.troubles.append("a second ingest on SQLite was not turned away")
    child.process.kill()
    child.process.wait()


# PostgreSQL


def shared(chance: random.Random, folder: Path) -> Found:
    """Two processes and two gates; one process after the other is killed, or frozen past its lease and thawed."""
    plan = replace(some_plan(chance), database="postgresql", gates=2, rate=60.0, lease_s=LEASE_S)
    with Site(folder, chance, plan) as site:
        site.start("broker", "ingest", "ingest-2", "gates")
        site.arrive()
        for _ in range(chance.randint(1, 2)):
            name = chance.choice(("ingest", "ingest-2"))
            if chance.random() < 0.5:
                site.kill(name)
                site.flow()
                site.start(name)
            else:
                _sleep(site, name)
            site.flow()
        return site.judged()


def _sleep(site: Site, name: str) -> None:
    """Freeze it until its lease has run out, and mostly until another one has its gates. What was sent to it meanwhile waits
    at its door, and it takes it when it wakes up. In the middle of a transaction it holds up the others, for half a minute at
    most (`central/database.py`): then it is thawed before."""
    site.freeze(name)
    site.pass_time(LEASE_S * site.chance.uniform(0.5, 2.0))
    site.write()
    site.has_arrived(3 * LEASE_S)
    site.thaw(name)


def shared_control(chance: random.Random, folder: Path) -> Found:
    """Both are frozen in turn, and neither a cursor nor a key keeps what they wake up with from coming twice."""
    plan = Plan(database="postgresql", gates=2, rate=60.0, lease_s=LEASE_S, without="index", limit_s=15.0)
    with Site(folder, chance, plan) as site:
        site.start("broker", "ingest", "ingest-2", "gates")
        site.arrive()
        for name in ("ingest", "ingest-2"):
            _sleep(site, name)
            site.flow()
        return site.judged()


KINDS: Kinds = (
    Kind("second-ingest", second, second_control, "the lock of the one ingest that SQLite takes", no_broker),
    Kind(
        "shared-ingest", shared, shared_control,
        "the cursor and the key: a process that wakes up writes what it has in hand", no_postgres, weight=2,
    ),
)  # fmt: skip
