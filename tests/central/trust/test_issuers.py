"""Issuers of SMART Health Cards, as they and the VCI publish them."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from central.trust.issuers import IssuersUnreadable, Reading, read_files, read_jwks, read_snapshot
from sync.contract.trust import Issuer, IssuerKey
from tests.health_cards import CLINIC, ISS, STRANGER, CardIssuer, base64url, compact

SHC = Path("../shared/data/shc/trust")
EXAMPLE = "https://spec.smarthealth.cards/examples/issuer"
KID = CLINIC.listed.kid


def jwk(issuer: CardIssuer = CLINIC, **changes: object) -> dict[str, Any]:
    key = issuer.listed
    members = {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": key.kid, "x": key.x, "y": key.y}
    return {name: value for name, value in (members | changes).items() if value is not None}


def jwks(*keys: object) -> bytes:
    return compact({"keys": list(keys)})


def crl(*rids: object, **changes: object) -> bytes:
    return compact({"kid": KID, "method": "rid", "ctr": 1, "rids": list(rids)} | changes)


def test_a_key_set() -> None:
    reading = read_jwks(jwks(jwk(), jwk(STRANGER, use=None, alg=None)), ISS)
    assert reading == Reading([Issuer(iss=ISS, keys=(CLINIC.listed, STRANGER.listed))])


def test_a_key_with_several_certificates_is_one_key() -> None:
    reading = read_jwks(jwks(jwk(x5c=["MIIB"]), jwk(x5c=["MIIC"])), ISS)
    assert reading == Reading([Issuer(iss=ISS, keys=(CLINIC.listed,))])


RSA = {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"}


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (jwk(kid=STRANGER.listed.kid), f"key {STRANGER.listed.kid}: its kid is not its thumbprint (RFC 7638)"),
        (jwk(kid=None), "key number 2: its kid is not its thumbprint (RFC 7638)"),
        (jwk(kid=["x"]), "key number 2: its kid is not its thumbprint (RFC 7638)"),
        (jwk(kty="RSA"), f"key {KID}: its kty is 'RSA' where 'EC' belongs"),
        (RSA, "key rsa: its kty is 'RSA' where 'EC' belongs"),
        (jwk(crv="P-384"), f"key {KID}: its crv is 'P-384' where 'P-256' belongs"),
        (jwk(crv=None), f"key {KID}: its crv is None where 'P-256' belongs"),
        (jwk(use="enc"), f"key {KID}: its use is 'enc' where 'sig' belongs"),
        (jwk(alg="ES384"), f"key {KID}: its alg is 'ES384' where 'ES256' belongs"),
        (jwk(d="AQAB"), f"key {KID}: its private key is in the file: it signs for anybody who has read it"),
        (jwk(x=STRANGER.listed.x), f"key {KID}: its x and y are no point of P-256"),
        (jwk(y=CLINIC.listed.y + "="), f"key {KID}: its x and y are no point of P-256"),
        (jwk(x=base64url(bytes(32)), y=base64url(bytes(32))), f"key {KID}: its x and y are no point of P-256"),
        (jwk(x=base64url(bytes(1))), f"key {KID}: its x and y are no point of P-256"),
        (jwk(x=7), f"key {KID}: its x and y are no point of P-256"),
        ("key", "key number 2: not a key (JWK)"),
    ],
)
def test_a_bad_key_is_named_and_the_others_are_believed(key: object, sentence: str) -> None:
    reading = read_jwks(jwks(jwk(STRANGER), key), ISS)
    assert reading.left_out == [f"issuer {ISS}, {sentence}"]
    assert [each.keys for each in reading.issuers] == [(STRANGER.listed,)]


def test_coordinates_are_32_bytes_each_wherever_the_line_between_them_is_drawn() -> None:
    numbers = CLINIC.key.public_key().public_numbers()
    both = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    reading = read_jwks(jwks(jwk(x=base64url(both[:31]), y=base64url(both[31:]))), ISS)
    assert reading.left_out[0] == f"issuer {ISS}, key {KID}: its x and y are no point of P-256"


@pytest.mark.parametrize(
    "iss", ["http://a.example", "https://a.example/", "https://", "https://a b", "a", "https://ü.de"]
)
def test_addresses_that_no_issuer_may_have(iss: str) -> None:
    reading = read_jwks(jwks(jwk()), iss)
    assert reading == Reading([], [f"issuer {iss}: an issuer's address begins with https:// and does not end in /"])


def test_an_issuer_without_a_usable_key_is_none() -> None:
    assert read_jwks(jwks(), ISS) == Reading([], [f"issuer {ISS}: it has no usable key"])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[],"keys":[]}', b"[" * 100_000, b"\xff"])
def test_what_is_no_key_set(data: bytes) -> None:
    with pytest.raises(IssuersUnreadable):
        read_jwks(data, ISS)


def revocations(*files: bytes, version: object = None) -> tuple[dict[str, int], list[str]]:
    reading = read_jwks(jwks(jwk(crlVersion=version)), ISS, files)
    return reading.issuers[0].keys[0].revoked, reading.left_out


def test_revocations() -> None:
    assert revocations(crl("AQPCj4wwk6Mt", "lHKzqFUMjhs.1636977600"), version=1) == (
        {"AQPCj4wwk6Mt": 0, "lHKzqFUMjhs": 1_636_977_600},
        [],
    )


def test_of_two_revocations_of_one_card_the_stricter_counts() -> None:
    assert revocations(crl("a.5", "a.9", "a.7", "b.5", "b", "b.9")) == ({"a": 9, "b": 0}, [])
    assert revocations(crl("a.5", "b"), crl("a.9", "b.9", ctr=2)) == ({"a": 9, "b": 0}, [])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (crl("a", "b c"), f"of key {KID}: 'b c' is no revocation id"),
        (crl("a", "x" * 25), f"of key {KID}: '{'x' * 25}' is no revocation id"),
        (crl("a", "b.c"), f"of key {KID}: 'b.c' is no revocation id"),
        (crl("a", "b.-1"), f"of key {KID}: 'b.-1' is no revocation id"),
        (crl("a", 7), f"of key {KID}: 7 is no revocation id"),
        (crl("a", ctr=0), f"of key {KID}: edition 0, and the key says that there is a 1"),
        (crl("a", ctr="1"), f"of key {KID}: edition 0, and the key says that there is a 1"),
    ],
)
def test_what_is_wrong_with_revocations_is_said_and_the_others_count(data: bytes, sentence: str) -> None:
    assert revocations(data, version=1) == ({"a": 0}, [f"issuer {ISS}, revocations {sentence}"])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"[]", "1: not a revocation list: no `kid`"),
        (crl(kid=None), "1: not a revocation list: no `kid`"),
        (crl(method="sha"), f"1: of key {KID}: its method is 'sha' where 'rid' belongs, with `rids`"),
        (crl(rids="a"), f"1: of key {KID}: its method is 'rid' where 'rid' belongs, with `rids`"),
        (crl(kid="other"), "of key other: no such key is believed"),
    ],
)
def test_what_is_no_revocation_list_of_its(data: bytes, sentence: str) -> None:
    assert revocations(data) == ({}, [f"issuer {ISS}, revocations {sentence}"])


def test_revocations_that_should_be_there_are_missed() -> None:
    assert revocations(version=3) == (
        {},
        [f"issuer {ISS}, key {KID}: it has revocations (crlVersion), and none were given"],
    )


def test_the_specifications_example_is_never_believed_unless_it_is_asked_for() -> None:
    known = IssuerKey(
        kid="3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s",
        x="11XvRWy1I2S0EyJlyf_bWfw_TQ5CJJNLw78bHXNxcgw",
        y="eZXwxvO1hvCY0KucrPfKo7yAyMT6Ajc3N7OkAB6VYy8",
    )
    key = jwk(kid=known.kid, x=known.x, y=known.y)
    public = "the specification's example, whose private key is public"
    assert read_jwks(jwks(jwk()), EXAMPLE) == Reading([], [f"issuer {EXAMPLE}: {public}"])
    assert f"issuer {ISS}, key {known.kid}: {public}" in read_jwks(jwks(key), ISS).left_out
    assert read_jwks(jwks(key), EXAMPLE, allow_example=True) == Reading([Issuer(iss=EXAMPLE, keys=(known,))])


def test_a_vci_snapshot() -> None:
    other = CardIssuer(ec.derive_private_key(43, ec.SECP256R1()), "https://other.example/a/b")
    snapshot = {
        "directory": "https://example.org/vci-issuers.json",
        "time": "2026-05-22T05:52:08Z",
        "issuerInfo": [
            {
                "issuer": {"iss": ISS, "name": "State of Somewhere", "website": "https://example.org"},
                "keys": [jwk(crlVersion=1)],
                "crls": [json.loads(crl("a"))],
                "lastRetrieved": "2026-05-22T05:52:08Z",
            },
            {"issuer": {"iss": ISS}, "keys": [jwk()]},
            {"issuer": {"iss": other.iss, "canonical_iss": ISS}, "keys": [jwk(other), jwk(other, kid="x")]},
            {"issuer": {"iss": "https://gone.example"}, "keys": [], "errors": ["404"]},
            {"keys": []},
            "x",
        ],
    }
    reading = read_snapshot(compact(snapshot))
    revoking = IssuerKey(kid=KID, x=CLINIC.listed.x, y=CLINIC.listed.y, revoked={"a": 0})
    assert reading.issuers == [
        Issuer(iss=ISS, keys=(revoking,), name="State of Somewhere"),
        Issuer(iss=other.iss, keys=(other.listed,)),
    ]
    assert reading.left_out == [
        f"issuer {ISS}: listed twice",
        f"issuer {other.iss}, key x: its kid is not its thumbprint (RFC 7638)",
        "issuer https://gone.example: it has no usable key",
        "entry 5 names no issuer",
        "entry 6 names no issuer",
    ]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"issuerInfo":{}}'])
def test_what_is_no_snapshot(data: bytes) -> None:
    with pytest.raises(IssuersUnreadable):
        read_snapshot(data)


def test_files_as_they_lie_at_an_issuer(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_bytes(b"\xef\xbb\xbf" + jwks(jwk(crlVersion=1)))
    (tmp_path / "crl").mkdir()
    (tmp_path / "crl" / f"{KID}.json").write_bytes(crl("a.5"))
    reading = read_files(tmp_path / "jwks.json", ISS)
    assert reading.issuers[0].keys[0].revoked == {"a": 5}
    assert not reading.left_out


@pytest.mark.skipif(not SHC.exists(), reason="the keys of SMART Health Cards are not here (../shared/data/shc)")
def test_the_real_example_issuer() -> None:
    reading = read_files(SHC / "jwks.json", EXAMPLE, allow_example=True)
    assert [len(issuer.keys) for issuer in reading.issuers] == [2]
    assert reading.issuers[0].keys[0].revoked["FKDIxsTCGlU"] == 0
    assert not reading.left_out
    assert not read_files(SHC / "jwks.json", EXAMPLE).issuers
