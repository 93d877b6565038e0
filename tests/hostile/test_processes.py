"""No process of a real gate leaves a core dump: they all have held what was scanned."""

import resource
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from menshen.demo.cast import make_cast
from menshen.demo.gate import SITE, gate_config
from menshen.demo.processes import Child, menshen

WAIT_S = 20.0


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Child]:
    """A gate with a simulated camera and a loudspeaker, and nobody at it."""
    cast = make_cast(tmp_path, SITE)
    text = gate_config(tmp_path, cast, "127.0.0.1", 1, visits=None, camera=None, fast=True)
    config = tmp_path / "gate.toml"
    config.write_text(text.partition("[simulation]")[0])
    command = menshen("gate", "run", "--config", str(config), "--feed")
    resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)  # all that we may have
    child = Child("gate", command, tmp_path / "gate.log", pipe=True)
    yield child
    child.stop()


def test_no_process_of_a_gate_may_dump(gate: Child) -> None:
    assert gate.process.stdout is not None
    assert any(b'"what":"ready"' in line for line in gate.process.stdout)
    found = {gate.process.pid: "gate", **modules_below(gate.process.pid)}
    assert sorted(found.values()) == ["drivers.camera.process", "drivers.sound.process", "gate"]
    for pid, name in found.items():
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        (core,) = [line.split()[4:6] for line in limits if line.startswith("Max core file size")]
        assert core == ["0", "0"], name


def modules_below(pid: int) -> dict[int, str]:
    """The process's children, each with the module that it runs (`python -P -m module`)."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        pids = [int(one) for tasks in Path(f"/proc/{pid}/task").glob("*/children") for one in tasks.read_text().split()]
        lines = {child: Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0") for child in pids}
        modules = {child: words[words.index("-m") + 1] for child, words in lines.items() if "-m" in words}
        found = {
            child: name for child, name in modules.items() if name != "menshen"
        }  # which is forked, not yet started
        if len(found) == 2:
            return found
        select.select([], [], [], 0.02)
    raise AssertionError("camera and sound were not started")
