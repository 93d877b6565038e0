"""The command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands import EXAMPLE
from menshen.cli import main
from tests.gateway.config.files import devices, sections
from tests.gateway.voice.voices import needs_a_voice


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments))
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "command",
    [
        "",
        "demo",
        "gate",
        "gate run",
        "gate check",
        "gate example",
        "gate directory",
        "gate directory load",
        "gate journal",
        "gate journal list",
        "gate journal export",
        "gate journal verify",
        "gate journal erase",
        "wire",
        "wire tail",
        "office",
        "trust",
        "trust keygen",
        "trust make",
        "trust seal",
        "trust import",
        "trust show",
    ],
)
def test_every_command_teaches(command: str) -> None:
    code, output = run(*command.split(), "--help")
    assert code == 0
    assert "Usage:" in output


def test_a_mistyped_command_says_so() -> None:
    code, output = run("gaet")
    assert code == 2
    assert "No such command 'gaet'" in output


def test_the_example_is_printed_as_it_stands() -> None:
    assert run("gate", "example") == (0, EXAMPLE.read_text("utf-8"))


def test_check_takes_the_example(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    code, output = run("gate", "check", "--config", str(path))
    assert code == 0, output
    assert "nothing wrong" in output


def test_check_says_everything_that_is_wrong_and_exits_with_2(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text('[gate]\nidd = "x"\n[policy.portal]\nrelease_s = "5s"\n', "utf-8")
    code, output = run("gate", "check", "--config", str(path))
    assert code == 2
    assert f"{path}:2" in output
    assert f"{path}:4" in output
    code, _ = run("gate", "run", "--config", str(path))
    assert code == 2


@needs_a_voice
@pytest.mark.parametrize(
    ("words", "code"), [("Please keep one metre apart. ", 0), ("Please keep one metre apart. " * 5, 2)]
)
def test_check_refuses_a_slogan_that_takes_too_long(tmp_path: Path, words: str, code: int) -> None:
    pack = (EXAMPLE.parent / "phrases" / "en.toml").read_text("utf-8")
    (tmp_path / "en.toml").write_text(f'{pack}\nslogan-ours = "{words}"\n', "utf-8")
    path = tmp_path / "gate.toml"
    path.write_text(
        sections(prompter='slogans = ["slogan-ours"]').replace("[gate]\n", '[gate]\nlanguages = ["en"]\n')
        + f'[voice]\nphrases = "{tmp_path}"\n'
        + devices(),
        "utf-8",
    )
    found, output = run("gate", "check", "--config", str(path))
    assert found == code, output
    assert ("en/slogan-ours: it takes" in output and "may take 8" in output) is bool(code)


@needs_a_voice
@pytest.mark.parametrize("phrase", ["welcome", "full"])
def test_check_refuses_any_phrase_that_takes_too_long(tmp_path: Path, phrase: str) -> None:
    pack = (EXAMPLE.parent / "phrases" / "en.toml").read_text("utf-8")
    words = f'{phrase} = "{"Please keep one metre apart. " * 5}{"{number}" * (phrase == "full")}"'
    changed, times = re.subn(rf"(?m)^{phrase} = .*$", words, pack)
    assert times == 1
    (tmp_path / "en.toml").write_text(changed, "utf-8")
    path = tmp_path / "gate.toml"
    text = sections().replace("[gate]\n", '[gate]\nlanguages = ["en"]\n')
    path.write_text(f'{text}[voice]\nphrases = "{tmp_path}"\n{devices()}', "utf-8")
    found, output = run("gate", "check", "--config", str(path))
    assert found == 2, output
    assert f"phrase en/{phrase}: it takes" in output and output.count("it takes") == 1


@pytest.mark.parametrize("path", ["/nonexistent/gate.toml", "/"])
def test_a_file_that_cannot_be_read(path: str) -> None:
    code, output = run("gate", "check", "--config", path)
    assert code == 2
    assert path in output


def test_each_side_is_loaded_alone() -> None:
    """A gate never has Django or a decoder in memory, an office never a driver."""
    for module, strangers in (
        ("gateway.gate", ("django", "central", "cv2", "numpy", "zxingcpp", "pyzbar", "psycopg", "serial", "gpiozero")),
        ("central.commands", ("gateway", "drivers", "serial", "gpiozero", "cv2")),
    ):
        probe = f"import sys, {module}; print([name for name in {strangers!r} if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]", module


def test_a_cast_of_bad_directory_files(tmp_path: Path) -> None:
    config = tmp_path / "gate.toml"
    config.write_text(EXAMPLE.read_text("utf-8").replace("/var/lib/menshen", str(tmp_path / "data")), "utf-8")
    people = tmp_path / "people.json"
    people.write_text('{"version": 1, "cards": [{"uid": "000414CD7E", "holder": "h-1"}]}')
    code, output = run("gate", "directory", "load", "--config", str(config), str(people))
    assert code == 1
    assert "cards of holders that are not listed: h-1" in output
    people.write_text('{"version": 1, "holders": [{"holder": "h-1", "pass_type": "resident"}]}')
    code, output = run("gate", "directory", "load", "--config", str(config), str(people))
    assert (code, output) == (0, "version 1: 1 holders, 0 cards, 0 codes, 0 revoked passes\n")
