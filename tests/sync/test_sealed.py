"""Documents that the office signs: what is signed verifies, for this purpose and by this key, and nothing else does."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.contract import cose
from sync.contract.keys import key_id
from sync.contract.sealed import TYPE, SealError, seal, unseal

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS = [OTHER.public_key(), KEY.public_key()]
DOCUMENT = b'{"version": 1}'


def made(headers: dict[int, object], document: bytes = DOCUMENT, unprotected: dict[int, object] | None = None) -> bytes:
    """As anybody with the key could sign it."""
    protected = cbor2.dumps(headers, canonical=True)
    return cbor2.dumps([protected, unprotected or {}, document, KEY.sign(cose.to_be_signed(protected, document))])


def test_what_is_sealed_is_given_back() -> None:
    assert unseal(seal(DOCUMENT, "trust", KEY), "trust", KEYS) == DOCUMENT
    assert unseal(seal(b"", "trust", KEY), "trust", KEYS) == b""


@pytest.mark.parametrize("what", ["directory", "trus", "trustx", ""])
def test_a_signature_for_one_purpose_is_none_for_another(what: str) -> None:
    with pytest.raises(SealError, match="something else"):
        unseal(seal(DOCUMENT, "trust", KEY), what, KEYS)


def test_a_key_that_is_not_pinned_signs_nothing() -> None:
    for keys in ([], [OTHER.public_key()]):
        with pytest.raises(SealError, match="not pinned"):
            unseal(seal(DOCUMENT, "trust", KEY), "trust", keys)


def test_a_spoofed_key_id_does_not_help() -> None:
    headers = {1: cose.EDDSA, 4: key_id(OTHER.public_key()), TYPE: "application/menshen-trust+json"}
    with pytest.raises(SealError, match="signature is wrong"):
        unseal(made(headers), "trust", KEYS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({1: cose.ES256}, "something else"),
        ({1: 5}, "something else"),  # HMAC 256/256
        ({TYPE: None}, "something else"),
        ({TYPE: b"application/menshen-trust+json"}, "something else"),
        ({4: None}, "not pinned"),
        ({4: "text"}, "not pinned"),
    ],
)
def test_headers_of_another_kind(change: dict[int, object], words: str) -> None:
    headers = {1: cose.EDDSA, 4: key_id(KEY.public_key()), TYPE: "application/menshen-trust+json"} | change
    with pytest.raises(SealError, match=words):
        unseal(made(headers), "trust", KEYS)


def test_what_stands_outside_the_signature_counts_for_nothing() -> None:
    type_and_key = {1: cose.EDDSA, 4: key_id(KEY.public_key()), TYPE: "application/menshen-trust+json"}
    with pytest.raises(SealError):
        unseal(made({}, unprotected=type_and_key), "trust", KEYS)


def test_every_changed_bit_is_found() -> None:
    sealed = seal(DOCUMENT, "trust", KEY)
    for at in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(SealError):
            unseal(bytes(changed), "trust", KEYS)


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_one_that_is_cut_or_has_more_behind_it_is_none(cut: int) -> None:
    sealed = seal(DOCUMENT, "trust", KEY)
    for data in (sealed[:cut], sealed + b"\0"):
        with pytest.raises(SealError, match="no signed document"):
            unseal(data, "trust", KEYS)


@given(st.binary(max_size=300) | st.builds(cbor2.dumps, st.lists(st.binary() | st.integers() | st.none(), max_size=5)))
def test_nothing_else_is_ever_raised(data: bytes) -> None:
    with pytest.raises(SealError):
        unseal(data, "trust", KEYS)
