"""COSE_Sign1 (RFC 9052, section 4.2), taken apart and put together. Whose key it is, and with it the algorithm, is the
caller's to know: nothing here believes a header.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cbor2

from sync.contract.encoding import decode_cbor, decode_map
from sync.errors import CredentialRefused

TAG: Final = 18
CWT_TAG: Final = 61  # RFC 8392, section 6: stands before the tag of the COSE object
ALG, KEY_ID = 1, 4  # RFC 9052, section 3.1
EDDSA, ES256, PS256 = -8, -7, -37  # RFC 9053, RFC 8230


@dataclass(frozen=True, slots=True)
class Sign1:
    """A signed object: `protected` are the bytes that were signed, `headers` the same as a map."""

    protected: bytes
    headers: Mapping[object, object]
    unprotected: Mapping[object, object]
    payload: bytes
    signature: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is over: Sig_structure, RFC 9052, section 4.4."""
        return to_be_signed(self.protected, self.payload)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """What is signed for a protected header and a payload, with no outside data."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def decode_sign1(data: bytes) -> Sign1:
    """The object in `data`, untagged or with tag 18, or 61 before 18. Raises CredentialRefused: as `decode_cbor`, and `not-cose`."""
    return as_sign1(decode_cbor(data))


def as_sign1(value: object) -> Sign1:
    """The same for what is decoded already."""
    for tag in (CWT_TAG, TAG):
        if isinstance(value, cbor2.CBORTag) and value.tag == tag:
            value = value.value
    if not (isinstance(value, (list, tuple)) and len(value) == 4):
        raise CredentialRefused("not-cose")
    protected, unprotected, payload, signature = value
    if not (isinstance(protected, bytes) and isinstance(unprotected, Mapping)):
        raise CredentialRefused("not-cose")
    if not (isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise CredentialRefused("not-cose")
    return Sign1(protected, decode_map(protected) if protected else {}, unprotected, payload, signature)


def encode_sign1(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """The object, untagged and with nothing unprotected."""
    return cbor2.dumps([protected, {}, payload, signature])
