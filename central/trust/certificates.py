"""Who signs EU certificates (DSCs): from their X.509 certificates to the `Signer` of a trust list.

The trust in a certificate comes from where the office has it (the national list it imports); its chain is not checked here.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from central.trust import der
from sync.contract.trust import Signer

KEY_ID_BYTES: Final = 8  # hcert_spec 1.0.8, section 3.3.2
RSA_BITS: Final = (2048, 8192)  # of a modulus: no fewer are believed; more would hold up a gate
_USAGES: Final = {1: "test", 2: "vaccination", 3: "recovery"}
USAGE_OIDS: Final = {
    f"{arc}.{number}": usage
    for arc in ("1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1")  # hcert_spec, and what most issuers took first
    for number, usage in _USAGES.items()
}
_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)
"""What the library raises for certificates that are none, as fuzzing found."""
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"  # RFC 5280, section 4.2.1.12


class CertificateUnusable(Exception):
    """A certificate that cannot go into a trust list: which one, and what is wrong with it, in words."""


def signer(data: bytes, name: str, kid: str = "") -> Signer:
    """The signer whose certificate `data` is, DER or PEM (one). `name`: what errors call it; `kid`: the key id by which a
    list gave it (hexadecimal), where it did.

    Raises CertificateUnusable: not a certificate, or with a key that no gate would believe."""
    try:
        certificate = _load(data)
        key = certificate.public_key()
        encoded = certificate.public_bytes(Encoding.DER)
        return Signer(
            kid=_key_id(kid, name) or hashlib.sha256(encoded).hexdigest()[: 2 * KEY_ID_BYTES],
            key=_usable(key, name).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            not_before_s=int(certificate.not_valid_before_utc.timestamp()),
            not_after_s=int(certificate.not_valid_after_utc.timestamp()),
            country=_country(certificate),
            usages=_usages(certificate),
        )
    except _UNREADABLE as error:
        raise CertificateUnusable(f"{name}: no certificate that can be read: {error}") from error


def _load(data: bytes) -> x509.Certificate:
    if data.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(data)
    return x509.load_der_x509_certificate(data)


def _key_id(kid: str, name: str) -> str:
    try:
        return bytes.fromhex(kid).hex()
    except ValueError:
        raise CertificateUnusable(f"{name}: key id {kid!r} is not hexadecimal") from None


def _usable(key: object, name: str) -> EllipticCurvePublicKey | RSAPublicKey:
    if isinstance(key, EllipticCurvePublicKey):
        if isinstance(key.curve, SECP256R1):
            return key
        raise CertificateUnusable(f"{name}: its key is on {key.curve.name}; only P-256 is used for EU certificates")
    if isinstance(key, RSAPublicKey):
        least, most = RSA_BITS
        if least <= key.key_size <= most:
            return key
        raise CertificateUnusable(f"{name}: its RSA key has {key.key_size} bits; {least} to {most} are accepted")
    raise CertificateUnusable(f"{name}: its key is neither P-256 nor RSA")


def _country(certificate: x509.Certificate) -> str:
    """What its subject says; "" where that is none or no name at all: it decides nothing."""
    try:
        found = certificate.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)
    except ValueError:
        return ""
    return str(found[0].value) if len(found) == 1 else ""


def _usages(certificate: x509.Certificate) -> tuple[str, ...]:
    """What it may sign; nothing of ours among its usages = everything, as with no usages at all (hcert_spec, 3.3.2)."""
    return tuple(sorted({USAGE_OIDS[oid] for oid in extended_key_usages(certificate) if oid in USAGE_OIDS}))


def extended_key_usages(certificate: x509.Certificate) -> tuple[str, ...]:
    """The object identifiers of its extended key usage. Read here and not by the library, which refuses all extensions of a
    certificate for one of them (an empty list of usages; a name that is no name): ten of Finland's, one of the test suite's.

    Raises der.DerError."""
    for oid, value in _extensions(certificate.tbs_certificate_bytes):
        if oid == _EXTENDED_KEY_USAGE:
            return tuple(der.oid(content) for _, content in der.items(der.only(value, der.SEQUENCE)))
    return ()


def _extensions(tbs: bytes) -> Iterator[tuple[str, bytes]]:
    """(object identifier, DER) of each extension of a TBSCertificate (RFC 5280, section 4.1)."""
    for tag, content in der.items(der.only(tbs, der.SEQUENCE)):
        if tag != der.EXPLICIT_3:
            continue
        for _, extension in der.items(der.only(content, der.SEQUENCE)):
            parts = [
                part for tag, part in der.items(extension) if tag != der.BOOLEAN
            ]  # `critical`, which may be left out
            if len(parts) != 2:
                raise der.DerError("an extension that is none")
            yield der.oid(parts[0]), parts[1]
