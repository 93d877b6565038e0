"""`make faults`: its judge finds what was tampered with, and a few rounds of the cheapest kinds are played."""

import json
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.rounds import __main__ as program
from tests.faults.rounds.backups import card_control, card_put_back, old_log_control, old_log_wanted
from tests.faults.rounds.catalogue import every_kind
from tests.faults.rounds.judge import Books, Kept, broken_promises, judge
from tests.faults.rounds.kills import kills, no_broker
from tests.faults.rounds.kinds import Found, Kind
from tests.faults.rounds.ledger import Card, Ledger, Row
from tests.faults.rounds.office import SqliteOffice, read_books
from tests.faults.rounds.playing import one_by_one
from tests.faults.rounds.site import Plan, Site
from tests.sync.road import a_record, chain

COUNT = 12
LOG, OTHER = "a" * 32, "b" * 32


def visit(number: int) -> bytes:
    """A visit's body, as far as the judge reads it."""
    return json.dumps({"visit": f"visit-{number}"}).encode()


def a_card(log_id: str = LOG, count: int = COUNT) -> Card:
    """A journal with visits, and a record of another kind at its beginning."""
    records = [a_record(1, b'{"log": "%s"}' % log_id.encode(), "log-opened")]
    records += [a_record(seq, visit(seq), "visit") for seq in range(2, count + 1)]
    return Card(log_id, tuple(Row(*both) for both in zip(records, chain(records), strict=True)))


def kept(card: Card, *, upto: int = COUNT, **changed: object) -> Kept:
    """What an office has that has taken it up to a number."""
    rows = card.rows[:upto]
    return replace(Kept(card.log_id, replace(card, rows=rows).head, rows), **changed)


def books_of(*logs: Kept, **changed: object) -> Books:
    """An office that shows each visit once."""
    shown = {f"visit-{row.record.seq}" for log in logs for row in log.rows if row.record.kind == "visit"}
    return replace(Books({log.log_id: log for log in logs}, sorted(shown)), **changed)


def found(card: Card, books: Books, ledger: Ledger | None = None) -> Found:
    """The judgement."""
    return judge(ledger or Ledger(), card, books)


CARD = a_card()


def test_what_is_whole_is_sound() -> None:
    promised = Ledger(promised={f"visit-{seq}" for seq in range(2, COUNT + 1)})
    assert found(CARD, books_of(kept(CARD)), promised) == Found(COUNT, 0, 0, "")


def without(card: Card, seq: int) -> Kept:
    """An office that lost a record and moved its cursor all the same."""
    whole = kept(card)
    return replace(whole, rows=tuple(row for row in whole.rows if row.record.seq != seq))


def test_a_record_that_is_missing_is_lost() -> None:
    bad = found(CARD, books_of(without(CARD, 5)))
    assert (bad.lost, bad.doubled) == (1, 0)
    assert "record 5 is missing, and no range says so" in bad.broken


def test_a_range_explains_it_only_where_one_may_be() -> None:
    named = replace(without(CARD, 5), missing=((5, 5),))
    assert found(CARD, books_of(named), Ledger(named=True)).sound
    assert found(CARD, books_of(named)).lost == 1
    owed = Ledger(named=True, owed={CARD.rows[4].record.body_hash})
    assert found(CARD, books_of(named), owed).lost == 1
    needless = replace(kept(CARD), missing=((5, 5),))
    assert "a missing range where nothing is missing" in found(CARD, books_of(needless)).broken


def test_an_end_that_never_came_is_lost() -> None:
    bad = found(CARD, books_of(kept(CARD, upto=9)))
    assert bad.lost == 3
    assert "the office's cursor stands at 9, the journal's end is 12" in bad.broken


def test_a_broken_promise_is_lost() -> None:
    ledger = Ledger(promised={"visit-2", "visit-13"})
    assert found(CARD, books_of(kept(CARD)), ledger).lost == 1
    assert broken_promises(ledger) == {"visit-13"}


def test_a_visit_that_is_not_shown_is_lost_and_one_shown_twice_doubled() -> None:
    books = books_of(kept(CARD))
    assert found(CARD, replace(books, shown=books.shown[1:])).lost == 1
    assert found(CARD, replace(books, shown=[*books.shown, "visit-3"])).doubled == 1


def test_a_record_twice_within_a_log_is_doubled() -> None:
    whole = kept(CARD)
    assert found(CARD, books_of(replace(whole, rows=(*whole.rows, whole.rows[3])))).doubled == 1


def test_in_two_logs_it_may_be_only_where_one_goes_on_with_the_other() -> None:
    second = a_card(OTHER)
    ledger = Ledger(may_open=True)
    assert found(second, books_of(kept(CARD), kept(second)), ledger).doubled == COUNT - 1
    followed = kept(second, predecessor=LOG)
    assert found(second, books_of(kept(CARD), followed), ledger).sound
    headless = replace(kept(second), rows=second.rows[1:], missing=((1, 1),))
    assert found(second, books_of(kept(CARD), headless), Ledger(may_open=True, named=True)).doubled == 0
    assert "1 new logs without a reason" in found(second, books_of(kept(CARD), followed)).broken


def changed(card: Card, seq: int, **values: object) -> Card:
    """A card on which somebody has changed a record, and left its hash."""
    rows = list(card.rows)
    old = rows[seq - 1].record
    record = a_record(seq, values.get("body", old.body), old.kind)  # type: ignore[arg-type]
    rows[seq - 1] = Row(record, rows[seq - 1].hash)
    return replace(card, rows=tuple(rows))


def test_a_changed_record_breaks_the_chain_on_either_side() -> None:
    forged = changed(CARD, 4, body=visit(99))
    assert "journal: the chain breaks at record 4" in found(forged, books_of(kept(forged))).broken
    at_office = found(CARD, books_of(replace(kept(CARD), rows=forged.rows)))
    assert "the chain breaks at record 4" in at_office.broken
    assert "record 4 and 0 more are others at the office" in at_office.broken
    assert at_office.lost == 2, "the record that was written, and the visit that the forged one would be"


def test_a_cursor_beyond_or_behind_its_records_is_seen() -> None:
    whole = kept(CARD)
    behind = replace(whole, cursor=replace(CARD, rows=CARD.rows[:9]).head)
    assert "3 records beyond the cursor" in found(CARD, books_of(behind)).broken
    other = replace(whole, cursor=whole.cursor._replace(hash=bytes(32)))
    assert "the cursor has another hash than its record" in found(CARD, books_of(other)).broken


def test_what_waits_and_forks_are_seen() -> None:
    assert "2 batches are not written out" in found(CARD, books_of(kept(CARD), waiting=2)).broken
    assert "a fork where there is none" in found(CARD, books_of(kept(CARD, forks=1))).broken


def test_what_went_with_a_card_is_forgiven_unless_somebody_still_has_it() -> None:
    ledger = Ledger()
    ledger.look(CARD)
    second = a_card(OTHER, 3)
    has = {row.record.body_hash for row in CARD.rows[:6]}
    ledger.taken_away(second.hashes, has)
    books = books_of(kept(CARD, upto=6), kept(second, upto=3, predecessor=LOG))
    assert found(second, books, ledger).sound
    assert found(second, books_of(kept(CARD, upto=5), kept(second, upto=3, predecessor=LOG)), ledger).lost == 1


# the program


def kinds(play: Callable[[random.Random, Path], Found], control: Callable[[random.Random, Path], Found]) -> list[Kind]:
    """One kind."""
    return [Kind("kind", play, control, "everything", control_rounds=3)]


GOOD, BAD = Found(5, 0, 0), Found(5, 2, 1, "cracked")


def fails(chance: random.Random, folder: Path) -> Found:
    raise RuntimeError("the broker is on fire")


def test_a_bad_round_is_counted_kept_and_told(tmp_path: Path) -> None:
    tally, told = program.Tally(), list[str]()
    playing = kinds(lambda chance, _: BAD if chance.random() < 0.9 else GOOD, fails)
    program.play_rounds(playing, range(40, 60), tmp_path, tally, told.append, one_by_one)
    bad = len(tally.failed)
    assert 0 < bad < 20
    assert (tally.rounds, tally.lost, tally.doubled, tally.broken) == (20, 2 * bad, bad, bad)
    assert len(list(tmp_path.iterdir())) == bad
    seeds = [seed for seed in range(40, 60) if random.Random(seed).random() < 0.9]
    assert tally.failed == [f"make faults ROUNDS=1 SEED={seed} ONLY=kind" for seed in seeds]
    assert not tally.sound


def test_a_round_that_does_not_end_is_broken(tmp_path: Path) -> None:
    tally, told = program.Tally(), list[str]()
    program.play_rounds(kinds(fails, fails), [1], tmp_path, tally, told.append, one_by_one)
    assert (tally.broken, tally.sound) == (1, False)
    assert "the broker is on fire" in told[0]
    assert "RuntimeError" in (tmp_path / "kind-1" / "traceback").read_text()


def test_a_control_is_played_until_it_is_found_out(tmp_path: Path) -> None:
    played = list[int]()

    def third(chance: random.Random, _folder: Path) -> Found:
        played.append(1)
        return BAD if len(played) == 3 else GOOD

    def control(one: Callable[[random.Random, Path], Found], tally: program.Tally) -> tuple[int, int, bool]:
        program.play_controls(kinds(third, one), 7, tmp_path, tally, lambda _: None, one_by_one)
        return tally.controls, tally.controls_caught, tally.sound

    tally = program.Tally()
    assert control(third, tally) == (1, 1, True)
    assert control(lambda *_: GOOD, tally) == (2, 1, False)
    assert control(fails, tally) == (3, 1, False), "a control that does not end proves nothing"


def test_the_last_line_begins_with_its_five_figures() -> None:
    line = json.loads(program.Tally(rounds=3).as_json(1, 2.0, ["b", "a"]))
    assert list(line)[:5] == ["rounds", "lost", "doubled", "controls", "controls_caught"]
    assert line["left_out"] == ["a", "b"]


def test_the_line_on_the_page_is_one_of_these_kinds_and_their_controls() -> None:
    page = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    line, names = json.loads(shown), {kind.name for kind in every_kind()}
    assert list(line) == list(json.loads(program.Tally().as_json(1, 2.0, [])))
    assert line["controls"] == line["controls_caught"] == len(names) - len(line["left_out"])
    assert set(line["kinds"]) <= names
    assert sum(line["kinds"].values()) == line["rounds"]
    assert {name for name in names if f"`{name}`" not in page} == set(), "each is described"


def test_the_kinds_have_names_of_their_own() -> None:
    every = every_kind()
    assert len({kind.name for kind in every}) == len(every)
    assert all(kind.without and kind.weight > 0 and kind.control_rounds > 0 for kind in every)


# real rounds

needs_broker = pytest.mark.skipif(bool(no_broker()), reason=no_broker())


@needs_broker
@pytest.mark.timeout(180)
def test_a_round_of_kills(tmp_path: Path) -> None:
    result = kills(["gates", "broker", "ingest"], database="sqlite")(random.Random(1), tmp_path)
    assert result.sound, result
    assert result.records > 10


@needs_broker
@pytest.mark.timeout(180)
def test_a_card_is_put_back_and_without_hashes_that_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    assert card_put_back(random.Random(2), tmp_path / "good").sound
    assert any(_is_caught(random.Random(seed), tmp_path / f"bad-{seed}") for seed in (2, 3, 4)), (
        "how it falls is chance"
    )


@needs_broker
@pytest.mark.timeout(180)
def test_an_office_from_before_a_new_log_gets_the_old_one(tmp_path: Path) -> None:
    result = old_log_wanted(random.Random(4), tmp_path)
    assert result.sound, result


@needs_broker
@pytest.mark.timeout(180)
def test_a_gate_that_does_not_offer_its_old_log_is_found_out(tmp_path: Path) -> None:
    assert old_log_control(random.Random(4), tmp_path).lost > 0


def _is_caught(chance: random.Random, folder: Path) -> bool:
    folder.mkdir()
    careless = card_control(chance, folder)
    return careless.lost > 0 and "the chain breaks" in careless.broken


TAMPERING = {
    "DELETE FROM entries_entry WHERE id = (SELECT max(id) FROM entries_entry)": (1, 0, ""),
    "UPDATE ingest_record SET body = x'7b7d' WHERE seq = 3": (0, 0, "the body of record 3 is another one"),
    "UPDATE ingest_record SET kind = 'other' WHERE seq = 3": (0, 0, "the chain breaks at record 3"),
    "UPDATE ingest_log SET seq = seq - 1": (0, 0, "records beyond the cursor"),
}


@needs_broker
@pytest.mark.timeout(180)
def test_a_tampered_database_is_found_out(tmp_path: Path) -> None:
    """A round without any fault; then somebody gets at the office's tables."""
    with Site(tmp_path, random.Random(1), Plan()) as site:
        site.start("broker", "ingest", "gates")
        site.arrive()
        assert site.judged().sound
        gate, office = site.gates[0], site.office
        assert isinstance(office, SqliteOffice)
        site.kill("ingest")
        with closing(sqlite3.connect(office.path)) as connection, closing(sqlite3.connect(":memory:")) as before:
            connection.backup(before)
            for statement, (lost, doubled, broken) in TAMPERING.items():
                with connection:
                    assert connection.execute(statement).rowcount > 0
                bad = judge(gate.ledger, gate.card(), read_books(office.ask, gate.name))
                assert (bad.lost, bad.doubled, bad.sound) == (lost, doubled, False), statement
                assert broken in bad.broken
                before.backup(connection)
