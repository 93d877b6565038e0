"""X.509 certificates and the revocation list, made (RFC 5280). Pure: keys, names and times are arguments.

Each has the key identifiers and key usages that Python 3.13 asks for (VERIFY_X509_STRICT). A gate's certificate is good for a
client alone and the broker's for a server alone, so that no stolen gate can pose as the broker.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 3650
DAYS: Final = 730  # of everything that it signs
EARLIER: Final = timedelta(days=1)  # certificates begin so much earlier: not every clock is right
_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


def authority_certificate(key: EllipticCurvePrivateKey, name: str, now: datetime) -> x509.Certificate:
    """A certificate that signs itself, and may sign others but no further authority."""
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key(), now - EARLIER, now + timedelta(days=AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_uses(authority=True), critical=True)
    return _identified(builder, key.public_key(), key.public_key()).sign(key, hashes.SHA256())


def client_certificate(signer: Signer, name: str, public: EllipticCurvePublicKey, now: datetime) -> x509.Certificate:
    """For somebody who connects to the broker: `name` becomes user name and client id there."""
    return _leaf(signer, name, public, now, ExtendedKeyUsageOID.CLIENT_AUTH).sign(signer.key, hashes.SHA256())


def server_certificate(
    signer: Signer, name: str, hosts: Sequence[str], public: EllipticCurvePublicKey, now: datetime
) -> x509.Certificate:
    """For the broker, under the names and addresses it is reached by. Raises ValueError for a host that is neither."""
    names = x509.SubjectAlternativeName([_host(host) for host in hosts])
    builder = _leaf(signer, name, public, now, ExtendedKeyUsageOID.SERVER_AUTH).add_extension(names, critical=False)
    return builder.sign(signer.key, hashes.SHA256())


def revocation_list(
    signer: Signer, old: x509.CertificateRevocationList | None, revoked: Iterable[x509.Certificate], now: datetime
) -> x509.CertificateRevocationList:
    """The old list and these. It is good as long as the authority is: an old list keeps out whom it names, and one that were
    over would keep out everybody."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(signer.certificate.subject)
    builder = builder.last_update(now).next_update(signer.certificate.not_valid_after_utc)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    builder = builder.add_extension(by, critical=False)
    builder = builder.add_extension(x509.CRLNumber(1 if old is None else _number(old) + 1), critical=False)
    for entry in old or ():
        builder = builder.add_revoked_certificate(entry)
    known = {entry.serial_number for entry in old or ()}
    for certificate in revoked:
        if certificate.serial_number not in known:
            entry_builder = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry_builder.revocation_date(now).build())
    return builder.sign(signer.key, hashes.SHA256())


def common_name(certificate: x509.Certificate) -> str:
    """Whose it is."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def host_names(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that a server's certificate is good for."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(each.value) for each in names]


def _leaf(
    signer: Signer, name: str, public: EllipticCurvePublicKey, now: datetime, use: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    until = min(now + timedelta(days=DAYS), signer.certificate.not_valid_after_utc)
    begin = max(now - EARLIER, signer.certificate.not_valid_before_utc)
    builder = _builder(_name(name), signer.certificate.subject, public, begin, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_uses(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    return _identified(builder, public, signer.key.public_key())


def _builder(
    subject: x509.Name, issuer: x509.Name, public: EllipticCurvePublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(begin.astimezone(UTC)).not_valid_after(end.astimezone(UTC))


def _identified(
    builder: x509.CertificateBuilder, public: EllipticCurvePublicKey, by: EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    return builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by), critical=False)


def _uses(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _DNS_NAME.match(host) or host.replace(".", "").isdigit():
            raise ValueError(f"{host!r} is neither a host's name nor an address") from None
    return x509.DNSName(host)
