"""No core dump of a process that forbids it. That a gate's processes do: `tests/hostile/test_processes.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

DIES = """
import os, resource, sys
from drivers.no_dumps import forbid_core_dumps
if sys.argv[1] == "forbid":
    forbid_core_dumps()
    print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)
try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
except (ValueError, OSError):
    sys.exit(3)
os.abort()
"""
PATTERN = Path("/proc/sys/kernel/core_pattern")


def dies(folder: Path, how: str) -> "subprocess.CompletedProcess[str]":
    """A process that lifts its limit and aborts in `folder`."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-P", "-c", DIES, how]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )


def test_a_process_that_forbids_them_leaves_none_even_where_the_limit_is_lifted(tmp_path: Path) -> None:
    done = dies(tmp_path, "forbid")
    assert done.stdout == "(0, 0)\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(PATTERN.read_text()[:1] in "|/%", reason="core files are not written into a process's folder here")
def test_without_it_there_would_be_one(tmp_path: Path) -> None:
    if dies(tmp_path, "allow").returncode == 3:
        pytest.skip("not root: the limit cannot be lifted")
    assert [file.name.startswith("core") for file in tmp_path.iterdir()] == [True]
