"""What is wrong in a file, gathered so that a person sees all of it at once."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from gateway.config.lines import KeyPath, Lines
from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `line` counts from 1; 0: it has no line, as when a section is missing."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


class ConfigError(GatewayError):
    """A file is wrong. As text: every problem, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Report:
    """Problems of one file, each placed at its key's line. Beyond `MOST` they are only counted: whatever that file is, it
    is no gate's, and finding good words for everything in it would take long."""

    MOST: ClassVar[int] = 200

    file: str
    lines: Lines = field(default_factory=dict)
    _found: list[Problem] = field(default_factory=list)
    _wrong: set[KeyPath] = field(default_factory=set)
    _untold: int = 0

    @property
    def full(self) -> bool:
        """Whether what is added is only counted."""
        return len(self._found) >= self.MOST

    def add(self, path: KeyPath, text: str) -> None:
        """The value at `path` is wrong by itself."""
        self._wrong.add(path)
        self._append(path, text)

    def rule(self, text: str, path: KeyPath, *others: KeyPath) -> None:
        """The values at these paths don't go together; placed at the first. Silent when one of them is wrong anyway."""
        if self._wrong.isdisjoint((path, *others)):
            self._append(path, text)

    def _append(self, path: KeyPath, text: str) -> None:
        if self.full:
            self._untold += 1
        else:
            self._found.append(Problem(self.file, self.line(path), dotted(path), text))

    def line(self, path: KeyPath) -> int:
        """The line of this key, else of the nearest section around it, else 0."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)

    def problems(self) -> tuple[Problem, ...]:
        """All of them, in the file's order."""
        found = sorted(self._found, key=lambda problem: problem.line)
        if self._untold:
            found.append(Problem(self.file, 0, "", f"and {self._untold} more"))
        return tuple(found)


def dotted(path: KeyPath) -> str:
    """A key path as a person would write it: `policy.portal.release_s`, `trust.office_keys[1]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{_quoted(part)}" for part in path)
    return text.removeprefix(".")


def _quoted(name: str) -> str:
    """A name as it must be written in TOML; what is not plain is also kept from playing tricks on a terminal."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
