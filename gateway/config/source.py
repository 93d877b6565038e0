"""A TOML file from the outside: read, decoded, parsed, with a clear word for everything that can be wrong with it."""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.config.lines import Lines, key_lines
from gateway.config.problems import ConfigError, Problem

MAX_BYTES: Final = 1_000_000
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is TOML. `sha256`: of its bytes, in hexadecimal."""

    file: str
    sha256: str
    table: dict[str, Any]
    lines: Lines


def read_source(path: Path) -> Source:
    """The file, parsed. Raises ConfigError: not there, too big, not UTF-8, not TOML."""
    data = _read(path)
    text = _decode(path, data)
    return Source(str(path), hashlib.sha256(data).hexdigest(), _parse(path, text), key_lines(text))


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise _error(path, 0, "is not a file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        raise _error(path, 0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > MAX_BYTES:
        raise _error(path, 0, f"is larger than {MAX_BYTES // 1_000_000} MB; that is no such file")
    return data


def _decode(path: Path, data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(path, line, f"byte {data[error.start]:#04x} is not UTF-8; save the file as UTF-8") from error
    if text.startswith("\ufeff"):
        raise _error(path, 1, "begins with a byte order mark; save the file as UTF-8 without one")
    if "\0" in text:
        raise _error(path, text.count("\n", 0, text.index("\0")) + 1, "holds a NUL byte; is it a text file?")
    return text


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # also what int() and datetime() refuse
        place = _PLACE.search(str(error))
        what = _PLACE.sub("", str(error))
        if place is None:
            raise _error(path, 0, f"not TOML: {what}") from error
        line = int(place[1]) if place[1] else text.count("\n") + 1
        column = f" at column {place[2]}" if place[2] else " at the end of the file"
        raise _error(path, line, f"not TOML: {what}{column}") from error
    except RecursionError as error:
        raise _error(path, 0, "not TOML of ours: arrays nested too deeply") from error


def _error(path: Path, line: int, text: str) -> ConfigError:
    return ConfigError([Problem(str(path), line, "", text)])
