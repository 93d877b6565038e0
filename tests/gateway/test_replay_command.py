"""`menshen gate replay` on journals of a real day: whole ones, tampered ones, ones that another policy decided."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.config import load
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.journal.browsing import Selection
from gateway.journal.exporting import export
from menshen.cli import main
from sync.contract.colours import HealthCode, PassType
from sync.contract.records import Visit, encode_body
from tests.gateway.config.files import devices, sections
from tests.gateway.core.acting import Gate, card, health
from tests.gateway.journaling import opened, write
from tests.gateway.test_journal_commands import spoil

MINIMAL = sections() + devices()


def a_morning(gate: Gate) -> None:
    """A grant, a red code, a fever, somebody who walks off."""
    gate.arrive()
    gate.read(card())
    gate.measure()
    gate.go_through()
    gate.leave()
    gate.arrive()
    gate.read(card("h-2", PassType.RETURNEE))
    gate.read(health(HealthCode.RED, "code-9"))
    gate.leave()
    gate.arrive()
    gate.read(card("h-3", PassType.TENANT))
    for _ in range(2):
        gate.measure(38.4)
        gate.wait(6)
    gate.leave()
    gate.arrive()
    gate.read(card("h-4"))
    gate.leave()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(MINIMAL, "utf-8")
    return path


def journal_of(path: Path, version: str, policy: Policy | None = None) -> list[Visit]:
    """A morning's journal; its visits."""
    gate = Gate(policy)
    a_morning(gate)
    named = [
        msgspec.structs.replace(body, policy_version=version) if isinstance(body, Visit) else body
        for body, _ in gate.commits
    ]
    with opened(path) as journal:
        for body in named:
            write(journal, body, Moment(5_000, gate.now.at_ms))
    return [body for body in named if isinstance(body, Visit)]


@pytest.fixture
def journal(tmp_path: Path, config: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    journal_of(path, load(config, {}).policy_version)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["gate", "replay", *map(str, arguments)])


def body_of(path: Path, outcome: str) -> tuple[int, dict[str, object]]:
    """Number and content of the first visit with this outcome."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT seq, body FROM records WHERE kind = 'visit' ORDER BY seq").fetchall()
    return next((seq, content) for seq, body in rows if (content := json.loads(body))["outcome"] == outcome)


def rewrite(path: Path, seq: int, body: bytes | str | None) -> None:
    spoil(path, "UPDATE records SET body = ? WHERE seq = ?", body, seq)


def test_a_whole_journal_comes_out_as_recorded(journal: Path, config: Path) -> None:
    done = run(journal, "--config", config)
    assert done.exit_code == 0, done.output
    assert "4 visits decided again, 4 came out as recorded" in done.output
    assert "decided by this policy: 4, as recorded 4, otherwise 0" in done.output


def test_a_running_gates_journal_is_only_read(tmp_path: Path, config: Path) -> None:
    path = tmp_path / "running.sqlite"
    with opened(path) as journal:
        gate = Gate()
        a_morning(gate)
        for body, _ in gate.commits:
            write(journal, body)
        head = journal.head
        done = run(path)
        assert done.exit_code == 0 and "4 visits decided again" in done.output
        assert journal.head == head


def test_the_first_difference_is_shown_whole(journal: Path, config: Path) -> None:
    seq, content = body_of(journal, "denied")
    rewrite(journal, seq, json.dumps(content | {"outcome": "granted", "reasons": ["ok"]}).encode())
    done = run(journal, "--config", config)
    assert done.exit_code == 1
    assert f"record {seq}, visit {content['visit']}: entry at main" in done.output
    assert "recorded:   granted: ok" in done.output
    assert "re-decided: denied: health-code-red" in done.output
    assert "health-code code-9 at reader: valid, serves health-code, health code red" in done.output
    assert "somebody stands at the readers" in done.output and "as recorded 3, otherwise 1" in done.output


def test_another_policy_is_told_apart(journal: Path, config: Path) -> None:
    changed = (
        MINIMAL
        + '\n[policy.temperature]\nthreshold_c = 38.9\n[policy.steps]\nresident = ["credential", "health-code"]\n'
    )
    config.write_text(changed, "utf-8")
    done = run(journal, "--config", config)
    assert done.exit_code == 0, "who decided otherwise was another policy"
    assert "decided by another policy" in done.output and "as recorded 1, otherwise 3" in done.output
    assert "re-decided: nothing yet: still asked for health-code" in done.output


def test_damaged_gone_and_unknown_bodies_are_named_and_stop_nothing(journal: Path, config: Path) -> None:
    granted, _ = body_of(journal, "granted")
    denied, _ = body_of(journal, "denied")
    abandoned, content = body_of(journal, "abandoned")
    rewrite(journal, granted, b'{"visit": 7}')
    spoil(journal, "UPDATE records SET body = NULL, salt = NULL WHERE seq = ?", denied)
    rewrite(journal, abandoned, json.dumps(content | {"evidence": [{"event": "dance", "mono_ms": 1}]}).encode())
    spoil(journal, "UPDATE records SET kind = 'of-tomorrow' WHERE kind = 'started'")
    done = run(journal, "--config", config)
    assert done.exit_code == 1
    assert "1 visits decided again, 1 came out as recorded" in done.output
    assert f"record {granted} (visit): its body is damaged" in done.output
    assert f"record {abandoned} (visit): visit {content['visit']}: evidence 'dance' of another" not in done.output
    assert "evidence 'dance' is of another version" in done.output
    assert "1 visits have no body any more" in done.output
    assert "1 records of the kind 'of-tomorrow'" in done.output


@pytest.mark.parametrize("body", [b"\xff\x00", "text where bytes belong", b"[" * 5_000, b'{"visit":"\\ud800"}'])
def test_no_body_whatever_ends_the_walk(journal: Path, config: Path, body: bytes | str) -> None:
    seq, _ = body_of(journal, "granted")
    rewrite(journal, seq, body)
    done = run(journal, "--config", config)
    assert done.exit_code == 1 and not isinstance(done.exception, RecursionError | UnicodeError)
    assert "3 visits decided again, 3 came out as recorded" in done.output and f"record {seq}" in done.output


def test_an_export_gives_the_same(journal: Path, config: Path, tmp_path: Path) -> None:
    lines = tmp_path / "journal.jsonl"
    seq, _ = body_of(journal, "abandoned")
    spoil(journal, "UPDATE records SET body = NULL, salt = NULL WHERE seq = ?", seq)
    export(journal, Selection(), lines, csv=False, progress=lambda *_: None)
    done = run(lines, "--config", config)
    assert done.exit_code == 0 and "3 visits decided again, 3 came out as recorded" in done.output
    assert "1 visits have no body any more" in done.output
    lines.write_bytes(lines.read_bytes() + b'{"seq": 900, "kind"\n\n"text"\n')
    done = run(lines, "--config", config)
    assert (
        done.exit_code == 1 and "2 records cannot be read" in done.output and "is no record of an export" in done.output
    )


def test_one_visit_is_shown_whole_and_from_a_number(journal: Path, config: Path) -> None:
    seq, content = body_of(journal, "granted")
    done = run(journal, "--config", config, "--visit", content["visit"])
    assert done.exit_code == 0 and "1 visits decided again, 1 came out" in done.output
    assert "card card-h-1 of h-1 (resident) at reader: valid, serves credential, registration" in done.output
    assert "36.50 °C as measured, surroundings 24.0 °C" in done.output
    assert "3 visits decided again" in run(journal, "--config", config, "--from", seq + 1).output
    nobody = run(journal, "--config", config, "--visit", "nobody")
    assert nobody.exit_code == 1 and "no visit 'nobody'" in nobody.output


def test_what_is_no_journal_is_told(tmp_path: Path, config: Path) -> None:
    assert "no such file" in run(tmp_path / "none", "--config", config).output
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE things (a)")
    done = run(other, "--config", config)
    assert done.exit_code == 1 and "Error" in done.output


def test_nothing_hostile_reaches_the_terminal(journal: Path, config: Path) -> None:
    seq, content = body_of(journal, "granted")
    evil = json.dumps(content | {"reasons": ["\x1b[2J\u202e"], "portal": "\x9bK"}).encode()
    rewrite(journal, seq, evil)
    shown = run(journal, "--config", config).output
    assert "\x1b" not in shown and "\u202e" not in shown and "\x9b" not in shown and "\\x1b[2J" in shown


def test_the_visits_of_a_gate_encode_as_they_stand(tmp_path: Path) -> None:
    visits = journal_of(tmp_path / "j.sqlite", "p")
    assert [visit.outcome.value for visit in visits] == ["granted", "denied", "referred", "abandoned"]
    assert all(encode_body(visit) for visit in visits)
