"""What the authority signs. That TLS takes it, and mosquitto, is in tests/sync/test_broker_config.py."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from central.authority.certificates import (
    Signer,
    authority_certificate,
    client_certificate,
    common_name,
    host_names,
    revocation_list,
    server_certificate,
)

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
KEY = generate_private_key(SECP256R1())
SIGNER = Signer(authority_certificate(KEY, "an authority", NOW), KEY)
PUBLIC = generate_private_key(SECP256R1()).public_key()


def test_an_authority_signs_others_for_ten_years_but_no_authority() -> None:
    made = SIGNER.certificate
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    uses = made.extensions.get_extension_for_class(x509.KeyUsage)
    assert uses.critical and uses.value.key_cert_sign and uses.value.crl_sign and not uses.value.digital_signature
    assert made.not_valid_after_utc - NOW == timedelta(days=3650)
    made.verify_directly_issued_by(made)


def test_a_gate_is_a_client_and_the_broker_a_server() -> None:
    gate = client_certificate(SIGNER, "north-1", PUBLIC, NOW)
    broker = server_certificate(SIGNER, "broker", ["mqtt.example", "192.0.2.7", "2001:db8::7"], PUBLIC, NOW)
    for made, use in ((gate, ExtendedKeyUsageOID.CLIENT_AUTH), (broker, ExtendedKeyUsageOID.SERVER_AUTH)):
        made.verify_directly_issued_by(SIGNER.certificate)
        assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [use]
        assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        for kind in (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier):  # RFC 5280, 4.2.1.1 and 4.2.1.2
            assert not made.extensions.get_extension_for_class(kind).critical
        assert NOW - timedelta(days=1) <= made.not_valid_before_utc < NOW
        assert made.not_valid_after_utc == NOW + timedelta(days=730)
    assert common_name(gate) == "north-1"
    assert host_names(broker) == ["mqtt.example", "192.0.2.7", "2001:db8::7"]
    with pytest.raises(x509.ExtensionNotFound):
        host_names(gate)


def test_nothing_outlives_the_authority() -> None:
    late = client_certificate(SIGNER, "g", PUBLIC, NOW + timedelta(days=3600))
    assert late.not_valid_after_utc == SIGNER.certificate.not_valid_after_utc


@given(st.text(max_size=40))
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    try:
        made = server_certificate(SIGNER, "b", [host], PUBLIC, NOW)
    except ValueError as error:
        assert "neither a host's name nor an address" in str(error)
    else:
        assert host_names(made) == [host] or ":" in host  # an IPv6 address may be written in several ways


@pytest.mark.parametrize(
    "host", ["", "a b", "*.example", "a..b", "-a", "999.1.1.1", "1.2.3", "a" * 64, "门.example", "a\n"]
)
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(ValueError, match="neither a host's name nor an address"):
        server_certificate(SIGNER, "b", [host], PUBLIC, NOW)


def test_the_list_grows_and_never_ends_before_the_authority() -> None:
    one, two = (client_certificate(SIGNER, name, PUBLIC, NOW) for name in ("one", "two"))
    none = revocation_list(SIGNER, None, (), NOW)
    first = revocation_list(SIGNER, none, [one], NOW + timedelta(hours=1))
    second = revocation_list(SIGNER, first, [one, two], NOW + timedelta(hours=2))
    serials = [[entry.serial_number for entry in each] for each in (none, first, second)]
    assert serials == [[], [one.serial_number], [one.serial_number, two.serial_number]]
    numbers = [
        each.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for each in (none, first, second)
    ]
    assert numbers == [1, 2, 3]
    (kept, _) = second
    assert kept.revocation_date_utc == NOW + timedelta(hours=1)
    assert second.next_update_utc == SIGNER.certificate.not_valid_after_utc
    assert second.is_signature_valid(KEY.public_key())
