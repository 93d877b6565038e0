"""Either side is put back to what it was: the office's database, the gate's card; or a card is new, moved aside, damaged."""

import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.faults.rounds.kills import no_broker, some_plan
from tests.faults.rounds.kinds import Found, Kind, Kinds
from tests.faults.rounds.ledger import Card, Row
from tests.faults.rounds.site import Gate, Plan, Site

TAIL: Final = 150  # records at the end, whose chain a gate looks at when it starts
REMOVED: Final = 0.25
KNOWN: Final = 0.7  # else the office has never heard of the log when it is damaged

# the office


def office_restored(chance: random.Random, folder: Path) -> Found:
    """Last night's backup, while the gates go on; once or twice."""
    return _restored(chance, folder, some_plan(chance))


def office_control(chance: random.Random, folder: Path) -> Found:
    """With gates that have deleted what is missing then, and an office that does not say so."""
    return _restored(chance, folder, Plan(trims=True, without="ranges", rate=60.0))


def _restored(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with Site(folder, chance, plan) as site:
        site.start("broker", "ingest", "gates")
        for gate in site.gates:
            gate.ledger.named = plan.trims
        site.flow()
        site.office.image()
        for _ in range(chance.randint(1, 2)):
            site.arrive()
            site.kill("ingest")
            had = {gate.name: site.at_office(gate) for gate in site.gates}
            site.office.put_back()
            for gate in site.gates:
                _owe(gate, had[gate.name], trims=plan.trims)
            site.start("ingest")
            site.flow()
        site.arrive()
        return site.judged()


def _owe(gate: Gate, had: set[bytes], *, trims: bool) -> None:
    """What a gate holds now has to come, whatever the office says, until the office is put back once more. An acknowledgement
    may still be on its way to a gate that trims: what the office had may be deleted yet, but not what lies aside."""
    held = gate.held()
    gate.ledger.owed = (held - had if trims else held) | gate.held_aside()


# the office, from before gates gave their logs up


def old_log_wanted(chance: random.Random, folder: Path) -> Found:
    """A backup from before a gate's log was replaced, once or several times: what the office had of the old ones lies aside."""
    return _old_log_wanted(chance, folder, replace(some_plan(chance), gates=1))


def old_log_control(chance: random.Random, folder: Path) -> Found:
    """The gate offers the log that it has, and no other."""
    return _old_log_wanted(chance, folder, Plan(without="earlier", rate=60.0, limit_s=12.0))


def _old_log_wanted(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with Site(folder, chance, plan) as site:
        gate = site.gates[0]
        gate.ledger.named, gate.ledger.may_open = plan.trims, True
        site.start("broker", "ingest", "gates")
        site.arrive()
        site.office.image()
        for _ in range(chance.randint(1, 3)):
            site.arrive()
            _spoil(site, gate, chance)
            site.start(gate.name)
            site.flow()
        site.arrive()
        if not plan.without and chance.random() < REMOVED:
            site.stop(gate)
            _, _, file = chance.choice(gate.asides())
            file.unlink()
            gate.ledger.named = True
        site.kill("ingest")
        had = site.at_office(gate)
        site.office.put_back()
        _owe(gate, had, trims=plan.trims)
        site.start("ingest", gate.name)
        site.flow()
        return site.judged()


def _spoil(site: Site, gate: Gate, chance: random.Random) -> None:
    """Other bytes where its write-ahead log was, of a gate that has ended: it opens a new log, and nothing is lost by that."""
    site.stop(gate)
    gate.note()
    gate.journal.with_name(gate.journal.name + "-wal").write_bytes(chance.randbytes(20_000))


# the gate's card


def card_put_back(chance: random.Random, folder: Path) -> Found:
    """An image of the card is put back: the gate is rewound, and goes on with numbers that the office has seen."""
    return _put_back(chance, folder, some_plan(chance), offline=chance.random() < 0.5)


def card_control(chance: random.Random, folder: Path) -> Found:
    """It writes past the office's cursor before it comes back to the road, and nobody compares hashes."""
    return _put_back(chance, folder, Plan(without="hashes", rate=60.0, limit_s=12.0), offline=True)


def _put_back(chance: random.Random, folder: Path, plan: Plan, *, offline: bool) -> Found:
    with Site(folder, chance, plan) as site:
        gate = site.gates[0]
        site.start("broker", "ingest", "gates")
        site.arrive()
        site.kill(gate.name)
        gate.image()
        site.start(gate.name)
        site.arrive()
        site.kill(gate.name)
        if offline:
            site.kill("broker")
        gate.exchange_card(gate.folder / "image", site.at_office(gate))
        site.start(gate.name)
        if offline:
            _outrun(site, gate)
            site.start("broker")
        site.flow()
        return site.judged()


def _outrun(site: Site, gate: Gate) -> None:
    """Until the journal is longer than what the office has of its log."""
    log_id, _ = gate.head()
    cursor = site.cursor(gate, log_id)
    reached = 0 if cursor is None else cursor.seq
    site.wait_until("the gate has written more than the office has", lambda: gate.head()[1].seq > reached)


# a card that is another one


def card_replaced(chance: random.Random, folder: Path) -> Found:
    """A new card under the same name: all of it (the gate was replaced), or the journal alone (moved aside)."""
    return _replaced(chance, folder, some_plan(chance))


def replaced_control(chance: random.Random, folder: Path) -> Found:
    """The new log takes the old one's name, and nobody compares hashes."""
    return _replaced(chance, folder, Plan(without="names", rate=60.0, limit_s=12.0))


def _replaced(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with Site(folder, chance, plan) as site:
        gate = site.gates[0]
        site.start("broker", "ingest", "gates")
        for _ in range(chance.randint(1, 2)):
            site.arrive()
            site.kill(gate.name)
            gate.exchange_card(None, site.at_office(gate))
            site.start(gate.name)
            site.flow()
        site.arrive()
        return site.judged()


# a card that is damaged


def card_damaged(chance: random.Random, folder: Path) -> Found:
    """A record that has not arrived yet has other bytes at the end of its body. Only that one may be missing, and by name."""
    return _damaged(chance, folder, replace(some_plan(chance), trims=False))


def damaged_control(chance: random.Random, folder: Path) -> Found:
    """The new log begins with nothing of the old one."""
    return _damaged(chance, folder, Plan(without="carrying", rate=60.0))


def _damaged(chance: random.Random, folder: Path, plan: Plan) -> Found:
    with Site(folder, chance, plan) as site:
        gate = site.gates[0]
        site.start("broker", "gates")
        if chance.random() < KNOWN:
            site.start("ingest")
            site.arrive()
            site.kill("ingest")
        site.write(10, 40)
        site.stop(gate)
        gate.note()
        at_office = site.at_office(gate)
        hit = _overwrite(gate.journal, gate.card(), at_office, chance)
        gate.ledger.may_open = gate.ledger.named = True
        gate.ledger.owed |= gate.ledger.places.keys() - at_office - {hit.record.body_hash}
        site.start("ingest", gate.name)
        site.flow()
        return site.judged()


def _overwrite(journal: Path, card: Card, at_office: set[bytes], chance: random.Random) -> Row:
    """Write other bytes where one of the last records, which the office does not have, has the end of its body: right
    before its salt. Which one."""
    rows = [row for row in card.rows[-TAIL:] if row.record.body_hash not in at_office]
    content, row = journal.read_bytes(), chance.choice(rows)
    salt = row.record.salt or b""
    assert content.count(salt) == 1, "the salt of a record stands in the file once"
    with closing(journal.open("r+b")) as file:
        file.seek(content.index(salt) - 8)
        file.write(chance.randbytes(8))
    return row


# both


def both_put_back(chance: random.Random, folder: Path) -> Found:
    """The office's backup and the card's image, in either order, with a few records in between."""
    plan = replace(some_plan(chance), gates=1)
    with Site(folder, chance, plan) as site:
        gate = site.gates[0]
        site.start("broker", "ingest", "gates")
        site.arrive()
        site.kill(gate.name)
        gate.image()
        site.start(gate.name)
        site.flow()
        site.office.image()
        site.arrive()
        gate.ledger.named = True
        for what in chance.sample(("card", "office"), 2):
            _put_back_one(site, gate, what)
            site.start("ingest", gate.name)
            site.arrive()
        return site.judged()


def _put_back_one(site: Site, gate: Gate, what: str) -> None:
    site.kill("ingest", gate.name)
    if what == "card":
        gate.exchange_card(gate.folder / "image", site.at_office(gate))
        return
    site.office.put_back()
    gate.note()
    gate.ledger.taken_away(gate.card().hashes, site.at_office(gate))


KINDS: Kinds = (
    Kind(
        "office-restored", office_restored, office_control,
        "the missing range: what a gate no longer has is passed over in silence", no_broker, weight=3,
    ),
    Kind(
        "old-log-wanted", old_log_wanted, old_log_control, "the earlier logs: only the present one is offered", no_broker,
        weight=2,
    ),
    Kind("card-put-back", card_put_back, card_control, "the hashes: neither end compares them", no_broker, weight=3),
    Kind(
        "card-replaced", card_replaced, replaced_control, "a name of its own for each log", no_broker, weight=2,
    ),
    Kind(
        "card-damaged", card_damaged, damaged_control, "carrying over what has not arrived into the new log",
        no_broker, weight=2,
    ),
    Kind("both-put-back", both_put_back, card_control, "the hashes: neither end compares them", no_broker, weight=2),
)  # fmt: skip
