"""The office's signed time, for a gate that has no clock battery: a question with a number used once, and its answer.

The gate asks on `up`, the office answers on `down`, in the log's envelope (zlib over MessagePack, tagged `t`):

    {"t": "when", "nonce": 16 random bytes}
    {"t": "time", "sealed": a document signed as `time`: {"gate", "nonce": 32 hexadecimal digits, "at_ms"}}

An answer is good for the question that bore its nonce and for no other, so it cannot be played again. The office read its
clock after the question was sent and before the answer came: what the answer says is right to within that span.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.sealed import NotSealed, seal, unseal
from sync.errors import MessageError
from sync.log.messages import decode, encode

WHAT: Final = "time"  # as what the office signs one
NONCE_BYTES: Final = 16
MAX_INFLATED: Final = 1024  # bytes either message may inflate to
_Nonce = Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]


class When(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="when"):
    """Gate → office: what time is it? `nonce` is random."""

    nonce: _Nonce


class Told(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="time"):
    """Office → gate: the sealed answer."""

    sealed: Annotated[bytes, msgspec.Meta(max_length=512)]


class OfficeTime(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed. `at_ms`: Unix milliseconds."""

    gate: Annotated[str, msgspec.Meta(max_length=32)]
    nonce: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


_WHEN: Final = msgspec.msgpack.Decoder(When)
_TOLD: Final = msgspec.msgpack.Decoder(Told)
_TIME: Final = msgspec.json.Decoder(OfficeTime)


def encode_when(nonce: bytes) -> bytes:
    """The question."""
    return encode(When(nonce=nonce))


def decode_when(payload: bytes) -> When:
    """The question in `payload`. Raises MessageError."""
    return decode(payload, _WHEN, MAX_INFLATED)


def encode_told(gate: str, when: When, at_ms: int, key: Ed25519PrivateKey) -> bytes:
    """The answer to a gate's question."""
    time = OfficeTime(gate=gate, nonce=when.nonce.hex(), at_ms=at_ms)
    return encode(Told(sealed=seal(msgspec.json.encode(time), WHAT, key)))


def decode_told(payload: bytes, keys: Sequence[Ed25519PublicKey]) -> OfficeTime:
    """The answer in `payload`, as one of `keys` has signed it. Whose it is and to which question, the caller has to
    compare. Raises MessageError, and SealError for one that none of them has signed as this."""
    told = decode(payload, _TOLD, MAX_INFLATED)
    try:
        return _TIME.decode(unseal(told.sealed, WHAT, keys))
    except NotSealed as error:
        raise MessageError(f"time: {error}") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MessageError(f"time: signed, and cannot be read: {error}") from error
