"""The encodings that credentials come in, read strictly: what is not exactly as its standard says is refused, with a word
for what is wrong. Everything here is fed by whoever holds a paper up to a camera.
"""

import binascii
import io
import json
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final, NoReturn

import cbor2
import msgspec

from sync.errors import CredentialRefused

MAX_DEPTH: Final = 16  # levels of CBOR; the deepest real certificate has 8
MAX_JSON_DEPTH: Final = 64  # levels of JSON; a health card has 11
MAX_INT_DIGITS: Final = 20  # of a number in JSON: 64 bits

_BASE45: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # RFC 9285, table 1
_NO_DIGIT: Final = 255
_DIGITS: Final = bytes(_BASE45.find(character) & _NO_DIGIT for character in range(256))


def decode_base45(text: str) -> bytes:
    """The bytes of a text in base45 (RFC 9285). Raises CredentialRefused: `not-base45`."""
    try:
        digits = text.encode("ascii").translate(_DIGITS)
    except ValueError:
        raise CredentialRefused("not-base45") from None
    whole = len(digits) // 3 * 3
    if _NO_DIGIT in digits:
        raise CredentialRefused("not-base45")
    return _pairs_of_bytes(digits[:whole]) + _last_byte(digits[whole:])


def _pairs_of_bytes(digits: bytes) -> bytes:
    """The two bytes that each three digits stand for: all of them at once, 32 bits each in one large number. One by one, as
    the library `base45` does it, takes nearly as long as the signature that follows."""
    count = len(digits) // 3
    low, middle, high = _spread(digits[0::3]), _spread(digits[1::3]), _spread(digits[2::3])
    summed = (low + 45 * middle + 45 * 45 * high).to_bytes(4 * count)
    if any(summed[1::4]):  # above 65,535; 44 in all three places needs no more than 17 bits
        raise CredentialRefused("not-base45")
    pairs = bytearray(2 * count)
    pairs[0::2], pairs[1::2] = summed[2::4], summed[3::4]
    return bytes(pairs)


def _spread(digits: bytes) -> int:
    wide = bytearray(4 * len(digits))
    wide[3::4] = digits
    return int.from_bytes(wide)


def _last_byte(digits: bytes) -> bytes:
    """The byte that two digits at the end stand for; none when there are none."""
    if not digits:
        return b""
    value = digits[0] + 45 * digits[-1]
    if len(digits) == 1 or value > 0xFF:
        raise CredentialRefused("not-base45")
    return bytes((value,))


def _no_tag(_value: object, _immutable: bool) -> NoReturn:
    raise _TagRefused


class _TagRefused(ValueError):
    """A tag that would make cbor2 build something (a pattern, a date, a shared reference …)."""


def _as_it_is(value: object, _immutable: bool) -> object:
    return value


_MEANT: Final = (2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 43000, 55799)
"""All other tags that cbor2 would act upon (seen by asking it for each up to 70,000)."""
_SEMANTICS: Final = {0: _as_it_is, 1: _as_it_is, 1004: _as_it_is, **dict.fromkeys(_MEANT, _no_tag)}


def decode_cbor(data: bytes) -> object:
    """One CBOR item (RFC 8949) and nothing after it. Dates (tags 0, 1 and 1004) are given as they are written, tags without a
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
    if not (isinstance(value, Mapping) and has_labels(value)):
        raise CredentialRefused("not-cbor")
    return value


def has_labels(value: Mapping[object, object]) -> bool:
    """Whether all keys are numbers or texts, as labels are (RFC 9052, section 1.5): to Python true and 1.0 are 1 too."""
    return all(type(key) in (int, str) for key in value)


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_PLAIN: Final = bytes.maketrans(b"-_", b"+/")


def decode_base64url(text: str | bytes) -> bytes:
    """The bytes of a text in base64url without padding (RFC 7515, section 2), in its one way of writing them.

    Raises CredentialRefused: `not-base64url`."""
    try:
        written = text.encode("ascii") if isinstance(text, str) else text
        data = binascii.a2b_base64(written.translate(_PLAIN) + b"=" * (-len(written) % 4))
    except ValueError:
        raise CredentialRefused("not-base64url") from None
    # the library skips what is not of the alphabet, and forgives bits that are left over
    if binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=") != written:
        raise CredentialRefused("not-base64url")
    return data


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_INT_DIGITS:
        raise CredentialRefused("number-too-large")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise CredentialRefused("number-too-large")
    return value


def _no_number(_constant: str) -> NoReturn:
    raise CredentialRefused("not-json")  # NaN and Infinity are Python's own


def _no_duplicates(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise CredentialRefused("duplicate-key")
    return members


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_int=_whole_number, parse_float=_number, parse_constant=_no_number
)
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # one level down, one up: as signed bytes
_NO_BRACKET: Final = bytes(set(range(256)) - set(b"[{]}"))


def _depth(data: bytes) -> int:
    """How deep its brackets go, or more than that while it is allowed; those inside strings are none."""
    at_most = data.count(b"[") + data.count(b"{")
    if at_most <= MAX_JSON_DEPTH:  # as of every card on paper
        return at_most
    outside = b"".join(data.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    return max(accumulate(memoryview(outside.translate(_STEPS, _NO_BRACKET)).cast("b")), default=0)


_DIGITS_AS_0: Final = bytes(48 if 48 <= byte <= 57 else 0 for byte in range(256))
_MANY_DIGITS: Final = b"0" * (MAX_INT_DIGITS + 1)
_QUICK: Final = msgspec.json.Decoder()
_WRITER: Final = msgspec.json.Encoder()


def _if_minified(data: bytes) -> object | None:
    """The value of a text that is written in the shortest way there is, which no doubled member is: that much is found out in
    a third of the time. None: it is not, or it is no JSON at all."""
    try:
        value: object = _QUICK.decode(data)
    except ValueError:
        return None
    return value if _WRITER.encode(value) == data and _MANY_DIGITS not in data.translate(_DIGITS_AS_0) else None


def decode_json(data: bytes) -> object:
    """One JSON text (RFC 8259) in UTF-8, without a byte order mark.

    Raises CredentialRefused: `not-json`, `too-deep`, `duplicate-key`, `number-too-large`."""
    if _depth(data) > MAX_JSON_DEPTH:  # before the parsers, whose own bound is Python's stack
        raise CredentialRefused("too-deep")
    quick = _if_minified(data)
    if quick is not None:
        return quick
    try:
        value: object = _JSON.decode(data.decode())
    except ValueError:
        raise CredentialRefused("not-json") from None
    return value
