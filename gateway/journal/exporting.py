"""Whole records into a file, for spreadsheets and other programs."""

import csv as csv_format
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import msgspec

from gateway.journal import files
from gateway.journal.browsing import Browser, Selection
from gateway.journal.errors import JournalError
from gateway.journal.schema import Row, checked_record, is_given_up
from sync.log.records import Record

FIELDS: Final = (
    "log_id", "seq", "kind", "at", "at_ms", "clock", "boot", "mono_ms", "body", "gone", "body_hex", "salt", "body_hash", "hash",
)  # fmt: skip
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet may take for the beginning of one
Values = dict[str, object]


def export(path: Path, selection: Selection, out: Path, *, csv: bool, progress: Callable[[int, int], None]) -> int:
    """Write the records selected to `out`, which appears whole or not at all; how many. The gate may go on running: the
    end is where the log stands at the beginning. Raises JournalError, OSError."""
    browser = Browser(path)
    try:
        standing = browser.standing()
        with _file(out, "utf-8-sig" if csv else "utf-8") as file:  # without the mark, Excel takes Chinese for Latin-1
            write = _csv_writer(file) if csv else _line_writer(file)
            count = 0
            for reached, rows in browser.pages(selection, standing.head.seq):
                for row in rows:
                    write(_values(row, standing.log_id, path))
                count += len(rows)
                progress(reached, min(selection.last, standing.head.seq))
    finally:
        browser.close()
    return count


@contextmanager
def _file(out: Path, encoding: str) -> Iterator[TextIO]:
    """A file under another name until it is whole, readable by its owner only: it is full of people."""
    draft = files.beside(out, ".part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding=encoding, newline="") as file:  # noqa: PTH123  a descriptor, not a path
            yield file
            file.flush()
            os.fsync(descriptor)
        draft.rename(out)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _values(row: Row, log_id: str, path: Path) -> Values:
    try:
        record = checked_record(row)
    except (TypeError, ValueError) as error:
        raise JournalError(
            f"{path}: record {row[0]} is unreadable ({error}): export up to it with --to {row[0] - 1}, and from the next one"
        ) from error
    body = None if record.body is None else _json_line(record.body)
    return {
        "log_id": log_id,
        "seq": record.seq,
        "kind": record.kind,
        "at": _date(record),
        "at_ms": record.at,
        "clock": record.clock,
        "boot": record.boot.hex(),
        "mono_ms": record.mono,
        "body": body,
        "gone": _gone(row),
        "body_hex": record.body.hex() if record.body is not None and body is None else None,
        "salt": None if record.salt is None else record.salt.hex(),
        "body_hash": record.body_hash.hex(),
        "hash": bytes(row[9]).hex(),
    }


def _gone(row: Row) -> str | None:
    """Why there is no body."""
    if row[6] is not None:
        return None
    return "given-up" if is_given_up(row) else "erased"


def _date(record: Record) -> str | None:
    try:
        return datetime.fromtimestamp(record.at / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None  # at_ms says what the clock said


def _json_line(body: bytes) -> msgspec.Raw | None:
    """A body that may stand in a line of JSON byte for byte; None for any other."""
    try:
        body.decode()
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if b"\n" in body or b"\r" in body else msgspec.Raw(body)


def _line_writer(file: TextIO) -> Callable[[Values], object]:
    encode = msgspec.json.Encoder().encode

    def write(values: Values) -> object:
        return file.write(
            encode({name: value for name, value in values.items() if name != "body_hex" or value}).decode() + "\n"
        )

    return write


def _csv_writer(file: TextIO) -> Callable[[Values], object]:
    writer = csv_format.writer(file)
    writer.writerow(FIELDS)

    def write(values: Values) -> object:
        return writer.writerow([_cell(values[name]) for name in FIELDS])

    return write


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case msgspec.Raw():
            return no_formula(bytes(value).decode())
        case str():
            return no_formula(value)
        case bool():
            return "1" if value else "0"
        case _:
            return str(value)


def no_formula(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
