"""The Menshen pass: `MP1:` + base45(COSE_Sign1 over a CWT), signed with Ed25519, verified offline.

    [ protected {1: -8, 4: key id}, {}, payload, signature ]          RFC 9052, EdDSA; untagged
    payload = {2: holder reference, 3: site, 4: expiry, 5: not before, 7: pass id, -65537: pass type}    RFC 8392

It carries no name. The algorithm is fixed by the key, never taken from the message. ASCII only, in QR's alphanumeric
set, since some decoders guess at other bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import base45
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.colours import PassType
from sync.contract.keys import key_id
from sync.errors import CredentialRefused

PREFIX: Final = "MP1:"
MAX_TEXT: Final = 600  # characters; a real pass has about 200
_ALG, _KID, _EDDSA = 1, 4, -8
_SUBJECT, _SITE, _EXPIRY, _NOT_BEFORE, _PASS_ID, _PASS_TYPE = 2, 3, 4, 5, 7, -65537
_TYPES: Final = (PassType.RESIDENT, PassType.TENANT, PassType.RETURNEE, PassType.VISITOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a pass says. Times are Unix seconds; `pass_id` 8 bytes; `holder` a reference without a name."""

    pass_id: bytes
    pass_type: PassType
    site: str
    not_before_s: int
    expires_s: int
    holder: str


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])


def sign_pass(content: Pass, key: Ed25519PrivateKey) -> str:
    """The pass as text for a QR."""
    protected = cbor2.dumps({_ALG: _EDDSA, _KID: key_id(key.public_key())}, canonical=True)
    claims = {
        _SUBJECT: content.holder,
        _SITE: content.site,
        _EXPIRY: content.expires_s,
        _NOT_BEFORE: content.not_before_s,
        _PASS_ID: content.pass_id,
        _PASS_TYPE: _TYPES.index(content.pass_type),
    }
    payload = cbor2.dumps(claims, canonical=True)
    signature = key.sign(_to_be_signed(protected, payload))
    encoded: bytes = base45.b45encode(cbor2.dumps([protected, {}, payload, signature]))
    return PREFIX + encoded.decode("ascii")


def verify_pass(text: str, keys: Sequence[Ed25519PublicKey]) -> Pass:
    """The pass in `text`, its signature checked against the pinned keys; site and times are the caller's to judge.

    Raises CredentialRefused: `malformed`, `unknown-key` or `bad-signature`.
    """
    protected, payload, signature = _envelope(text)
    header = _map(protected)
    if header.get(_ALG) != _EDDSA:
        raise CredentialRefused("malformed")
    candidates = [key for key in keys if key_id(key) == header.get(_KID)]
    if not candidates:
        raise CredentialRefused("unknown-key")
    if not any(_verifies(key, signature, _to_be_signed(protected, payload)) for key in candidates):
        raise CredentialRefused("bad-signature")
    return _claims(_map(payload))


def _envelope(text: str) -> tuple[bytes, bytes, bytes]:
    if len(text) > MAX_TEXT or not text.startswith(PREFIX):
        raise CredentialRefused("malformed")
    try:
        envelope = cbor2.loads(base45.b45decode(text[len(PREFIX) :]))
    except (ValueError, cbor2.CBORError) as error:
        raise CredentialRefused("malformed") from error
    if not (isinstance(envelope, (list, tuple)) and len(envelope) == 4):
        raise CredentialRefused("malformed")
    protected, _, payload, signature = envelope
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise CredentialRefused("malformed")
    return protected, payload, signature


def _map(data: bytes) -> Mapping[object, object]:
    try:
        value = cbor2.loads(data)
    except (ValueError, cbor2.CBORError) as error:
        raise CredentialRefused("malformed") from error
    if not isinstance(value, Mapping):
        raise CredentialRefused("malformed")
    return value


def _verifies(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _claims(claims: Mapping[object, object]) -> Pass:
    pass_id, kind, site = claims.get(_PASS_ID), claims.get(_PASS_TYPE), claims.get(_SITE)
    holder, expires, begins = claims.get(_SUBJECT), claims.get(_EXPIRY), claims.get(_NOT_BEFORE)
    if not (isinstance(pass_id, bytes) and len(pass_id) == 8 and isinstance(site, str) and isinstance(holder, str)):
        raise CredentialRefused("malformed")
    if not (type(kind) is int and 0 <= kind < len(_TYPES) and type(expires) is int and type(begins) is int):
        raise CredentialRefused("malformed")
    return Pass(
        pass_id=pass_id, pass_type=_TYPES[kind], site=site, not_before_s=begins, expires_s=expires, holder=holder
    )
