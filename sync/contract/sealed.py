"""Documents that the office signs and a gate believes: COSE_Sign1 (RFC 9052) with Ed25519, typed (RFC 9596), so that a
signature for one purpose is none for another.

    [ protected {1: -8, 4: key id, 16: "application/menshen-<what>+json"}, {}, document, signature ]
"""

from collections.abc import Sequence
from typing import Final

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract import cose
from sync.contract.keys import key_id
from sync.errors import CredentialRefused, SyncError

TYPE: Final = 16  # RFC 9596


class SealError(SyncError):
    """A document that the office did not sign, or not as this: what is wrong, in words."""


class NotSealed(SealError):
    """No signed document at all."""


def seal(document: bytes, what: str, key: Ed25519PrivateKey) -> bytes:
    """The document, signed as `what` (a word such as `trust`)."""
    headers = {cose.ALG: cose.EDDSA, cose.KEY_ID: key_id(key.public_key()), TYPE: _type(what)}
    protected = cbor2.dumps(headers, canonical=True)
    return cose.encode_sign1(protected, document, key.sign(cose.to_be_signed(protected, document)))


def unseal(data: bytes, what: str, keys: Sequence[Ed25519PublicKey]) -> bytes:
    """The document in `data`, signed as `what` by one of `keys`. Raises SealError, NotSealed."""
    sign1 = _decoded(data)
    if sign1.headers.get(cose.ALG) != cose.EDDSA or sign1.headers.get(TYPE) != _type(what):
        raise SealError(f"signed for something else than {what!r}")
    candidates = [key for key in keys if key_id(key) == sign1.headers.get(cose.KEY_ID)]
    if not candidates:
        raise SealError("signed by a key that is not pinned here")
    if not any(verifies(key, sign1.signature, sign1.signed) for key in candidates):
        raise SealError("its signature is wrong")
    return sign1.payload


def sealed_as(data: bytes, what: str) -> bool:
    """Whether `data` says that it is signed as `what`; nothing of it is checked. Raises NotSealed."""
    return _decoded(data).headers.get(TYPE) == _type(what)


def verifies(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` is by `key`."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _decoded(data: bytes) -> cose.Sign1:
    try:
        return cose.decode_sign1(data)
    except CredentialRefused as error:
        raise NotSealed(f"no signed document ({error.reason})") from None


def _type(what: str) -> str:
    return f"application/menshen-{what}+json"
