"""SMART Health Cards, read from a QR: pairs of digits, a JWS over raw DEFLATE, FHIR inside.

The framework (https://spec.smarthealth.cards, 1.4.0) with no network: issuers and keys are those of the trust list, nothing
of a card is fetched, and a certificate or key that travels in a card is not looked at. The order is: take apart, find the
issuer's key, verify, and only then believe what is written.
"""

import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.credentials.certificate import Certificate
from gateway.credentials.fhir import read_bundle
from sync.contract.encoding import decode_base64url, decode_json
from sync.contract.keys import jwk_thumbprint
from sync.contract.trust import Issuer, IssuerKey
from sync.errors import CredentialRefused

PREFIX: Final = "shc:/"
MAX_PAYLOAD: Final = 65_536  # bytes, inflated
MAX_COMMAS: Final = 6_000  # in it: they bound the values that the parser makes; a whole summary of 30 kB has 1,000
TYPE: Final = "https://smarthealth.cards#health-card"

_ONE_CODE: Final = "1/1/"  # needless, and written by some
_CHUNK: Final = re.compile(r"[0-9]{1,3}/[0-9]{1,3}/")
_BAD: Final = 0
_PAIRS: Final = bytes(
    45 + 10 * (bcd >> 4) + (bcd & 15) if bcd <= 0x77 and bcd & 15 <= 9 else _BAD for bcd in range(256)
)
"""Two digits, as binary-coded decimal → a character; 77 is `z`, the last one of a JWS."""
_ECDSA: Final = ECDSA(SHA256())
_RAW_DEFLATE: Final = -15


@dataclass(slots=True)
class _Key:
    """An issuer's key: made when the first card needs it."""

    listed: IssuerKey
    made: EllipticCurvePublicKey | None = None

    def public(self) -> EllipticCurvePublicKey:
        """The key itself. Raises CredentialRefused."""
        if self.made is None:
            x, y = (int.from_bytes(decode_base64url(each)) for each in (self.listed.x, self.listed.y))
            try:
                self.made = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
            except ValueError:  # no point of the curve
                raise CredentialRefused("unknown-key") from None
        return self.made


@dataclass(frozen=True, slots=True)
class Issuers:
    """The issuers that are believed, each only under its own keys."""

    _keys: Mapping[str, Mapping[str, _Key]] = field(default_factory=dict)

    @classmethod
    def of(cls, issuers: Sequence[Issuer]) -> "Issuers":
        """Those of a trust list. An address that no card may bear, and a key that is not called by its thumbprint, are left
        out: the office refuses them with their names (`central.trust.issuers`)."""
        return cls(
            {
                issuer.iss: {key.kid: _Key(key) for key in issuer.keys if key.kid == jwk_thumbprint(key.x, key.y)}
                for issuer in issuers
                if issuer.iss.startswith("https://") and not issuer.iss.endswith("/")
            }
        )

    def key(self, iss: str, kid: str) -> _Key:
        """The key `kid` of the issuer. Raises CredentialRefused: `unknown-issuer`, `unknown-key`."""
        keys = self._keys.get(iss)
        if keys is None:
            raise CredentialRefused("unknown-issuer")
        if kid not in keys:
            raise CredentialRefused("unknown-key")
        return keys[kid]


def verify(text: str, issuers: Issuers, now_s: float) -> Certificate:
    """The card in a scanned text, at `now_s` (Unix seconds). Raises CredentialRefused: as `decode_digits`, `verify_jws`."""
    return verify_jws(decode_digits(text), issuers, now_s)


def decode_digits(text: str) -> bytes:
    """The JWS that a scanned text stands for. Raises CredentialRefused: `chunked`, `not-digits`, `not-jws`."""
    digits = text.removeprefix(PREFIX).removeprefix(_ONE_CODE)
    if _CHUNK.match(digits):
        raise CredentialRefused("chunked")
    try:
        jws = binascii.unhexlify(digits).translate(_PAIRS)  # 80 times as fast as a loop over the pairs
    except ValueError:  # an odd number of them, or no digits at all
        raise CredentialRefused("not-digits") from None
    if _BAD in jws:
        raise CredentialRefused("not-jws" if digits.isdigit() else "not-digits")
    return jws


def verify_jws(jws: bytes, issuers: Issuers, now_s: float) -> Certificate:
    """The card in a JWS (RFC 7515, compact), as the files of issuers have it.

    Raises CredentialRefused: `not-jws`, `not-base64url`, `not-json`, `too-deep`, `duplicate-key`, `number-too-large`,
    `algorithm`, `not-compressed`, `critical-header`, `not-deflate`, `too-big`, `trailing-bytes`, `unknown-issuer`,
    `unknown-key`, `signature-size`, `bad-signature`, `bad-times`, `not-yet-valid`, `expired`, `wrong-type`, `revoked`,
    `bad-schema`."""
    parts = jws.split(b".")
    if len(parts) != 3:
        raise CredentialRefused("not-jws")
    compressed, signature = decode_base64url(parts[1]), decode_base64url(parts[2])
    kid = _key_id(parts[0])
    payload = _inflate(compressed)
    claims = _object(decode_json(payload))
    key = issuers.key(_text(claims.get("iss")), kid)
    _verify_signature(key.public(), signature, jws[: jws.rindex(b".")])
    return _believe(claims, payload, key.listed, now_s)


@lru_cache(maxsize=64)
def _key_id(header: bytes) -> str:
    """Which key signed; all cards of a key have the same header."""
    members = _object(decode_json(decode_base64url(header)))
    if members.get("alg") != "ES256":
        raise CredentialRefused("algorithm")
    if members.get("zip") != "DEF":
        raise CredentialRefused("not-compressed")
    if "crit" in members:  # RFC 7515, 4.1.11: what must be understood, and is not
        raise CredentialRefused("critical-header")
    return _text(members.get("kid"))


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    try:
        payload = inflater.decompress(data, MAX_PAYLOAD + 1)
    except zlib.error:
        raise CredentialRefused("not-deflate") from None
    if len(payload) > MAX_PAYLOAD:
        raise CredentialRefused("too-big")
    if not inflater.eof:
        raise CredentialRefused("not-deflate")
    if inflater.unused_data:
        raise CredentialRefused("trailing-bytes")
    if payload.count(b",") > MAX_COMMAS:
        raise CredentialRefused("too-big")
    return payload


def _verify_signature(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> None:
    if len(signature) != 64:  # RFC 7518, 3.4: r and s, each 32 bytes, and no DER
        raise CredentialRefused("signature-size")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    try:
        key.verify(encode_dss_signature(r, s), signed, _ECDSA)
    except InvalidSignature:
        raise CredentialRefused("bad-signature") from None


def _believe(claims: Mapping[str, object], payload: bytes, key: IssuerKey, now_s: float) -> Certificate:
    not_before_s = _seconds(claims.get("nbf"))
    if now_s < not_before_s:
        raise CredentialRefused("not-yet-valid")
    if "exp" in claims and now_s >= _seconds(claims["exp"]):
        raise CredentialRefused("expired")
    credential = _object(claims.get("vc"))
    types = credential.get("type")
    if not isinstance(types, list) or TYPE not in types:
        raise CredentialRefused("wrong-type")
    if _revoked(credential.get("rid"), not_before_s, key.revoked):
        raise CredentialRefused("revoked")
    bundle = _object(_object(credential.get("credentialSubject")).get("fhirBundle"))
    # over what was signed and not how: n - s makes a second signature of every card
    identity = hashlib.sha256(payload).hexdigest()
    statements, facts = read_bundle(bundle)
    return Certificate(identity=identity, statements=statements, facts=facts)


def _revoked(rid: object, not_before_s: float, revoked: Mapping[str, int]) -> bool:
    if rid is None:
        return False
    before_s = revoked.get(_text(rid))
    return before_s is not None and (before_s == 0 or not_before_s < before_s)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise CredentialRefused("bad-schema")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise CredentialRefused("bad-schema")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CredentialRefused("bad-times")
    return value
