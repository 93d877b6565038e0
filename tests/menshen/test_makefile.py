"""Whatever is made first on a fresh clone sets itself up."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROFILES = {"demo": "demo", "fuzz": "fuzz", "faults": "faults"}


@pytest.mark.parametrize(
    "target", re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
)
def test_a_target_that_needs_the_environment_makes_it_first(target: str) -> None:
    told = subprocess.run(["make", "-n", target, "NAME=x"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in told.stdout.splitlines() if not line.startswith("make")]
    if any(".venv/" in line for line in lines):
        assert lines[0] == f"requirements/setup.sh {PROFILES.get(target, 'test')}"
    else:
        assert target == "lock"
