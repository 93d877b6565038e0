"""On which line each key of a TOML text stands, which tomllib does not tell.

It is given texts that tomllib has accepted, so it checks nothing. Were it ever to lose its way, it would stop: what it
has by then is right, and the rest is reported at the line of its section.
"""

import contextlib
import re
import tomllib
from bisect import bisect_left
from typing import Final

KeyPath = tuple[str | int, ...]
"""Names of sections and keys from the top; whole numbers for the entries of an array."""
Lines = dict[KeyPath, int]
"""Counting from 1. A key that is there several times (`[[…]]`) has its first line."""

_BLANKS: Final = re.compile(r"[ \t]*")
_BETWEEN: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_STRING: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'", re.DOTALL
)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}#\n]+")


class _Lost(Exception):
    """This is not the TOML that was expected here."""


def key_lines(text: str) -> Lines:
    """The line of each key, section and array entry."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    with contextlib.suppress(_Lost, tomllib.TOMLDecodeError, RecursionError):
        scanner.document()
    return scanner.lines


class _Scanner:
    def __init__(self, text: str) -> None:
        self.lines: Lines = {}
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def document(self) -> None:
        """All of it."""
        section: KeyPath = ()
        while self._skip(_BETWEEN) < len(self._text):
            brackets = 2 if self._sees("[[") else 1 if self._sees("[") else 0
            if brackets:
                section = self._header(brackets)
            else:
                self._pair(section)

    def _header(self, brackets: int) -> KeyPath:
        begin = self._at
        self._at += brackets
        path = self._key()
        self._note(path, begin)
        self._take("]" * brackets)
        return path

    def _pair(self, section: KeyPath) -> None:
        begin = self._at
        key = self._key()
        for length in range(1, len(key) + 1):
            self._note(section + key[:length], begin)
        self._take("=")
        self._skip(_BLANKS)
        self._value(section + key)

    def _key(self) -> KeyPath:
        parts: list[str | int] = []
        while True:
            self._skip(_BLANKS)
            if self._sees('"', "'"):
                parts.append(tomllib.loads(f"key = {self._match(_STRING)}")["key"])
            else:
                parts.append(self._match(_BARE_KEY))
            self._skip(_BLANKS)
            if not self._sees("."):
                return tuple(parts)
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        if self._sees("["):
            self._array(path)
        elif self._sees("{"):
            self._inline_table(path)
        else:
            self._match(_STRING if self._sees('"', "'") else _SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        count = 0
        while self._skip(_BETWEEN) < len(self._text) and not self._sees("]"):
            self._note((*path, count), self._at)
            self._value((*path, count))
            count += 1
            self._skip(_BETWEEN)
            self._at += self._sees(",")
        self._take("]")

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip(_BETWEEN) < len(self._text) and not self._sees("}"):
            self._pair(path)
            self._skip(_BETWEEN)
            self._at += self._sees(",")
        self._take("}")

    def _note(self, path: KeyPath, at: int) -> None:
        self.lines.setdefault(path, bisect_left(self._ends, at) + 1)

    def _sees(self, *texts: str) -> bool:
        return self._text.startswith(texts, self._at)

    def _take(self, text: str) -> None:
        if not self._sees(text):
            raise _Lost
        self._at += len(text)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match is not None else self._at
        return self._at

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _Lost
        self._at = match.end()
        return match[0]
