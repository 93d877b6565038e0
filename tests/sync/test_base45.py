"""Base45 (RFC 9285): our decoder against the library, which is slower and forgives a line end."""

import base45
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.encoding import decode_base45
from sync.errors import CredentialRefused

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@given(st.binary(max_size=500))
def test_what_is_encoded_comes_back(data: bytes) -> None:
    assert decode_base45(base45.b45encode(data).decode()) == data


@given(st.text(DIGITS, max_size=12) | st.text(max_size=12))
def test_any_text_is_taken_as_the_library_takes_it(text: str) -> None:
    try:
        expected = None if text.endswith("\n") else base45.b45decode(text)
    except ValueError:
        expected = None
    try:
        assert decode_base45(text) == expected
    except CredentialRefused as error:
        assert (error.reason, expected) == ("not-base45", None)


@pytest.mark.parametrize(
    "text", ["0", "0000", ":::", "FGX", "GGW", "::", "V5", "a00", "00\n", "00 0é", "\ud800", "０00"]
)
def test_what_is_no_base45(text: str) -> None:
    with pytest.raises(CredentialRefused, match="not-base45"):
        decode_base45(text)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("FGW", b"\xff\xff"),
        ("U5", b"\xff"),
        ("00", b"\0"),
        ("BB8", b"AB"),
        ("%69 VD92EX0", b"Hello!!"),
        ("QED8WEX0", b"ietf!"),
    ],
)
def test_the_bounds_and_the_examples_of_the_standard(text: str, data: bytes) -> None:
    """RFC 9285, sections 4.3 and 4.4, and the largest values."""
    assert decode_base45(text) == data
