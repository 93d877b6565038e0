"""Encodings, read strictly: JSON and base64url (CBOR and base45 are tried with what is made of them)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.contract.encoding import MAX_JSON_DEPTH, decode_base64url, decode_json
from sync.contract.keys import jwk_thumbprint
from sync.errors import CredentialRefused
from tests.health_cards import base64url


def reason(data: bytes) -> str:
    with pytest.raises(CredentialRefused) as error:
        decode_json(data)
    return error.value.reason


@settings(deadline=None)
@given(st.binary(max_size=80))
def test_base64url_there_and_back(data: bytes) -> None:
    assert decode_base64url(base64url(data)) == data
    assert decode_base64url(base64url(data).encode()) == data


@pytest.mark.parametrize(
    "text", ["A", "AAAAA", "AB", "AA=", "AA==", "A A", "AA\n", "A+", "A/", "AÄ", "\udc80A", "AAAB="]
)
def test_base64url_is_written_in_one_way(text: str) -> None:
    with pytest.raises(CredentialRefused, match="not-base64url"):
        decode_base64url(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(VALUES, st.booleans())
def test_json_that_is_good_is_read(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert decode_json(text.encode("utf-8", "replace")) == json.loads(text.encode("utf-8", "replace"))


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text('[]{}",:\\u01e.', max_size=60).map(str.encode))
def test_anything_else_is_refused_and_nothing_else(data: bytes) -> None:
    try:
        decode_json(data)
    except CredentialRefused as error:
        assert error.reason in {"not-json", "too-deep", "duplicate-key", "number-too-large"}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"{}x", "not-json"),
        (b"'a'", "not-json"),
        (b"[1,]", "not-json"),
        (b"NaN", "not-json"),
        (b"-Infinity", "not-json"),
        (b'"\n"', "not-json"),
        (b"\xef\xbb\xbf{}", "not-json"),
        ("{}".encode("utf-16"), "not-json"),
        (b'"\xed\xa0\x80"', "not-json"),
        (b'{"a":1,"b":2,"a":1}', "duplicate-key"),
        (b'[{"b":{"a":1,"\\u0061":2}}]', "duplicate-key"),
        (b"123456789012345678901", "number-too-large"),
        (b"9" * 5_000, "number-too-large"),
        (b"[1e309]", "number-too-large"),
        (b"[-1e999]", "number-too-large"),
    ],
)
def test_json_that_is_not_good(data: bytes, why: str) -> None:
    assert reason(data) == why


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"\\\\\\"a[":', b"}]")])
def test_json_has_a_floor(opens: bytes, closes: bytes) -> None:
    """Strings with brackets and escapes count for nothing, brackets that are never closed do."""
    step = opens.count(b"[", 0, 1) + opens.count(b"{")
    deep = MAX_JSON_DEPTH // step
    decode_json(
        b"[" + opens * deep + b"1" + closes * deep + b"]"
        if step * deep < MAX_JSON_DEPTH
        else opens * deep + b"1" + closes * deep
    )
    assert reason(opens * (deep + 1) + b"1" + closes * (deep + 1)) == "too-deep"
    assert reason(opens * 50_000) == "too-deep"


def test_a_long_list_is_not_a_deep_one() -> None:
    assert decode_json(b'["' + b"[" * 500 + b'",' + b"[{}]," * 500 + b"1]")


def test_the_thumbprint_of_a_key() -> None:
    """The specification's own example (spec.smarthealth.cards, "Determining keys associated with an issuer")."""
    x, y = "7xbC_9ZmFwKqOHpwX6-LnlhIh5SMIuNwl0PW1yVI_sk", "7k2fdIRNDHdf93vL76wxdXEPtj_GiMTTyecm7EUUMQo"
    assert jwk_thumbprint(x, y) == "_IY9W2kRRFUigDfSB9r8jHgMRrT0w4p5KN93nGThdH8"
