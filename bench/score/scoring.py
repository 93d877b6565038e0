"""Cases with known answers, and the count of those that the gate's own code decides alike."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sync.errors import CredentialRefused

ACCEPT, REJECT, EITHER = "accept", "reject", "either"
_ANSWERS: Final = frozenset({ACCEPT, REJECT, EITHER})


class Unreadable(Exception):
    """A file of the collection that is missing or broken: what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One file. `decide`: the gate's decision: returns when it accepts (a remark on it, or nothing), raises CredentialRefused
    when it rejects, Unreadable when there is nothing to decide on. `defective`: why it is not scored."""

    path: str
    expected: str
    decide: Callable[[], str | None]
    defective: str = ""


@dataclass(slots=True)
class Score:
    """What is printed. `files`: those scored, so agree + disagree; the defective ones are beside it. `remarks`: how often each
    was made on an accepted file; they are for standard error."""

    agree: int = 0
    disagree: list[str] = field(default_factory=list)
    defective: list[str] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)

    @property
    def files(self) -> int:
        """How many were scored."""
        return self.agree + len(self.disagree)

    def as_json(self) -> str:
        """One line."""
        counts = {"files": self.files, "agree": self.agree, "disagree": self.disagree, "defective": self.defective}
        return json.dumps(counts, ensure_ascii=False)


def score(cases: Iterable[Case]) -> Score:
    """Decide all of them. Nothing that a case holds stops the others."""
    total = Score()
    for case in cases:
        if case.defective:
            total.defective.append(f"{case.path}: {case.defective}")
            continue
        got, why = _decision(case, total.remarks)
        if case.expected in _ANSWERS and (case.expected == got or (case.expected == EITHER and got in _ANSWERS)):
            total.agree += 1
        else:
            total.disagree.append(f"{case.path}: expected {case.expected or 'nothing'} got {got}{why}")
    return total


def _decision(case: Case, remarks: Counter[str]) -> tuple[str, str]:
    """The decision, and in brackets what it rests on."""
    try:
        remark = case.decide()
    except CredentialRefused as error:
        return REJECT, f" ({error.reason})"
    except Unreadable as error:
        return "no decision", f" ({error})"
    except Exception as error:  # noqa: BLE001 (a gate that raises decides nothing; the score names it and goes on)
        return "an error", f" ({type(error).__name__}: {error})"
    remarks.update([remark] if remark else [])
    return ACCEPT, ""


def manifest(folder: Path) -> Iterator[Mapping[str, str]]:
    """The rows of its MANIFEST.csv. Raises Unreadable."""
    path = folder / "MANIFEST.csv"
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines, restval=""))
    except (OSError, ValueError, csv.Error) as error:
        raise Unreadable(f"{path}: {error}") from error
    for row in rows:
        yield {str(key): value.strip() for key, value in row.items() if isinstance(value, str)}


def read_json(path: Path) -> object:
    """What a file of the collection holds. Raises Unreadable."""
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path.name}: {error}") from error
