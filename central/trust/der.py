"""A small strict reader of DER (X.690), for the one extension that the library cannot read in certificates of real issuers."""

from collections.abc import Iterator
from typing import Final

SEQUENCE, OID, OCTET_STRING, BOOLEAN, EXPLICIT_3 = 0x30, 0x06, 0x04, 0x01, 0xA3
_LONG: Final = 0x80


class DerError(ValueError):
    """Bytes that are no DER."""


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The (tag, content) of each item in `data`, which is all of it. Raises DerError."""
    at = 0
    while at < len(data):
        if len(data) < at + 2 or data[at] & 0x1F == 0x1F:  # a tag of several bytes: in no certificate
            raise DerError("cut off, or a tag of several bytes")
        tag, length, begins = data[at], data[at + 1], at + 2
        if length >= _LONG:
            count = length - _LONG
            digits = data[begins : begins + count]
            length, begins = int.from_bytes(digits), begins + count
            if not digits or len(digits) != count or digits[0] == 0 or length < _LONG:
                raise DerError("a length that is not the shortest")
        at = begins + length
        if at > len(data):
            raise DerError("cut off")
        yield tag, data[begins:at]


def only(data: bytes, tag: int) -> bytes:
    """The content of the one item in `data`, which has `tag`. Raises DerError."""
    found = list(items(data))
    if len(found) != 1 or found[0][0] != tag:
        raise DerError("not the one item expected")
    return found[0][1]


def oid(content: bytes) -> str:
    """An object identifier, dotted. Raises DerError."""
    if not content or content[-1] & 0x80:
        raise DerError("an object identifier that is cut off")
    arcs, value = [], 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
