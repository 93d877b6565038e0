"""The Menshen pass: what is signed verifies, and nothing else does."""

import os

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.colours import PassType
from sync.contract.passes import MAX_TEXT, PREFIX, Pass, sign_pass, verify_pass
from sync.errors import CredentialRefused

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = [KEY.public_key()]


def a_pass(pass_type: PassType = PassType.VISITOR) -> Pass:
    return Pass(
        pass_id=b"12345678",
        pass_type=pass_type,
        site="demo",
        not_before_s=1_700_000_000,
        expires_s=1_900_000_000,
        holder="h-1",
    )


def envelope(protected: object, payload: object, signature: bytes | None = None) -> str:
    parts = [cbor2.dumps(protected), cbor2.dumps(payload)]
    signed = KEY.sign(cbor2.dumps(["Signature1", parts[0], b"", parts[1]])) if signature is None else signature
    return PREFIX + base45.b45encode(cbor2.dumps([parts[0], {}, parts[1], signed])).decode()


@pytest.mark.parametrize("pass_type", PassType)
def test_what_is_signed_verifies(pass_type: PassType) -> None:
    text = sign_pass(a_pass(pass_type), KEY)
    assert verify_pass(text, PUBLIC) == a_pass(pass_type)
    assert text.isascii() and len(text) < 220


def test_a_pass_of_another_key_is_refused() -> None:
    with pytest.raises(CredentialRefused, match="unknown-key"):
        verify_pass(sign_pass(a_pass(), OTHER), PUBLIC)


def test_a_spoofed_key_id_does_not_help() -> None:
    theirs = cbor2.loads(base45.b45decode(sign_pass(a_pass(), OTHER)[4:]))
    ours = cbor2.loads(base45.b45decode(sign_pass(a_pass(), KEY)[4:]))
    forged = PREFIX + base45.b45encode(cbor2.dumps([ours[0], {}, theirs[2], theirs[3]])).decode()
    assert theirs[2] == ours[2]
    with pytest.raises(CredentialRefused, match="bad-signature"):
        verify_pass(forged, PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MP1",
        PREFIX,
        PREFIX + "A",
        PREFIX + ":::::",
        PREFIX + "中文",
        PREFIX + "0" * MAX_TEXT,
        "HC1:" + sign_pass(a_pass(), KEY)[4:],
        envelope({1: -7, 4: b"1234"}, {}),
        envelope({1: -8, 4: b"1234"}, {}, b"")[:-4],
        envelope([], {}),
    ],
)
def test_what_is_no_pass_is_malformed(text: str) -> None:
    with pytest.raises(CredentialRefused, match="malformed"):
        verify_pass(text, PUBLIC)


@pytest.mark.parametrize("claims", [{}, [], {2: 1}, {2: "h", 3: "s", 4: 1.5, 5: 0, 7: b"12345678", -65537: 0}])
def test_signed_nonsense_is_malformed(claims: object) -> None:
    kid = cbor2.loads(cbor2.loads(base45.b45decode(sign_pass(a_pass(), KEY)[4:]))[0])[4]
    with pytest.raises(CredentialRefused, match="malformed"):
        verify_pass(envelope({1: -8, 4: kid}, claims), PUBLIC)


@given(st.integers(min_value=0, max_value=180), st.characters(codec="ascii"))
def test_any_changed_character_is_refused(place: int, character: str) -> None:
    text = sign_pass(a_pass(), KEY)
    place %= len(text)
    changed = text[:place] + character + text[place + 1 :]
    if changed == text:
        return
    with pytest.raises(CredentialRefused):
        verify_pass(changed, PUBLIC)


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: base45.b45encode(data).decode()))
def test_nothing_else_is_ever_raised(rest: str) -> None:
    with pytest.raises(CredentialRefused):
        verify_pass(PREFIX + rest, [*PUBLIC, Ed25519PrivateKey.from_private_bytes(os.urandom(32)).public_key()])
