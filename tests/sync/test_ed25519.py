"""What can be a public key."""

import random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.contract.ed25519 import is_public_key

SMALL_ORDER = (  # every encoding of a point of order 1, 2, 4 or 8
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
)


def test_real_keys() -> None:
    for _ in range(20):
        key = Ed25519PrivateKey.generate().public_key()
        assert is_public_key(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def test_the_key_of_rfc_8032_section_7_1() -> None:
    assert is_public_key(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))


def test_keys_for_which_anybody_can_sign() -> None:
    assert not any(is_public_key(bytes.fromhex(key)) for key in SMALL_ORDER)


def test_what_is_no_point() -> None:
    assert not is_public_key(b"\xff" * 32)  # y ≥ p
    assert not is_public_key(b"")
    assert not is_public_key(bytes(33))
    some = random.Random(1)
    accepted = sum(is_public_key(some.randbytes(32)) for _ in range(400))
    assert 130 < accepted < 270  # half of all numbers are
