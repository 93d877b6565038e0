"""EU Digital COVID Certificates (hcert_spec 1.0.8): `HC1:` + base45 of zlib of a COSE_Sign1 over a CWT, from the text to
what it states.

The order is that of trust: what anybody can make (prefix, base45, zlib, COSE) is taken apart with bounds; then the key is
looked up and the signature checked; only what was signed is read. The algorithm is the key's: a header may only agree.
"""

import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.credentials.certificate import Certificate
from gateway.credentials.eu_content import read_content, stated
from sync.contract import cose
from sync.contract.encoding import decode_base45, decode_map, has_labels
from sync.contract.trust import Signer
from sync.errors import CredentialRefused

PREFIX: Final = "HC1:"
MAX_BYTES: Final = 4_096  # inflated; the largest real certificate has 870
"""Far below the 64 kB that would do against bombs: Python's hashes of tuples can be made equal on purpose, and a map of
1,800 such keys, 39 kB inflated out of one QR, held the decoder for 130 ms before any signature. 4 kB of them: about 3 ms here, and a Pi is several times slower."""
MIN_RSA_BITS: Final = 2048
_CRITICAL: Final = 2  # RFC 9052, section 3.1: headers that one must understand; there is none we would
_EXPIRES, _ISSUED, _HEALTH, _EU_V1 = 4, 6, -260, 1  # claims: hcert_spec, section 3.3
_NEVER_S: Final = 253_402_300_800  # the year 10000
_ECDSA: Final = ECDSA(SHA256())
_PSS: Final = PSS(mgf=MGF1(SHA256()), salt_length=32)  # RFC 8230, section 2


@dataclass(frozen=True, slots=True)
class Checks:
    """What is checked beyond the signature. A gate checks all of it; the score, of a file, what that file is about."""

    times: bool = True
    key_usage: bool = True


ALL: Final = Checks()


class TrustedSigner:
    """A signer whose key is read when it is first needed (a list has hundreds)."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self._key: EllipticCurvePublicKey | RSAPublicKey | None = None
        self._unusable = False

    @property
    def algorithm(self) -> int | None:
        """What its key signs with (COSE), None for a key that nothing is believed of."""
        key = self._read()
        if isinstance(key, EllipticCurvePublicKey):
            return cose.ES256
        return None if key is None else cose.PS256

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` over `data` is by this signer."""
        key = self._read()
        try:
            if isinstance(key, EllipticCurvePublicKey):
                key.verify(_der(signature), data, _ECDSA)
            elif key is not None:
                key.verify(signature, data, _PSS, SHA256())
        except InvalidSignature:
            return False
        return key is not None

    def _read(self) -> EllipticCurvePublicKey | RSAPublicKey | None:
        if self._key is None and not self._unusable:
            self._key = _usable(self.signer.key)
            self._unusable = self._key is None
        return self._key


def _usable(data: bytes) -> EllipticCurvePublicKey | RSAPublicKey | None:
    try:
        key = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    return key if isinstance(key, RSAPublicKey) and key.key_size >= MIN_RSA_BITS else None


def _der(signature: bytes) -> bytes:
    """r‖s (RFC 9053, section 2.1) as the library wants it. Raises InvalidSignature where it is not 64 bytes."""
    if len(signature) != 64:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))


class Signers:
    """The signers that are trusted, by key id, and what they have revoked."""

    def __init__(self, by_id: Mapping[bytes, Sequence[TrustedSigner]], revoked: frozenset[str]) -> None:
        self._by_id = by_id
        self._revoked = revoked

    @classmethod
    def of(cls, signers: Sequence[Signer], revoked: Sequence[str]) -> "Signers":
        """Those of a trust list. `revoked`: the first 16 bytes of SHA-256 over UVCIs, hexadecimal."""
        by_id: dict[bytes, list[TrustedSigner]] = {}
        for signer in signers:
            by_id.setdefault(bytes.fromhex(signer.kid), []).append(TrustedSigner(signer))
        return cls(by_id, frozenset(revoked))

    def with_id(self, key_id: object) -> Sequence[TrustedSigner]:
        """All that have this key id: 8 bytes are few, and several may share it."""
        return self._by_id.get(key_id, ()) if isinstance(key_id, bytes) else ()

    def has_revoked(self, uvci: str) -> bool:
        """Whether a certificate is revoked, in whichever way its UVCI was written when it was hashed."""
        return bool(self._revoked) and any(_digest(written) in self._revoked for written in spellings(uvci))


def _digest(uvci: str) -> str:
    return hashlib.sha256(uvci.encode()).hexdigest()[:32]


def spellings(uvci: str) -> frozenset[str]:
    """The ways to write one UVCI: as it is, with and without `URN:UVCI:` and the `#checksum`. Certificates have all of
    them, and lists of revocations were made from either (guidelines on verifiable vaccination certificates, annex 2)."""
    begins = uvci[: len("URN:UVCI:")].upper() == "URN:UVCI:"
    bare = uvci[len("URN:UVCI:") :] if begins else uvci
    without, _, _ = bare.partition("#")
    return frozenset({uvci, bare, without, f"URN:UVCI:{bare}", f"URN:UVCI:{without}"})


def verify(text: str, signers: Signers, now_s: float, checks: Checks = ALL) -> Certificate:
    """What a certificate states, when all of it is right.

    Raises CredentialRefused: as `authentic`; `bad-schema`, `no-statement`, `several-statements`, `other-disease`,
    `unknown-test`; `revoked`."""
    content = read_content(authentic(text, signers, now_s, checks))
    if any(signers.has_revoked(uvci) for uvci in content.uvcis):
        raise CredentialRefused("revoked")
    return content.certificate


def authentic(text: str, signers: Signers, now_s: float, checks: Checks = ALL) -> Mapping[object, object]:
    """The health certificate in a text, still unread, whose signer is trusted and whose time is right.

    Raises CredentialRefused: `wrong-prefix`, `not-base45`, `not-zlib`, `too-big`, `trailing-bytes`, `not-cbor`, `too-deep`,
    `duplicate-key`, `not-cose`, `unknown-key`, `algorithm`, `bad-signature`, `bad-times`, `not-yet-valid`, `expired`,
    `signer-not-yet-valid`, `signer-expired`, `bad-schema`, `no-statement`, `key-usage`."""
    signed = cose.decode_sign1(unpack(text))
    signer = _signer_of(signed, signers)
    claims = decode_map(signed.payload)
    if checks.times:
        _check_times(claims, signer, now_s)
    content = _health_certificate(claims)
    if checks.key_usage:
        _check_usage(content, signer)
    return content


def unpack(text: str) -> bytes:
    """The bytes that were packed into a text. Raises CredentialRefused: those of `authentic`, up to `trailing-bytes`."""
    if not text.startswith(PREFIX):
        raise CredentialRefused("wrong-prefix")
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(decode_base45(text[len(PREFIX) :]), MAX_BYTES + 1)
    except zlib.error:
        raise CredentialRefused("not-zlib") from None
    if len(data) > MAX_BYTES:
        raise CredentialRefused("too-big")
    if not inflater.eof:  # cut off: the checksum at its end is missing
        raise CredentialRefused("not-zlib")
    if inflater.unused_data:
        raise CredentialRefused("trailing-bytes")
    return data


def _signer_of(signed: cose.Sign1, signers: Signers) -> Signer:
    """Who signed it. Key id and algorithm may stand in either header, the signed one first (hcert_spec, 3.3.1 and 3.3.2);
    neither is believed, they only choose."""
    if _CRITICAL in signed.headers or _CRITICAL in signed.unprotected:
        raise CredentialRefused("not-cose")
    candidates = signers.with_id(_header(signed, cose.KEY_ID))
    if not candidates:
        raise CredentialRefused("unknown-key")
    algorithm = _header(signed, cose.ALG)
    fitting = [each for each in candidates if type(algorithm) is int and algorithm == each.algorithm]
    if not fitting:
        raise CredentialRefused("algorithm")
    data = signed.signed
    for each in fitting:
        if each.verifies(signed.signature, data):
            return each.signer
    raise CredentialRefused("bad-signature")


def _header(signed: cose.Sign1, label: int) -> object:
    return signed.headers[label] if label in signed.headers else signed.unprotected.get(label)


def _check_times(claims: Mapping[object, object], signer: Signer, now_s: float) -> None:
    """iat ≤ now ≤ exp, both of them inside the signer's validity (hcert_spec, 3.3.4 and 3.3.5)."""
    issued_s, expires_s = _time(claims.get(_ISSUED)), _time(claims.get(_EXPIRES))
    if now_s < issued_s:
        raise CredentialRefused("not-yet-valid")
    if now_s > expires_s:
        raise CredentialRefused("expired")
    if issued_s < signer.not_before_s:
        raise CredentialRefused("signer-not-yet-valid")
    if expires_s > signer.not_after_s:
        raise CredentialRefused("signer-expired")


def _time(value: object) -> float:
    """A NumericDate (RFC 8392, section 2): seconds, real ones with a fraction too. Nothing compares with NaN, so it is out."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CredentialRefused("bad-times")
    if not (math.isfinite(value) and 0 <= value < _NEVER_S):
        raise CredentialRefused("bad-times")
    return value


def _health_certificate(claims: Mapping[object, object]) -> Mapping[object, object]:
    health = claims.get(_HEALTH)
    content = health.get(_EU_V1) if isinstance(health, dict) and has_labels(health) else None
    if not isinstance(content, dict):
        raise CredentialRefused("bad-schema")
    return content


def _check_usage(content: Mapping[object, object], signer: Signer) -> None:
    """What it states is what its signer may sign (hcert_spec, 3.3.2); a signer without usages may sign all."""
    kinds = stated(content)
    if not kinds:
        raise CredentialRefused("no-statement")
    if signer.usages and not kinds.issubset(signer.usages):
        raise CredentialRefused("key-usage")
