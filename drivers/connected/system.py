"""/sys, /proc and /dev of a machine, read under a root: all of it is text that a device may have chosen, so bounded."""

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

MOST: Final = 4_096  # bytes of a file, and entries of a folder
LONGEST: Final = 120  # characters of a name


class System:
    """Reads; never raises for what is not there or must not be read: that is the same as nothing."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root.resolve()

    @property
    def is_own(self) -> bool:
        """This machine's, and no copy of another's."""
        return self._root == Path("/")

    def at(self, path: str) -> Path:
        """Where a path of that machine is on this one."""
        return self._root / path.lstrip("/")

    def text(self, path: str) -> str:
        """A whole file, cut short, "" without one."""
        try:
            with self.at(path).open("rb") as file:
                return file.read(MOST).decode("utf-8", "replace")
        except OSError:
            return ""

    def line(self, path: str) -> str:
        """The first line of a file, of characters that can be shown."""
        first = self.text(path).partition("\n")[0].strip()
        return "".join(char for char in first if char.isprintable())[:LONGEST]

    def names(self, path: str) -> list[str]:
        """What is in a folder, in natural order."""
        try:
            return sorted((each.name for each in islice(self.at(path).iterdir(), MOST)), key=_natural)
        except OSError:
            return []

    def is_there(self, path: str) -> bool:
        """Whether there is such a thing."""
        return self.at(path).exists()

    def real(self, path: str) -> str:
        """A path without links."""
        real = Path(os.path.realpath(self.at(path)))
        return f"/{real.relative_to(self._root)}" if real.is_relative_to(self._root) else str(real)

    def above(self, path: str, name: str) -> str:
        """The nearest folder, this one or one above it, in which there is a file of this name; "" without one."""
        at = Path(self.real(path))
        return next((str(each) for each in (at, *at.parents) if self.is_there(f"{each}/{name}")), "")

    def links_to(self, target: str, *folders: str) -> list[str]:
        """The names in these folders that lead to `target`, the first folder's first."""
        real = self.real(target)
        return [path for path in self._links(folders) if self.real(path) == real]

    def _links(self, folders: tuple[str, ...]) -> Iterator[str]:
        for folder in folders:
            for name in self.names(folder):
                yield f"{folder}/{name}"

    def lacks(self, path: str, group: str) -> str:
        """What to do where this user may not read and write it."""
        if not self.is_there(path) or os.access(self.at(path), os.R_OK | os.W_OK):
            return ""
        return f"no permission: add the user to the group {group}"


def _natural(name: str) -> list[tuple[int, str]]:
    """ttyS2 before ttyS10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]
