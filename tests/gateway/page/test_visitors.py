"""The registered visitors: kept here, for a time, and nowhere else."""

import stat
from pathlib import Path

import pytest

from gateway.page.messages import Register
from gateway.page.visitors import DAY_MS, VisitorFile, VisitorsError


def test_they_are_kept_for_some_days(tmp_path: Path) -> None:
    file = VisitorFile(tmp_path / "visitors.jsonl")
    assert list(file.read()) == []
    assert file.trim(DAY_MS) == 0
    references = [file.add(Register(name=f"n{day}", host="h"), "Li", day * DAY_MS) for day in range(5)]
    assert [each.reference for each in file.read()] == references
    assert len(set(references)) == 5
    assert file.trim(3 * DAY_MS) == 3
    assert [each.name for each in file.read()] == ["n3", "n4"]
    assert stat.S_IMODE((tmp_path / "visitors.jsonl").stat().st_mode) == 0o600
    assert b"n0" not in (tmp_path / "visitors.jsonl").read_bytes()


def test_a_line_that_a_power_cut_broke_costs_that_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "visitors.jsonl"
    file = VisitorFile(path)
    file.add(Register(name="one", host="h"), "Li", 1)
    file.add(Register(name="two", host="h"), "Li", 2)
    path.write_bytes(path.read_bytes()[:-20])
    file.add(Register(name="three", host="h"), "Li", 3)
    assert [each.name for each in file.read()] == ["one", "three"]


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "visitors.jsonl").mkdir()
    with pytest.raises(VisitorsError, match="cannot be written"):
        VisitorFile(tmp_path / "visitors.jsonl").add(Register(name="one", host="h"), "Li", 1)
