"""`menshen gate journal …` on real journals: whole ones, damaged ones, and one that is being written."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from gateway.commands import EXAMPLE
from gateway.core.moment import Moment
from gateway.journal import Journal, JournalError, showing
from gateway.journal.browsing import PAGE, Browser, Selection, Standing
from gateway.journal.erasing import _names, stopped
from gateway.journal.exporting import export, no_formula
from menshen.cli import main
from sync.contract.records import Dropped, Mode, Passage, Refused, Visit
from sync.log.messages import encode
from sync.log.receiver import Store, decode_upward, receive
from sync.log.records import GENESIS, Record, body_hash, chain_hash
from sync.log.sender import Send, Sender, decode_downward
from sync.log.view import Head
from tests.gateway.journaling import BOOT, DAY_MS, NOW, body, everything, opened, write, write_many

NASTY = '\x1b[31m=1+1\u202e\x9b "门"'
WHEN = "2023-11-14T22:13:20+00:00"  # NOW


def visit(number: int, holder: str) -> Visit:
    return Visit(
        visit=f"v-{number}",
        portal="north",
        direction="entry",  # type: ignore[arg-type]  # as it stands in JSON
        outcome="granted",  # type: ignore[arg-type]
        reasons=("all-steps-passed",),
        started_ms=NOW.at_ms,
        duration_ms=6400,
        holder=holder,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of 12 records: the opening, two modes, three visits with their passages, two refusals, a later mode."""
    path = tmp_path / "gate" / "journal.sqlite"
    with opened(path) as journal:
        write_many(journal, 2)
        for number, holder in enumerate(("h-0101", "h-0202", "h-0101"), 1):
            write(journal, visit(number, holder))
            write(journal, Passage(portal="north", direction="entry", visit=f"v-{number}"))  # type: ignore[arg-type]
        write(journal, Refused(what="text", reason=NASTY))
        write(journal, Refused(what="text", reason="h-0101 only in passing"))
        write(journal, body(9), Moment(9_000, NOW.at_ms + 60_000, trusted=False))
    return path


def run(*arguments: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, ["gate", "journal", *map(str, arguments)], input=answer)


def listed(path: Path, *options: object) -> list[list[str]]:
    done = run("list", "--file", path, *options)
    assert done.exit_code == 0, done.output
    return [line.split("\t") for line in done.stdout.splitlines()]


def numbers(path: Path, *options: object) -> list[int]:
    return [int(line[0]) for line in listed(path, *options)]


def spoil(path: Path, statement: str, *values: object) -> None:
    """Change a journal behind its back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


# listing


def test_a_list_has_the_newest_last(path: Path) -> None:
    assert numbers(path) == list(range(1, 13))
    assert numbers(path, "--last", 3) == [10, 11, 12]
    assert numbers(path, "--last", 0) == list(range(1, 13))
    seq, when, kind, shown = listed(path, "--from", 3, "--to", 3)[0]
    assert (seq, kind, json.loads(shown)) == ("3", "mode", {"mode": "m2", "before": "normal", "by": "test"})
    assert when.startswith("2023-11-")


def test_filters(path: Path) -> None:
    assert numbers(path, "--kind", "visit") == [4, 6, 8]
    assert numbers(path, "--kind", "visit", "--kind", "passage", "--last", 2) == [8, 9]
    assert numbers(path, "--from", 5, "--to", 7) == [5, 6, 7]
    assert numbers(path, "--since", "2023-11-14T22:14:20+00:00") == [12]
    assert numbers(path, "--until", "2023-11-14T22:14:20+00:00", "--last", 1) == [11]
    done = run("list", "--file", path, "--since", WHEN, "--until", WHEN)
    assert (done.exit_code, "--until is not after --since" in done.output) == (2, True)
    assert run("list", "--file", path, "--from", 9, "--to", 3).exit_code == 2
    done = run("list", "--file", path, "--kind", "viist")
    assert (done.stdout, "do you mean visit?" in done.stderr) == ("", True)
    assert numbers(path, "--from", 10**30) == []
    assert numbers(path, "--from", 10**30, "--last", 0) == []


def test_a_time_that_nothing_vouches_for_is_marked(path: Path) -> None:
    assert listed(path, "--last", 1)[0][1].startswith("≈2023-")


def test_nothing_hostile_reaches_the_terminal(path: Path) -> None:
    (line,) = listed(path, "--from", 10, "--to", 10)
    assert all(cell.isprintable() for cell in line)
    assert "\\u001b[31m=1+1\\u202e\\x9b" in line[3]
    assert "门" in line[3]


def test_a_table_on_a_terminal(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(showing, "Console", lambda: Console(force_terminal=True, width=80, color_system=None))
    with closing(Browser(path)) as browser:
        showing.print_rows(browser.newest(Selection(), 4))
    lines = capsys.readouterr().out.splitlines()
    assert "seq" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["9", "10", "11", "12"]
    assert all(len(line) <= 80 and "\x9b" not in line and "\u202e" not in line for line in lines)


def test_the_gates_own_journal_by_its_configuration(path: Path, tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(EXAMPLE.read_text("utf-8").replace("/var/lib/menshen", str(path.parent)), "utf-8")
    assert run("list", "--config", config, "--last", 1).stdout.startswith("12\t")
    for both_or_none in ([], ["--config", config, "--file", path]):
        done = run("list", *both_or_none)
        assert done.exit_code == 2
        assert "--config FILE, or a journal with --file" in done.output


@pytest.mark.parametrize("command", [["list"], ["verify"], ["export", "--format", "csv", "--out", "x"]])
def test_what_is_no_journal(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at " * 20)
    spoil(tmp_path / "other", "CREATE TABLE x (y)")
    newer = tmp_path / "newer"
    opened(newer).close()
    spoil(newer, "PRAGMA user_version = 99")
    for name, said in {
        "missing": "there is no such journal",
        "text": "file is not a database",
        "other": "a database, but not a journal",
        "newer": "written by a newer version",
    }.items():
        done = run(*command, "--file", name)
        assert (done.exit_code, name in done.output, said in done.output) == (1, True, True), done.output
    assert not (tmp_path / "x").exists()


# exporting


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """A line of JSON; the body as the bytes that stand there."""

    log_id: str
    seq: int
    kind: str
    at: str | None
    at_ms: int
    clock: bool
    boot: str
    mono_ms: int
    body: msgspec.Raw
    gone: str | None
    salt: str | None
    body_hash: str
    hash: str
    body_hex: str | None = None


def test_lines_carry_what_the_chain_is_made_of(path: Path, tmp_path: Path) -> None:
    """From the export alone, the whole chain is made again."""
    assert run("erase", "--file", path, "--seq", 4, "--yes").exit_code == 0
    out = tmp_path / "journal.jsonl"
    done = run("export", "--file", path, "--format", "jsonl", "--out", out)
    assert (done.exit_code, done.stdout) == (0, f"{out}: 12 records\n")
    assert out.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir() if "part" in entry.name] == []
    last = GENESIS
    lines = [msgspec.json.decode(line, type=Line) for line in out.read_bytes().splitlines()]
    for line in lines:
        digest, raw = bytes.fromhex(line.body_hash), bytes(line.body)
        if raw != b"null":
            assert body_hash(bytes.fromhex(line.salt or ""), raw) == digest
        boot = bytes.fromhex(line.boot)
        record = Record(line.seq, line.kind, line.at_ms, line.clock, boot, line.mono_ms, None, None, digest)
        last = chain_hash(last, record)
        assert last.hex() == line.hash
    with opened(path) as journal:
        assert last == journal.head().hash
    assert [line.seq for line in lines if bytes(line.body) == b"null" and line.salt is None] == [4]
    assert [line.seq for line in lines if line.gone == "erased"] == [4]


def test_what_was_given_up_to_make_room_is_told_apart_from_what_was_erased(path: Path, tmp_path: Path) -> None:
    told = Dropped(reason="disk-nearly-full", kinds={"mode": 2}, first=2, last=3, bytes=80)
    with opened(path) as journal:
        journal.drop_bodies([2, 3], told, NOW)
        journal.erase(4)
    assert {line[0]: line[3] for line in listed(path, "--to", 4)[1:]} == {
        "2": "(given up)",
        "3": "(given up)",
        "4": "(erased)",
    }
    assert json.loads(listed(path, "--last", 1)[0][3])["kinds"] == {"mode": 2}
    said = run("verify", "--file", path).stdout
    assert "13 records (1 to 13), 1 of them erased, the bodies of 2 given up to make room" in said
    out = tmp_path / "journal.csv"
    assert run("export", "--file", path, "--format", "csv", "--out", out).exit_code == 0
    rows = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    assert [row["gone"] for row in rows[:5]] == ["", "given-up", "given-up", "erased", ""]
    assert {row["body"] + row["salt"] for row in rows[1:4]} == {""}
    assert [row["seq"] for row in rows if row["gone"] == "given-up"] == ["2", "3"]
    done = run("erase", "--file", path, "--seq", 2, "--yes")
    assert "given up to make room: 2" in done.output


def test_a_table_for_spreadsheets(path: Path, tmp_path: Path) -> None:
    spoil(path, "UPDATE records SET kind = 'x' || kind WHERE seq = 3")  # as it stands, whatever the chain says
    out = tmp_path / "journal.csv"
    done = run("export", "--file", path, "--format", "csv", "--out", out, "--kind", "refused", "--kind", "xmode")
    assert (done.exit_code, done.stdout) == (0, f"{out}: 3 records\n")
    text = out.read_text("utf-8")
    assert text.startswith("\ufefflog_id,seq,")  # or Excel takes Chinese for Latin-1
    rows = list(csv.DictReader(text[1:].splitlines()))
    assert [row["seq"] for row in rows] == ["3", "10", "11"]
    assert json.loads(rows[1]["body"])["reason"] == NASTY
    assert (rows[1]["at"], rows[1]["at_ms"]) == ("2023-11-14T22:13:20.000+00:00", str(NOW.at_ms))
    assert len(bytes.fromhex(rows[1]["hash"])) == 32


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert no_formula(f"{start}cmd") == f"'{start}cmd"
    assert no_formula(f"a{start}") == f"a{start}"


def test_a_body_that_is_no_json_is_kept_all_the_same(path: Path, tmp_path: Path) -> None:
    for seq, some in ((2, b"\xff{"), (3, b'{"a":\n1}')):
        spoil(path, "UPDATE records SET body = ? WHERE seq = ?", some, seq)
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv"
    assert run("export", "--file", path, "--format", "jsonl", "--out", lines, "--to", 3).exit_code == 0
    assert run("export", "--file", path, "--format", "csv", "--out", table, "--to", 3).exit_code == 0
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [line.get("body_hex") for line in found] == [None, "ff7b", b'{"a":\n1}'.hex()]
    assert [row["body_hex"] for row in csv.DictReader(table.read_text("utf-8-sig").splitlines())][1:] == [
        "ff7b",
        b'{"a":\n1}'.hex(),
    ]


def test_an_export_writes_over_nothing_and_leaves_no_half(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    out.write_text("mine")
    done = run("export", "--file", path, "--format", "csv", "--out", out)
    assert done.exit_code == 2
    assert "--force" in done.output
    spoil(path, "UPDATE records SET boot = 'x' WHERE seq = 7")
    done = run("export", "--file", path, "--format", "csv", "--out", out, "--force")
    assert done.exit_code == 1
    assert "record 7 is unreadable" in done.output
    assert out.read_text() == "mine"
    assert not out.with_name("a.csv.part").exists()
    done = run("export", "--file", path, "--format", "csv", "--out", tmp_path / "none" / "a.csv")
    assert (done.exit_code, "there is no such folder to write into" in done.output) == (2, True)


# while the gate runs


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Path, Journal]]:
    path = tmp_path / "gate" / "journal.sqlite"
    with opened(path) as journal:
        write_many(journal, 3 * PAGE)
        yield path, journal


def test_a_running_gate_is_not_held_up(running: tuple[Path, Journal], tmp_path: Path) -> None:
    """In the middle of an export the gate writes on and empties its write-ahead log; the export ends where it began."""
    path, journal = running
    wal = path.with_name("journal.sqlite-wal")
    sizes = []

    def meanwhile(reached: int, total: int) -> None:
        assert total == 3 * PAGE + 1
        write(journal, Mode(mode=f"at {reached}", before="", by=""))
        assert wal.stat().st_size > 0
        journal.checkpoint()
        sizes.append(wal.stat().st_size)

    count = export(path, Selection(), tmp_path / "a.jsonl", csv=False, progress=meanwhile)
    assert (count, len(sizes)) == (3 * PAGE + 1, 4)
    assert len(set(sizes)) == 1, "held up, the gate could not write over its write-ahead log, and it would grow"
    assert journal.head().seq == 3 * PAGE + 5
    assert run("verify", "--file", path).exit_code == 0
    assert numbers(path, "--last", 1) == [3 * PAGE + 5]


def test_a_gate_that_trims_while_its_chain_is_verified(running: tuple[Path, Journal]) -> None:
    path, journal = running
    digest = journal.hash_at(700)
    assert digest is not None
    journal.acknowledge(700, digest)
    later = Moment(NOW.mono_ms, NOW.at_ms + 40 * DAY_MS)

    class Slow(Browser):
        """Between where the log stands and the walk along it, the gate trims."""

        def standing(self) -> Standing:
            standing = super().standing()
            journal.trim(later, limit=600)
            return standing

    with closing(Slow(path)) as browser:
        found, verified = browser.verify_all()
    assert (found.trimmed.seq, verified.records) == (700, 801)
    done = run("verify", "--file", path)
    assert "801 records (701 to 1501), 0 of them erased, 1 to 700 were trimmed" in done.stdout


def test_a_running_gate_refuses_to_be_erased(running: tuple[Path, Journal]) -> None:
    path, journal = running
    done = run("erase", "--file", path, "--seq", 5, "--yes")
    assert done.exit_code == 1
    assert "in use by another process: stop the gate" in done.output
    assert journal.verify().erased == 0


# verifying


def test_a_whole_chain(path: Path) -> None:
    done = run("verify", "--file", path)
    assert done.exit_code == 0
    with opened(path) as journal:
        assert "12 records (1 to 12), 0 of them erased" in done.stdout
        assert journal.log_id in done.stdout
        assert journal.head().hash.hex() in done.stdout


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE records SET body = CAST(body || ' ' AS BLOB) WHERE seq = 6", "the body of record 6 is not"),
        ("UPDATE records SET at = at + 1 WHERE seq = 7", "breaks at record 7"),
        ("DELETE FROM records WHERE seq = 8", "record 8 is missing"),
        ("DELETE FROM records WHERE seq = 1", "record 1 is missing"),
        ("DELETE FROM records WHERE seq > 10", "record 11 is missing: the office has acknowledged 11"),
        ("UPDATE records SET hash = x'00' WHERE seq = 9", "breaks at record 9"),
        ("UPDATE records SET boot = 'x' WHERE seq = 5", "record 5 is unreadable"),
        ("UPDATE meta SET trimmed_seq = 3", "record 1 stands, though 3 was trimmed"),
        ("UPDATE meta SET acked_hash = zeroblob(32)", "record 11 is not the one that the office has acknowledged"),
        ("DELETE FROM meta", "the row about the log is missing"),
    ],
)
def test_where_a_chain_breaks(path: Path, statement: str, said: str) -> None:
    with opened(path) as journal:
        digest = journal.hash_at(11)
        assert digest is not None
        journal.acknowledge(11, digest)
    assert run("verify", "--file", path).exit_code == 0
    spoil(path, statement)
    done = run("verify", "--file", path)
    assert done.exit_code == 1
    assert said in done.output


def test_a_page_that_cannot_be_read(path: Path, tmp_path: Path) -> None:
    with opened(path) as journal:
        write_many(journal, 2000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(8192) + whole[len(whole) // 2 + 8192 :])
    done = run("verify", "--file", path)
    assert done.exit_code == 1
    assert "malformed" in done.output or "missing" in done.output
    for command in (["list", "--last", 0], ["export", "--format", "jsonl", "--out", tmp_path / "a.jsonl"]):
        done = run(*command, "--file", path)
        assert done.exit_code in {0, 1}
        assert "Traceback" not in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)


# erasing


def test_a_holder_is_erased(path: Path) -> None:
    before = path.read_bytes()
    assert before.count(b'"holder":"h-0101"') == 2
    done = run("erase", "--file", path, "--holder", "h-0101", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "Erase 2 records for good?" in done.output
    assert "2 records erased" in done.output
    assert "the office's copy is not touched" in done.output
    for part in path.parent.iterdir():
        assert b'"holder":"h-0101"' not in part.read_bytes(), part.name
    assert "12 records (1 to 12), 2 of them erased" in run("verify", "--file", path).stdout
    assert [line[3] for line in listed(path, "--kind", "visit")][::2] == ["(erased)", "(erased)"]
    with opened(path) as journal:
        assert journal.verify() == (12, 2, 0)


def test_a_visit_is_erased_with_its_passage(path: Path) -> None:
    assert run("erase", "--file", path, "--visit", "v-2", "--yes").exit_code == 0
    assert [line[0] for line in listed(path) if line[3] == "(erased)"] == ["6", "7"]


def test_no_is_no(path: Path) -> None:
    for answer in ("n\n", ""):
        assert run("erase", "--file", path, "--seq", 6, "--seq", 2, answer=answer).exit_code == 1
    assert "0 of them erased" in run("verify", "--file", path).stdout


def test_what_is_not_there(path: Path) -> None:
    done = run("erase", "--file", path, "--holder", "h-9", "--yes")
    assert (done.exit_code, "no record names 'h-9'" in done.output) == (1, True)
    done = run("erase", "--file", path, "--seq", 6, "--seq", 99, "--yes")
    assert (done.exit_code, "there is no record 99" in done.output) == (1, True)
    assert run("erase", "--file", path, "--seq", 10**30, "--yes").exit_code == 1
    assert run("erase", "--file", path, "--seq", 6, "--yes").exit_code == 0
    done = run("erase", "--file", path, "--seq", 6, "--yes")
    assert (done.exit_code, "erased already, or given up to make room: 6" in done.output) == (0, True)
    for options in ([], ["--seq", 6, "--holder", "h-0101"]):
        assert run("erase", "--file", path, *options).exit_code == 2


def test_a_damaged_journal_is_left_as_it_is(path: Path) -> None:
    spoil(path, "UPDATE records SET body = x'ff' WHERE seq = 2")
    spoil(path, "UPDATE records SET body = ? WHERE seq = 3", b"[" * 60_000)
    done = run("erase", "--file", path, "--holder", "h-0101", "--yes")
    assert done.exit_code == 1  # the gate would move it aside
    assert "is damaged" in done.output
    assert "nothing was erased" in done.output


def test_journals_moved_aside_are_named(path: Path) -> None:
    with opened(path) as journal:
        journal.replace_log("rewound", now=NOW)
    (aside,) = path.parent.glob("*.old")
    done = run("erase", "--file", path, "--holder", "h-0101", "--yes")
    assert done.exit_code == 0
    assert f"not searched: {aside}" in done.output
    assert run("erase", "--file", aside, "--holder", "h-0101", "--yes").exit_code == 0
    assert "2 of them erased" in run("verify", "--file", aside).stdout


def test_whom_a_body_names() -> None:
    deep = b'{"a":[{"holder":"h-1"}]}'
    assert [_names(some, "holder", "h-1") for some in (deep, b'{"holder":"h-10"}', b'["h-1"]', None)] == [
        True,
        False,
        False,
        False,
    ]
    assert [_names(some, "holder", "h-1") for some in (b"\xff", b"[" * 60_000, "text", 7)] == [None] * 4


def test_the_gate_cannot_start_while_somebody_is_asked(path: Path) -> None:
    with stopped(path), pytest.raises(JournalError, match="in use by another process"):
        opened(path)
    opened(path).close()


def test_an_erased_record_is_sent_and_taken(path: Path) -> None:
    """The real sender reads it from the real journal, and the receiver's chain goes on over it."""
    assert run("erase", "--file", path, "--holder", "h-0101", "--yes").exit_code == 0
    with opened(path) as journal:
        sender = Sender(journal)
        sender.connected(0)
        cursor = Head(0, GENESIS)
        got: list[Record] = []
        for now in range(20):
            for action in sender.poll(now):
                assert isinstance(action, Send)
                decision = receive(decode_upward(action.payload), cursor)
                if isinstance(decision, Store):
                    got.extend(decision.records)
                    cursor = Head(decision.records[-1].seq, decision.hashes[-1])
                assert not hasattr(decision, "fork")
                answer = encode(decision.ack)
                assert decode_downward(answer)
                sender.received(answer, now)
        assert got == everything(journal)
        assert cursor == journal.head()
        assert [record.seq for record in got if record.body is None and record.salt is None] == [4, 8]
        assert all(record.boot == BOOT for record in got)
