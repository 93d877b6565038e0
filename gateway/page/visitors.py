"""Who was registered on the guard's page (登记): kept at this gate alone, for the days the law asks for, and nowhere else.

A visit's record carries the reference and the guard's name. Name, host and phone never go into the journal, nor to the office, nor
back to the page: whoever has to find somebody looks them up here, by the reference (`menshen gate visitors`).
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.errors import GatewayError
from gateway.page.messages import Register

MOST_BYTES: Final = 16 * 1024 * 1024
DAY_MS: Final = 86_400_000


class VisitorsError(GatewayError):
    """The file of visitors cannot be read or written."""


class Visitor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A registration. `at_ms`: Unix milliseconds; `host`: whom they visit."""

    reference: str
    at_ms: int
    by: str
    name: str
    host: str
    purpose: str = ""
    phone: str = ""


def file_in(data_dir: Path) -> Path:
    """Where they are kept."""
    return data_dir / "visitors.jsonl"


class VisitorFile:
    """One JSON object a line; only its owner may read it. One thread uses it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, asked: Register, by: str, at_ms: int) -> str:
        """Keep a registration, on disk when this returns. Returns its reference. Raises VisitorsError."""
        visitor = Visitor(
            reference=f"r-{secrets.token_hex(5)}",
            at_ms=at_ms,
            by=by,
            name=asked.name,
            host=asked.host,
            purpose=asked.purpose,
            phone=asked.phone,
        )
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                if opened.tell() > MOST_BYTES:
                    raise VisitorsError(f"{self._path}: full; lower keep_days of [page]")
                opened.write(b"\n" + msgspec.json.encode(visitor) + b"\n")  # what a power cut broke ends before it
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            raise VisitorsError(f"{self._path}: cannot be written: {error.strerror}") from error
        return visitor.reference

    def read(self) -> Iterator[Visitor]:
        """All, the oldest first; a line that a power cut broke is passed over. Raises VisitorsError."""
        try:
            with self._path.open("rb") as opened:
                for line in opened:
                    try:
                        yield msgspec.json.decode(line, type=Visitor)
                    except (msgspec.DecodeError, UnicodeDecodeError):
                        continue
        except FileNotFoundError:
            return
        except OSError as error:
            raise VisitorsError(f"{self._path}: cannot be read: {error.strerror}") from error

    def trim(self, oldest: int) -> int:
        """Erase whoever came before (Unix milliseconds); how many. Raises VisitorsError."""
        every = list(self.read())
        kept = [visitor for visitor in every if visitor.at_ms >= oldest]
        if len(kept) == len(every):
            return 0
        new = self._path.with_name(f".{self._path.name}.new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(b"".join(msgspec.json.encode(visitor) + b"\n" for visitor in kept))
                opened.flush()
                os.fsync(opened.fileno())
            new.replace(self._path)
        except OSError as error:
            raise VisitorsError(f"{self._path}: cannot be written: {error.strerror}") from error
        return len(every) - len(kept)
