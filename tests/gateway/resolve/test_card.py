"""Cards by UID: each answer has its own word, and a directory file of an earlier version goes on being used."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.core.events import Outcome
from gateway.core.moment import Moment
from gateway.credentials.anchors import Anchors
from gateway.directory import NOBODY, Card, Directory, DirectoryFile, Holder, read_directory_file
from gateway.errors import DirectoryError
from gateway.resolve import Resolver, Trust
from sync.contract.colours import PassType

NOW = Moment(mono_ms=1_000, at_ms=1_800_000_000_000)
NOW_S = NOW.at_ms // 1000
HOLDERS = (
    Holder(holder="h-1", pass_type=PassType.RESIDENT),
    Holder(holder="h-here", pass_type=PassType.TENANT, sites=("north", "demo")),
    Holder(holder="h-there", pass_type=PassType.TENANT, sites=("north",), valid_until_s=NOW_S),
    Holder(holder="h-early", pass_type=PassType.VISITOR, valid_from_s=NOW_S + 1),
    Holder(holder="h-late", pass_type=PassType.RETURNEE, valid_until_s=NOW_S),
)
CARDS = (
    Card(uid="00000001", holder="h-1"),
    Card(uid="00000002", holder="h-here"),
    Card(uid="00000003", holder="h-there"),
    Card(uid="00000004", holder="h-early"),
    Card(uid="00000005", holder="h-late"),
    Card(uid="00000006", holder="h-late", lost=True),
    Card(uid="00000007", holder=NOBODY),
    Card(uid="00000008", holder=NOBODY, lost=True),
)
EARLIER = """
CREATE TABLE holder (holder TEXT PRIMARY KEY, pass_type TEXT, valid_from_s INT, valid_until_s INT, registered INT,
    extended INT) WITHOUT ROWID;
CREATE TABLE card (uid TEXT PRIMARY KEY, holder TEXT, lost INT) WITHOUT ROWID;
CREATE TABLE edition (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INT) WITHOUT ROWID;
INSERT INTO holder VALUES ('h-1', 'resident', 0, 0, 1, 1);
INSERT INTO card VALUES ('00000001', 'h-1', 0);
INSERT INTO edition VALUES (1, 7);
"""


def resolver(path: Path) -> Resolver:
    return Resolver(Trust(site="demo", anchors=Anchors, directory=Directory(path), hash_key=b"k" * 32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "directory.sqlite"
    Directory(path).replace(DirectoryFile(version=7, holders=HOLDERS, cards=CARDS))
    return path


@pytest.mark.parametrize(
    ("uid", "outcome", "reason", "holder"),
    [
        ("00000001", Outcome.VALID, "ok", "h-1"),
        ("00000002", Outcome.VALID, "ok", "h-here"),
        ("00000003", Outcome.INVALID, "wrong-site", "h-there"),
        ("00000004", Outcome.INVALID, "not-yet-valid", "h-early"),
        ("00000005", Outcome.EXPIRED, "expired", "h-late"),
        ("00000006", Outcome.REVOKED, "lost-card", "h-late"),
        ("00000007", Outcome.INVALID, "not-registered", ""),
        ("00000008", Outcome.REVOKED, "lost-card", ""),
        ("00000009", Outcome.UNKNOWN, "unknown-card", ""),
    ],
)
def test_each_answer_has_its_word_and_says_whose_card_it_is(
    path: Path, uid: str, outcome: Outcome, reason: str, holder: str
) -> None:
    verdict = resolver(path).card(uid, NOW)
    assert (verdict.outcome, verdict.reason, verdict.holder, verdict.kind) == (outcome, reason, holder, "card")
    assert bool(verdict.serves) is (outcome is Outcome.VALID)
    assert len(verdict.credential) == 16 and uid not in repr(verdict)


def test_a_card_of_ours_takes_one_query(path: Path) -> None:
    directory = Directory(path)
    assert directory.card("00000001") is not None
    asked: list[str] = []
    directory._connection().set_trace_callback(asked.append)
    Resolver(Trust(site="demo", anchors=Anchors, directory=directory, hash_key=b"k" * 32)).card("00000002", NOW)
    (query,) = asked
    with closing(sqlite3.connect(path)) as connection:
        plan = " ".join(str(row[-1]) for row in connection.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "SEARCH c USING PRIMARY KEY" in plan and "SEARCH h USING PRIMARY KEY" in plan


def test_a_file_of_an_earlier_version_is_used_and_made_anew_in_place(tmp_path: Path) -> None:
    path = tmp_path / "directory.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(EARLIER)
    before = resolver(path).card("00000001", NOW)
    assert (before.outcome, before.holder, before.extended, before.directory_version) == (Outcome.VALID, "h-1", True, 7)
    Directory(path).replace(DirectoryFile(version=8, holders=HOLDERS, cards=CARDS))
    assert resolver(path).card("00000003", NOW).reason == "wrong-site"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def written(folder: Path, **content: object) -> Path:
    path = folder / "people.json"
    path.write_text(json.dumps({"version": 1, **content}))
    return path


def test_a_batch_of_cards_is_listed_before_anybody_has_one(tmp_path: Path) -> None:
    content = read_directory_file(written(tmp_path, cards=[{"uid": "00000007", "holder": "-"}]))
    assert content.cards == (Card(uid="00000007", holder=NOBODY),)


@pytest.mark.parametrize(
    ("holder", "complaint"),
    [
        ({"holder": "-", "pass_type": "resident"}, "stands for nobody"),
        ({"holder": "h-1", "pass_type": "resident", "sites": ["a b"]}, "sites"),
        ({"holder": "h-1", "pass_type": "resident", "sites": "demo"}, "sites"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path: Path, holder: dict[str, object], complaint: str) -> None:
    with pytest.raises(DirectoryError, match=complaint):
        read_directory_file(written(tmp_path, holders=[holder]))
