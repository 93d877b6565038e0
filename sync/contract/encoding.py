"""The encodings that credentials come in, read strictly: what is not exactly as its standard says is refused, with a word
for what is wrong. Everything here is fed by whoever holds a paper up to a camera.
"""

import io
from collections.abc import Mapping
from typing import Final, NoReturn

import base45
import cbor2

from sync.errors import CredentialRefused

MAX_DEPTH: Final = 16  # levels of CBOR; the deepest real certificate has 8


def decode_base45(text: str) -> bytes:
    """The bytes of a text in base45 (RFC 9285). Raises CredentialRefused: `not-base45`."""
    if text.endswith("\n"):  # which the library would forgive
        raise CredentialRefused("not-base45")
    try:
        return bytes(base45.b45decode(text))
    except ValueError:
        raise CredentialRefused("not-base45") from None


def _no_tag(_value: object, _immutable: bool) -> NoReturn:
    raise _TagRefused


class _TagRefused(ValueError):
    """A tag that would make cbor2 build something (a pattern, a date, a shared reference …)."""


def _as_it_is(value: object, _immutable: bool) -> object:
    return value


_MEANT: Final = (2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
"""All other tags that cbor2 would act upon (seen by asking it for each up to 70,000)."""
_SEMANTICS: Final = {0: _as_it_is, 1: _as_it_is, **dict.fromkeys(_MEANT, _no_tag)}


def decode_cbor(data: bytes) -> object:
    """One CBOR item (RFC 8949) and nothing after it. Dates (tags 0 and 1) are given as they are written, tags without a
    meaning as `cbor2.CBORTag`; all others are refused, big numbers among them.

    Raises CredentialRefused: `not-cbor`, `too-deep`, `duplicate-key`, `trailing-bytes`."""
    stream = io.BytesIO(data)
    decoder = cbor2.CBORDecoder(stream, max_depth=MAX_DEPTH, allow_duplicate_keys=False, semantic_decoders=_SEMANTICS)
    try:
        value: object = decoder.decode()
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise CredentialRefused(_what_is_wrong(error)) from None
    if stream.tell() != len(data):
        raise CredentialRefused("trailing-bytes")
    return value


def _what_is_wrong(error: Exception) -> str:
    text = str(error)  # cbor2 has one error for all of it
    if "nesting depth" in text:
        return "too-deep"
    return "duplicate-key" if "Duplicate map key" in text else "not-cbor"


def decode_map(data: bytes) -> Mapping[object, object]:
    """As `decode_cbor`, for what must be a map. Raises CredentialRefused: also `not-cbor` when it is none."""
    value = decode_cbor(data)
    if not isinstance(value, Mapping):
        raise CredentialRefused("not-cbor")
    return value
