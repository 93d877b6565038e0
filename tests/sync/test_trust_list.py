"""The trust list as a document: signed by the office, and exactly of its form."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract.sealed import SealError, seal
from sync.contract.trust import (
    Issuer,
    IssuerKey,
    PassKey,
    Signer,
    TrustList,
    day,
    seal_trust,
    unseal_trust,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = [KEY.public_key()]
LIST = TrustList(
    version=3,
    issued_s=1_800_000_000,
    pass_keys=(PassKey(key="ab" * 32, name="2026", not_after_s=5, revoked=True), PassKey(key="cd" * 32)),
    signers=(Signer(kid="00" * 8, key=b"\x30\x00", not_before_s=1, not_after_s=2, country="XX", usages=("test",)),),
    issuers=(Issuer(iss="https://i.example", keys=(IssuerKey(kid="k", x="x", y="y", revoked={"r": 0}),), name="I"),),
    revoked_certificates=("0f" * 16,),
)


def test_all_of_it_comes_back() -> None:
    assert unseal_trust(seal_trust(LIST, KEY), KEYS) == LIST


def test_an_empty_list_is_short() -> None:
    assert len(seal_trust(TrustList(version=1, issued_s=0), KEY)) < 200


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"version": 0, "issued_s": 1}',
        b'{"version": 1.5, "issued_s": 1}',
        b'{"version": "1", "issued_s": 1}',
        b'{"version": 1, "issued_s": 1, "pass_keys": [{"key": "AB"}]}',
        b'{"version": 1, "issued_s": 1, "pass_keys": [{"key": "%s\\n"}]}' % (b"ab" * 32),
        b'{"version": 1, "issued_s": 1, "signers": [{"kid": "0", "key": "", "not_before_s": 0, "not_after_s": 0}]}',
        b'{"version": 1, "issued_s": 1, "signers": [{"kid": "", "key": "*", "not_before_s": 0, "not_after_s": 0}]}',
        b'{"version": 1, "issued_s": 1, "revoked_certificates": [7]}',
        b'{"version": 1, "issued_s": 1, "issuers": ' + b"[" * 100_000,
    ],
)
def test_what_is_signed_and_no_list_is_refused(document: bytes) -> None:
    with pytest.raises(SealError, match="no trust list"):
        unseal_trust(seal(document, "trust", KEY), KEYS)


def test_a_signed_directory_is_no_list() -> None:
    with pytest.raises(SealError, match="something else"):
        unseal_trust(seal(msgspec.json.encode(LIST), "directory", KEY), KEYS)


@pytest.mark.parametrize(("seconds", "text"), [(0, "1970-01-01"), (1_800_000_000, "2027-01-15"), (10**30, f"{10**30}")])
def test_days_for_people(seconds: int, text: str) -> None:
    assert day(seconds) == text
