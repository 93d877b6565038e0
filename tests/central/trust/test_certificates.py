"""Issuers' certificates, and what a trust list takes from them."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from central.trust import der
from central.trust.certificates import CertificateUnusable, extended_key_usages, signer
from tests.eu_certificates import DATA, KEY, real, rsa_key

BEGINS = datetime(2021, 5, 1, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=730)
ARCS = ("1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1")
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def made(
    key: _Key = KEY, usages: Sequence[str] | bytes = (), country: str = "XX", critical: bool = False
) -> x509.Certificate:
    """A certificate signed by its own key, or by another where its own cannot."""
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, country)] if country else [])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, BEGINS, ENDS)
    if isinstance(usages, bytes):
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), usages), critical
        )
    elif usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(map(x509.ObjectIdentifier, usages)), critical)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.sign(KEY, SHA256())


def encoded(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def test_what_is_taken() -> None:
    data = encoded(made())
    taken = signer(data, "a file")
    assert taken.kid == hashlib.sha256(data).hexdigest()[:16]
    assert taken.key == KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert (taken.not_before_s, taken.not_after_s) == (int(BEGINS.timestamp()), int(ENDS.timestamp()))
    assert (taken.country, taken.usages) == ("XX", ())


def test_pem_a_given_key_id_and_rsa() -> None:
    certificate = made(rsa_key())
    pem = certificate.public_bytes(Encoding.PEM)
    assert signer(pem, "a file") == signer(encoded(certificate), "a file")
    assert signer(b"\n" + pem, "a file", "0A0B").kid == "0a0b"


@pytest.mark.parametrize("arc", ARCS)
@pytest.mark.parametrize("critical", [False, True])
def test_usages(arc: str, critical: bool) -> None:
    for number, usage in {1: "test", 2: "vaccination", 3: "recovery"}.items():
        assert signer(encoded(made(usages=[f"{arc}.{number}"], critical=critical)), "").usages == (usage,)
    assert signer(encoded(made(usages=[f"{arc}.1", f"{arc}.3", f"{ARCS[0]}.1"])), "").usages == ("recovery", "test")


def test_usages_that_are_not_ours_are_none() -> None:
    client = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string
    assert signer(encoded(made(usages=[client])), "").usages == ()
    assert signer(encoded(made(usages=[client, f"{ARCS[0]}.2"])), "").usages == ("vaccination",)


def test_an_empty_list_of_usages_which_the_library_refuses_is_none() -> None:
    certificate = made(usages=b"\x30\x00")
    with pytest.raises(ValueError, match="error parsing asn1"):
        _ = certificate.extensions
    assert signer(encoded(certificate), "").usages == ()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no certificate that can be read"),
        (b"-----BEGIN CERTIFICATE-----\n", "no certificate that can be read"),
        (encoded(made())[:-1], "no certificate that can be read"),
        (encoded(made()) + b"\0", "no certificate that can be read"),
        (encoded(made(ec.generate_private_key(ec.SECP384R1()))), "secp384r1; only P-256"),
        (encoded(made(rsa_key(1024))), "1024 bits"),
        (encoded(made(ed25519.Ed25519PrivateKey.generate())), "neither P-256 nor RSA"),
        (encoded(made(usages=b"\x30\x03\x06\x01")), "no certificate that can be read"),
    ],
)
def test_what_cannot_be_used_is_named(data: bytes, complaint: str) -> None:
    with pytest.raises(CertificateUnusable, match=complaint) as caught:
        signer(data, "list.json: certificate 7")
    assert str(caught.value).startswith("list.json: certificate 7: ")


def test_a_key_id_that_is_none() -> None:
    with pytest.raises(CertificateUnusable, match="'xyz' is not hexadecimal"):
        signer(encoded(made()), "a file", "xyz")


def test_real_certificates_are_read_as_the_library_reads_them() -> None:
    files = sorted(DATA.glob("*/**/*.json"))
    if not files:
        pytest.skip(f"{DATA} is not here")
    contexts = (json.loads(file.read_text()) for file in files if not file.is_relative_to(DATA / "_attacks"))
    found = {each["TESTCTX"]["CERTIFICATE"] for each in contexts if isinstance(each, dict) and "TESTCTX" in each}
    assert len(found) > 30
    for written in found:
        certificate = x509.load_der_x509_certificate(base64.b64decode(written))
        try:
            listed = [
                each.dotted_string
                for each in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            ]
        except (x509.ExtensionNotFound, ValueError):  # the second: what the library cannot read
            listed = []
        assert list(extended_key_usages(certificate)) == listed


def test_the_one_that_the_library_cannot_read() -> None:
    _, data = real("common/2DCode/raw/CO15.json")
    with pytest.raises(ValueError, match="error parsing asn1"):
        _ = x509.load_der_x509_certificate(data).extensions
    assert signer(data, "CO15").usages == ()


# The reader of DER


@pytest.mark.parametrize(
    "data",
    [
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x1f\x81\x01\x00",
        b"\x30\x84\x01",
    ],
)
def test_no_der(data: bytes) -> None:
    with pytest.raises(der.DerError):
        list(der.items(data))


def test_lengths() -> None:
    for length in (0, 127, 128, 255, 256, 70_000):
        size = b"" if length < 128 else length.to_bytes((length.bit_length() + 7) // 8)
        begin = bytes([length]) if length < 128 else bytes([0x80 + len(size)]) + size
        assert list(der.items(b"\x04" + begin + bytes(length))) == [(4, bytes(length))]


@pytest.mark.parametrize(
    ("content", "dotted"),
    [
        ("2a864886f70d", "1.2.840.113549"),
        ("551d25", "2.5.29.37"),
        ("883703", "2.999.3"),
        ("01", "0.1"),
        ("8100", "2.48"),
    ],
)
def test_object_identifiers(content: str, dotted: str) -> None:
    assert der.oid(bytes.fromhex(content)) == dotted


@given(st.binary(max_size=60))
def test_any_bytes_are_items_or_no_der(data: bytes) -> None:
    try:
        found = list(der.items(data))
    except der.DerError:
        return
    assert sum(len(content) for _, content in found) < len(data) or not data


@given(st.binary(min_size=1, max_size=12))
def test_any_object_identifier(content: bytes) -> None:
    try:
        assert der.oid(content).split(".")[0] in {"0", "1", "2"}
    except der.DerError:
        assert content[-1] & 0x80
