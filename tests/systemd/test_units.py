"""The units: systemd's own checks, and that they call commands which exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from menshen.cli import main

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
MOST_EXPOSED = 25  # tenths, of systemd-analyze's 0 (safe) to 100; the gate needs real devices
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The units as they would be installed, but with this environment's program: verify wants it to be there."""
    folder = tmp_path_factory.mktemp("units")
    program = Path(sys.executable).parent / "menshen"
    for unit in UNITS:
        (folder / unit.name).write_text(unit.read_text().replace("/opt/menshen/.venv/bin/menshen", str(program)))
    return sorted(folder.iterdir())


def test_there_is_a_gate_an_office_and_a_post() -> None:
    names = ["gate", "ingest", "office", "post"]
    assert [unit.name for unit in UNITS] == [f"menshen-{name}.service" for name in names]


@needs_systemd
def test_systemd_finds_nothing_wrong(installed: list[Path]) -> None:
    done = subprocess.run(["systemd-analyze", "verify", *installed], capture_output=True, text=True, check=False)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "menshen" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
def test_verify_would_find_a_mistake(installed: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "menshen-broken.service"
    broken.write_text(installed[0].read_text().replace("WatchdogSec=15", "WatchdogSeconds=15"))
    done = subprocess.run(["systemd-analyze", "verify", broken], capture_output=True, text=True, check=False)
    assert "WatchdogSeconds" in done.stdout + done.stderr


@needs_systemd
@pytest.mark.parametrize("number", range(len(UNITS)), ids=[unit.stem for unit in UNITS])
def test_little_is_exposed(installed: list[Path], number: int) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", installed[number]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
def test_it_notifies_and_is_watched(unit: Path) -> None:
    text = unit.read_text()
    assert "Type=notify" in text
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)
    assert "LimitCORE=0" in text


@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
def test_the_commands_exist_and_take_these_options(unit: Path) -> None:
    commands = re.findall(r"^Exec\w+=\S+/menshen (.+)$", unit.read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        words = command.split()
        options = [word for word in words if word.startswith("--")]
        names = words[: words.index(options[0])] if options else words
        shown = CliRunner().invoke(main, [*names, "--help"])
        assert shown.exit_code == 0, shown.output
        for option in options:
            assert option in shown.output


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_every_group_that_the_gate_asks_for_is_made(tmp_path: Path) -> None:
    groups = re.search(
        r"^SupplementaryGroups=(.+)$", (ROOT / "systemd" / "menshen-gate.service").read_text(), re.MULTILINE
    )
    assert groups is not None
    (tmp_path / "etc").mkdir()
    made = ["systemd-sysusers", f"--root={tmp_path}", str(ROOT / "systemd" / "menshen.sysusers.conf")]
    subprocess.run(made, check=True, capture_output=True)
    known = {line.split(":")[0] for line in (tmp_path / "etc" / "group").read_text().splitlines()}
    assert set(groups[1].split()) <= known
