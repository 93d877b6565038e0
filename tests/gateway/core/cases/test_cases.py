"""Every written case, played: what happens, line by line, and what must follow."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.core.cases.does import do
from tests.gateway.core.cases.follows import see
from tests.gateway.core.cases.stage import Stage, site_policy

FILES = sorted(Path(__file__).parent.glob("*.toml"))


@dataclass(frozen=True, slots=True)
class Case:
    """One of them. `two`: two people are at the gate at once; `without`: what does not stand at this gate."""

    zh: str
    en: str
    story: str
    policy: dict[str, Any]
    without: tuple[str, ...]
    two: bool

    @classmethod
    def of(cls, table: dict[str, Any]) -> "Case":
        """As the file has it. Raises AssertionError for a key that no case has."""
        assert set(table) <= {"zh", "en", "story", "policy", "without", "two"}, table
        without = tuple(table.get("without", ()))
        return cls(table["zh"], table["en"], table["story"], table.get("policy", {}), without, table.get("two", False))

    def play(self) -> Stage:
        """Play it; how it stands in the end. Raises AssertionError, with the line."""
        lines = [line.strip() for line in self.story.splitlines() if line.strip()]
        begins = lines[0].split(" ", 2) if lines[0][2:3] == ":" or lines[0][6:7] == ":" else ["10:00"]
        start = " ".join(begins[:2]) if ":" not in begins[0] else begins[0]
        stage = Stage(site_policy(self.policy), self.without, start)
        for line in lines:
            try:
                _play(stage, line)
            except AssertionError as error:
                raise AssertionError(f"{self.en}: at {line!r}: {error}") from error
        stage.end()
        return stage


def _play(stage: Stage, line: str) -> None:
    if line.startswith(">"):
        for sentence in line[1:].split(";"):
            see(stage, sentence.strip())
        return
    for sentence in stage.pass_time(line).split(";"):
        do(stage, sentence.strip())


CASES = [(path.stem, Case.of(table)) for path in FILES for table in tomllib.loads(path.read_text("utf-8"))["case"]]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{name}: {case.en}") for name, case in CASES])
def test_it_comes_out_as_it_should(case: Case) -> None:
    case.play()


def test_there_are_enough_of_them_and_each_has_a_title_of_its_own_in_both_languages() -> None:
    assert len(CASES) >= 150
    assert sum(case.two for _, case in CASES) >= 10
    assert len({case.en for _, case in CASES}) == len({case.zh for _, case in CASES}) == len(CASES)
    assert all(case.zh and not case.zh.isascii() and case.en.isascii() for _, case in CASES)
