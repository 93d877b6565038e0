"""The file of the guards, and its commands."""

import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands import gate
from gateway.page.guards import GuardBook, GuardsError, Role, is_right, new_guard, read_guards, write_guards
from tests.gateway.config.files import devices, sections


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(sections() + '[page]\nhost = "127.0.0.1"\nplaintext = true\n' + devices())
    return path


def run(config: Path, *words: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(gate, [*words, "--config", str(config)], input=typed)
    return done.exit_code, done.output


def test_a_guard_is_added_listed_and_removed(config: Path) -> None:
    assert run(config, "guard", "add", "李", typed="739164\n739164\n")[0] == 0
    assert run(config, "guard", "add", "Chen", "--leader", "--holder", "h-1", "--pin", "502847")[0] == 0
    file = config.parent / "data" / "guards.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "739164" not in text
    assert "502847" not in text
    _, listed = run(config, "guard", "list")
    assert listed.splitlines() == ["李  guard", "Chen  leader, card of h-1"]
    guards = read_guards(file)
    assert is_right(guards["李"], "739164")
    assert not is_right(guards["李"], "739165")
    assert not is_right(None, "739164")
    assert run(config, "guard", "remove", "李")[0] == 0
    assert list(read_guards(file)) == ["Chen"]
    code, words = run(config, "guard", "remove", "李")
    assert code == 1
    assert "names no 李; known are: Chen" in words


@pytest.mark.parametrize(
    ("pin", "wrong"),
    [("12345", "6 to 32 digits"), ("abcdef", "6 to 32 digits"), ("１２３４５６", "6 to 32 digits"), ("9" * 33, "6 to 32"),
     ("000000", "everybody tries"), ("123456", "everybody tries"), ("987654", "everybody tries"), ("", "6 to 32")],
)  # fmt: skip
def test_a_pin_that_is_none(config: Path, pin: str, wrong: str) -> None:
    code, words = run(config, "guard", "add", "Li", "--pin", pin)
    assert code == 1
    assert wrong in words
    assert pin == "" or pin not in words


def test_one_card_logs_in_one_guard(config: Path) -> None:
    run(config, "guard", "add", "Li", "--holder", "h-1", "--pin", "739164")
    code, words = run(config, "guard", "add", "Chen", "--holder", "h-1", "--pin", "739165")
    assert code == 1
    assert "the card of h-1 logs in Li already" in words


def test_a_gate_without_a_page_has_no_guards(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(sections() + devices())
    code, words = run(path, "guard", "list")
    assert code == 1
    assert "no section [page]" in words


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "guards.json"
    write_guards(file, [new_guard("Li", "739164", Role.GUARD)])
    file.chmod(0o640)
    with pytest.raises(GuardsError, match="chmod 600"):
        read_guards(file)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"guards": [{"name": "Li"}]}', '{"guards": [], "x": 1}', "\xff"])
def test_a_file_that_is_none_names_nobody(tmp_path: Path, text: str) -> None:
    file = tmp_path / "guards.json"
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    with pytest.raises(GuardsError, match=r"guards\.json: is no file of guards"):
        read_guards(file)


@pytest.mark.parametrize("name", ["", " Li", "Li\n", "x" * 65, "\u202eLi"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(GuardsError, match="printable characters"):
        new_guard(name, "739164", Role.GUARD)


def test_the_book_sees_a_change_at_once(tmp_path: Path) -> None:
    file = tmp_path / "guards.json"
    book = GuardBook(file)
    assert book.all() == {}
    write_guards(file, [new_guard("Li", "739164", Role.GUARD)])
    assert list(book.all()) == ["Li"]
    write_guards(file, [])
    assert book.all() == {}
    file.unlink()
    assert book.all() == {}


def test_root_writes_it_for_whoever_runs_the_gate(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, 12345, 12345)
    write_guards(folder / "guards.json", [new_guard("Li", "739164", Role.GUARD)])
    assert (folder / "guards.json").stat().st_uid == 12345
