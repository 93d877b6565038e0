"""A certificate for a page whose gate has none that browsers take: it signs itself, for these hosts and no other.

A tablet is told once to believe it. It is constrained to its own names (RFC 5280, 4.2.1.10), so that whoever steals the gate's key
can pose as this page alone.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS: Final = 800  # some tablets take none that is good for longer than 825
EARLIER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Made:
    """Both as PEM; `fingerprint`: SHA-256, to compare on the tablet."""

    certificate: bytes
    key: bytes
    fingerprint: str


def page_certificate(hosts: Sequence[str], now: datetime) -> Made:
    """For these names and addresses. Raises ValueError for none, or for one that is neither."""
    if not hosts:
        raise ValueError("name at least one host")
    names = [_host(host) for host in hosts]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    public = key.public_key()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - EARLIER).not_valid_after(now + timedelta(days=DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.NameConstraints([_subtree(each) for each in names], None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(_uses(), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    made = builder.sign(key, hashes.SHA256())
    return Made(
        made.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        made.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def _uses() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if (
            not host
            or host != host.strip(".-")
            or not host.isascii()
            or not host.replace("-", "").replace(".", "").isalnum()
        ):
            raise ValueError(f"{host!r} is neither a host's name nor an address") from None
    return x509.DNSName(host.lower())


def _subtree(name: x509.GeneralName) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_network(name.value)) if isinstance(name, x509.IPAddress) else name
