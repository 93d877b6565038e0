"""The messages of keyed state, in the log's envelope: `have` goes up, `part` comes down.

A *transfer* brings a receiver from one state (`base`) to another (`upto`), whole or not at all; a snapshot is what has
changed since nothing. It comes in parts that each fit into a message. A part is its rows and a signed *title*, which says
what it is a part of and names the hash of the rows: nothing of it is read before the title verifies. The title of what a
receiver holds proves, to an office that was put back to an earlier state, that it has made this one.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

import msgspec

from sync.errors import MessageError, SyncError
from sync.log.keyed import Mark, Row
from sync.log.messages import decode, encode
from sync.log.records import INT64

PART_BYTES: Final = 48 * 1024  # bytes of one part's rows, about, before compression; a longer row is a part of its own
MAX_ROWS: Final = 4096  # rows in one part
MAX_PARTS: Final = 16_384
MAX_TITLE: Final = 2048  # bytes of a signed title
MAX_PART: Final = 256 * 1024  # bytes a part may inflate to
MAX_HAVE: Final = 6144  # bytes a `have` may inflate to
MAX_ROOM: Final = 16  # parts that may be asked for at once
Seal = Callable[[bytes], bytes]
Verify = Callable[[bytes], bytes]
"""Gives the document that was sealed; raises a SyncError when it was not."""

_Site = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._-]{1,32}\Z")]
_Number = Annotated[int, msgspec.Meta(ge=0, lt=MAX_PARTS)]
_Parts = Annotated[int, msgspec.Meta(ge=1, le=MAX_PARTS)]
_Sealed = Annotated[bytes, msgspec.Meta(max_length=MAX_TITLE)]


class Transfer(NamedTuple):
    """From which state to which, in how many parts: what tells one transfer from another."""

    base: Mark
    upto: Mark
    parts: int


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """What a part is, as the office signs it. `at_ms`: when (Unix milliseconds); `count`: the rows of all parts together;
    `rows`: SHA-256 over the rows of this one."""

    site: _Site
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=INT64)]
    base: Mark
    upto: Mark
    count: Annotated[int, msgspec.Meta(ge=0, le=INT64)]
    number: _Number
    parts: _Parts
    rows: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]

    @property
    def transfer(self) -> Transfer:
        """What it is a part of."""
        return Transfer(self.base, self.upto, self.parts)

    @property
    def is_last(self) -> bool:
        """Whether the transfer ends with it."""
        return self.number == self.parts - 1


class Staged(msgspec.Struct, frozen=True, array_like=True):
    """How far a receiver has come with a transfer: it holds the parts before `next`."""

    base: Mark
    upto: Mark
    parts: _Parts
    next: Annotated[int, msgspec.Meta(ge=0, le=MAX_PARTS)]

    @property
    def transfer(self) -> Transfer:
        """Which transfer it is."""
        return Transfer(self.base, self.upto, self.parts)


class Have(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="have"):
    """Receiver → office: this is what I have of `site`; send at most `room` parts of what is newer.

    `seen` is the newest state it ever took and `title` its signed title; `whole`: its rows are exactly those (else it has
    nothing that changes could be made to). `ahead`: what of a newer state than `seen` came ahead of it, as it was sealed. It is
    also the acknowledgement."""

    site: _Site
    seen: Mark
    title: _Sealed
    whole: bool
    staged: Staged | None
    room: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROOM)]
    ahead: _Sealed = b""


class Part(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="part"):
    """Office → receiver: some rows, and their signed title."""

    title: _Sealed
    rows: Annotated[bytes, msgspec.Meta(max_length=MAX_PART)]


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """A part whose title verified and whose rows are the ones that the title names."""

    title: Title
    sealed: bytes
    rows: tuple[Row, ...]


_HAVE: Final = msgspec.msgpack.Decoder(Have)
_PART: Final = msgspec.msgpack.Decoder(Part)
_TITLE: Final = msgspec.json.Decoder(Title)
_ROWS: Final = msgspec.msgpack.Decoder(Annotated[tuple[Row, ...], msgspec.Meta(max_length=MAX_ROWS)])
_ROWS_ENCODER: Final = msgspec.msgpack.Encoder()
_TITLE_ENCODER: Final = msgspec.json.Encoder()


def decode_have(payload: bytes) -> Have:
    """A receiver's message, with every bound checked. Raises MessageError."""
    have = decode(payload, _HAVE, MAX_HAVE)
    if have.staged is not None and have.staged.next > have.staged.parts:
        raise MessageError(f"have: {have.staged.next} parts of {have.staged.parts}")
    return have


def open_part(payload: bytes, site: str, verify: Verify) -> OpenedPart:
    """The part in `payload`, made for `site` by whom `verify` believes. Raises MessageError."""
    part = decode(payload, _PART, MAX_PART)
    title = open_title(part.title, verify)
    if title.site != site:
        raise MessageError(f"part: it is for the site {title.site!r}, this is {site!r}")
    if hashlib.sha256(part.rows).digest() != title.rows:
        raise MessageError("part: the rows are not those that its title names")
    try:
        rows = _ROWS.decode(part.rows)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MessageError(f"part: signed, and its rows cannot be read: {error}") from error
    return OpenedPart(title, part.title, rows)


def open_title(sealed: bytes, verify: Verify) -> Title:
    """The title that was sealed. Raises MessageError."""
    try:
        title = _TITLE.decode(verify(sealed))
    except SyncError as error:
        raise MessageError(f"title: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MessageError(f"title: signed, and cannot be read: {error}") from error
    if title.number >= title.parts:
        raise MessageError(f"title: part {title.number} of {title.parts}")
    return title


def pack(transfer: tuple[Mark, Mark], rows: Iterable[Row], *, site: str, at_ms: int, seal: Seal) -> list[bytes]:
    """The payloads that bring `site` from one mark to the other, in order; one of no rows when nothing differs.

    Raises ValueError when there are more rows than a transfer can carry."""
    base, upto = transfer
    count, chunks = 0, []
    for chunk in _chunks(rows):
        count += len(chunk)
        chunks.append(_ROWS_ENCODER.encode(chunk))
    if len(chunks) > MAX_PARTS:
        raise ValueError(f"{count} rows are {len(chunks)} parts; at most {MAX_PARTS} can be sent")
    payloads = []
    for number, data in enumerate(chunks):
        title = Title(
            site=site,
            at_ms=at_ms,
            base=base,
            upto=upto,
            count=count,
            number=number,
            parts=len(chunks),
            rows=hashlib.sha256(data).digest(),
        )
        payloads.append(encode(Part(title=seal(_TITLE_ENCODER.encode(title)), rows=data)))
    return payloads


def _chunks(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    """Rows in runs that each make one part: at least one, which may be empty."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        more = len(row.table) + len(row.key) + len(row.value or b"") + 10
        if chunk and (size + more > PART_BYTES or len(chunk) == MAX_ROWS):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += more
    yield chunk
