"""SMART Health Cards: real ones, and one of our own for every reason there is to refuse it."""

import base64
import csv
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from central.trust.issuers import EXAMPLE_ISSUERS, read_files
from gateway.core.policy import Fact
from gateway.credentials.anchors import Anchors
from gateway.credentials.certificate import Vaccination
from gateway.credentials.smart_health_card import Issuers, decode_digits, verify, verify_jws
from sync.contract.trust import Issuer, TrustList
from sync.errors import CredentialRefused
from tests.health_cards import (
    CLINIC,
    HEALTH_CARD,
    ISS,
    NOW_S,
    ORDER,
    STRANGER,
    base64url,
    compact,
    deflate,
    digits,
    immunization,
    mirrored,
    patient,
)

DATA = Path("../shared/data/shc")
ISSUERS = Issuers.of([CLINIC.issuer])
HEADER = compact(CLINIC.header)
GOOD = CLINIC.jws(patient(), immunization("2026-05-01"), immunization("2026-06-01"))


def reason(text: str | bytes, issuers: Issuers = ISSUERS, now_s: float = NOW_S) -> str:
    """Why it is refused, "" when it is not: a scanned text, or a JWS in bytes."""
    try:
        verify_jws(text, issuers, now_s) if isinstance(text, bytes) else verify(text, issuers, now_s)
    except CredentialRefused as error:
        assert str(error) == f"credential refused: {error.reason}"
        return error.reason
    return ""


def claimed(**changes: object) -> str:
    return CLINIC.card(patient(), **changes)


def signed(payload: bytes, header: bytes = HEADER) -> str:
    return digits(CLINIC.sign(header, payload))


def test_a_good_card_says_what_it_says() -> None:
    certificate = verify(digits(GOOD), ISSUERS, NOW_S)
    assert [(each.dose, each.course) for each in certificate.statements if isinstance(each, Vaccination)] == [
        (1, 2),
        (2, 2),
    ]
    assert certificate.facts == {
        Fact.STATEMENT: "vaccination",
        Fact.NAME: "Anyperson",
        Fact.BIRTH_DATE: "1951-01-20",
    }
    assert "Anyperson" not in certificate.identity


def test_the_issuers_come_of_the_trust_list() -> None:
    anchors = Anchors.of(TrustList(version=1, issued_s=1, issuers=(CLINIC.issuer,)))
    assert reason(digits(GOOD), anchors.issuers) == ""
    assert reason(digits(GOOD), Anchors().issuers) == "unknown-issuer"


def test_one_code_of_one_is_one_card() -> None:
    assert reason(digits(GOOD).replace("shc:/", "shc:/1/1/")) == ""


@pytest.mark.parametrize("chunk", ["1/2/", "2/2/", "2/3/", "3/2/", "0/0/", "01/01/"])
def test_a_part_of_a_card_is_refused_by_its_own_word(chunk: str) -> None:
    assert reason(digits(GOOD).replace("shc:/", f"shc:/{chunk}")) == "chunked"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("shc:/", "not-jws"),
        ("shc:/1", "not-digits"),
        ("shc:/ 1", "not-digits"),
        ("shc:/1a", "not-digits"),
        ("shc:/1A", "not-digits"),
        ("shc:/-1", "not-digits"),
        ("shc:/12\n", "not-digits"),
        ("shc:/１２", "not-digits"),  # full-width digits are digits to Python
        ("shc:/٣٣", "not-digits"),
        ("shc:/\udc80\udc80", "not-digits"),
        ("shc:/78", "not-jws"),  # beyond z
        ("shc:/99", "not-jws"),
        ("shc:/01", "not-jws"),  # two parts
        ("shc:/010101", "not-jws"),  # four
        ("shc:/1/1/1/1/0101", "chunked"),
        (digits("a.b.c"), "not-base64url"),  # no byte makes one character
        (digits("YR.YQ.YQ"), "not-base64url"),  # bits left over
        (digits(f"{base64url(HEADER)}.YR.YQ"), "not-base64url"),
        (digits(f"{GOOD[:-1]}B"), "not-base64url"),
        (digits("YQ=.YQ.YQ"), "not-base64url"),
        (digits("Y/.YQ.YQ"), "not-base64url"),
        (digits(".."), "not-json"),
        (digits(GOOD + "." + "YQ"), "not-jws"),
    ],
)
def test_what_is_no_jws(text: str, why: str) -> None:
    assert reason(text) == why


def test_every_pair_of_digits_is_one_character() -> None:
    for value in range(100):
        text = f"shc:/{value:02d}"
        if value <= 77:
            assert decode_digits(text) == bytes([value + 45])
        else:
            with pytest.raises(CredentialRefused, match="not-jws"):
                decode_digits(text)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"alg": None}, "algorithm"),
        ({"alg": "none"}, "algorithm"),
        ({"alg": "HS256"}, "algorithm"),
        ({"alg": "es256"}, "algorithm"),
        ({"alg": ["ES256"]}, "algorithm"),
        ({"zip": None}, "not-compressed"),
        ({"zip": "def"}, "not-compressed"),
        ({"crit": ["exp"]}, "critical-header"),
        ({"kid": None}, "bad-schema"),
        ({"kid": 7}, "bad-schema"),
        ({"kid": {}}, "bad-schema"),
        ({"kid": "other"}, "unknown-key"),
        ({"kid": STRANGER.listed.kid}, "unknown-key"),
    ],
)
def test_headers(header: dict[str, object], why: str) -> None:
    members = {name: value for name, value in (CLINIC.header | header).items() if value is not None}
    assert reason(signed(deflate(compact(CLINIC.claims(patient()))), compact(members))) == why


@pytest.mark.parametrize("extra", [{"x5c": ["MIIB"]}, {"jwk": STRANGER.header}, {"typ": "JWT"}])
def test_keys_that_travel_in_a_card_are_not_looked_at(extra: dict[str, object]) -> None:
    header = compact(CLINIC.header | extra)
    payload = deflate(compact(CLINIC.claims(patient())))
    assert reason(digits(CLINIC.sign(header, payload))) == ""
    assert reason(digits(STRANGER.sign(header, payload))) == "bad-signature"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not-json"),
        (b"\xff", "not-json"),
        (b"[]", "bad-schema"),
        (b'{"alg":"ES256","alg":"ES256","zip":"DEF"}', "duplicate-key"),
        (b'{"alg":NaN}', "not-json"),
        (b'{"alg":1e999}', "number-too-large"),
        (b'{"alg":' + b"9" * 5000 + b"}", "number-too-large"),
        (b"[" * 70 + b"]" * 70, "too-deep"),
        (b"[" * 100_000, "too-deep"),
        (b'\xef\xbb\xbf{"alg":"ES256"}', "not-json"),
    ],
)
def test_json_is_read_strictly(text: bytes, why: str) -> None:
    jws = f"{base64url(text)}.{base64url(deflate(text))}.{base64url(bytes(64))}".encode()
    assert reason(jws) == why
    payload = f"{base64url(HEADER)}.{base64url(deflate(text))}.{base64url(bytes(64))}".encode()
    assert reason(payload) == why if len(text) < 65_536 else "too-big"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "not-deflate"),
        (b"\x07", "not-deflate"),
        (compact(CLINIC.claims()), "not-deflate"),
        (deflate(compact(CLINIC.claims()))[:-3], "not-deflate"),
        (deflate(compact(CLINIC.claims())) + b"\0", "trailing-bytes"),
        (deflate(compact(CLINIC.claims())) * 2, "trailing-bytes"),
        (deflate(bytes(65_537)), "too-big"),
        (deflate(b"[" + b"1," * 6_001 + b"1]"), "too-big"),
        (deflate(bytes(2_800_000)), "too-big"),
        (deflate(b"{}"), "bad-schema"),
    ],
)
def test_compression(payload: bytes, why: str) -> None:
    assert reason(signed(payload)) == why


def test_signatures() -> None:
    body, _, signature = GOOD.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = CLINIC.key.sign(body.encode(), ec.ECDSA(SHA256()))
    for wrong, why in [
        (b"", "signature-size"),
        (der, "signature-size"),
        (raw + b"\0", "signature-size"),
        (raw[:63], "signature-size"),
        (bytes(64), "bad-signature"),
        (ORDER.to_bytes(32, "big") * 2, "bad-signature"),
        (b"\xff" * 64, "bad-signature"),
        (raw[32:] + raw[:32], "bad-signature"),
        (STRANGER.signature(body.encode()), "bad-signature"),
    ]:
        assert reason(digits(f"{body}.{base64url(wrong)}")) == why


def test_an_issuer_is_bound_to_its_own_keys() -> None:
    other = msgspec.structs.replace(STRANGER.issuer, iss="https://other.example")
    issuers = Issuers.of([CLINIC.issuer, other])
    forged = STRANGER.sign(compact(STRANGER.header), deflate(compact(CLINIC.claims(patient()))))
    assert reason(digits(forged), issuers) == "unknown-key"
    assert reason(CLINIC.card(patient(), iss="https://other.example"), issuers) == "unknown-key"
    assert reason(CLINIC.card(patient(), iss=ISS + "/"), issuers) == "unknown-issuer"
    assert reason(CLINIC.card(patient(), iss=ISS.upper()), issuers) == "unknown-issuer"
    assert reason(CLINIC.card(patient(), iss=ISS.replace("https", "http")), issuers) == "unknown-issuer"
    assert reason(CLINIC.card(patient(), iss=[ISS]), issuers) == "bad-schema"
    assert reason(CLINIC.card(patient(), iss=None), issuers) == "bad-schema"


@pytest.mark.parametrize("iss", ["http://clinic.example/shc", "https://clinic.example/", "clinic.example", ""])
def test_addresses_that_no_issuer_has_are_not_believed_even_when_listed(iss: str) -> None:
    issuers = Issuers.of([msgspec.structs.replace(CLINIC.issuer, iss=iss)])
    assert reason(CLINIC.card(patient(), iss=iss), issuers) == "unknown-issuer"


def test_a_key_that_is_not_called_by_its_thumbprint_is_not_believed() -> None:
    misnamed = msgspec.structs.replace(CLINIC.listed, kid=STRANGER.listed.kid)
    issuers = Issuers.of([Issuer(iss=ISS, keys=(misnamed,))])
    card = CLINIC.sign(compact(STRANGER.header), deflate(compact(CLINIC.claims(patient()))))
    assert reason(digits(card), issuers) == "unknown-key"


@pytest.mark.parametrize(
    ("changes", "now_s", "why"),
    [
        ({}, NOW_S, ""),
        ({"nbf": NOW_S}, NOW_S, ""),
        ({"nbf": NOW_S + 0.5}, NOW_S, "not-yet-valid"),
        ({"nbf": NOW_S * 1000}, NOW_S, "not-yet-valid"),  # milliseconds, as somebody's card has it
        ({"nbf": None}, NOW_S, "bad-times"),
        ({"nbf": None, "iat": 1}, NOW_S, "bad-times"),
        ({"nbf": "1"}, NOW_S, "bad-times"),
        ({"nbf": True}, NOW_S, "bad-times"),
        ({"exp": NOW_S + 1}, NOW_S, ""),
        ({"exp": NOW_S + 1}, NOW_S + 1, "expired"),
        ({"exp": NOW_S - 0.5}, NOW_S, "expired"),
        ({"exp": "never"}, NOW_S, "bad-times"),
        ({"exp": [NOW_S + 1]}, NOW_S, "bad-times"),
        ({"exp": 2**63}, NOW_S, ""),
        ({"exp": 2**70}, NOW_S, "number-too-large"),
        ({"vc_type": [HEALTH_CARD, "https://smarthealth.cards#covid19"]}, NOW_S, ""),
        ({"vc_type": ["https://smarthealth.cards#covid19"]}, NOW_S, "wrong-type"),
        ({"vc_type": HEALTH_CARD}, NOW_S, "wrong-type"),
        ({"vc_type": None}, NOW_S, "wrong-type"),
        ({"vc_type": [{}]}, NOW_S, "wrong-type"),
        ({"vc": None}, NOW_S, "bad-schema"),
        ({"vc": []}, NOW_S, "bad-schema"),
        ({"vc_credentialSubject": None}, NOW_S, "bad-schema"),
        ({"vc_credentialSubject": {"fhirBundle": []}}, NOW_S, "bad-schema"),
        ({"vc_rid": 7}, NOW_S, "bad-schema"),
    ],
)
def test_claims(changes: dict[str, object], now_s: float, why: str) -> None:
    assert reason(claimed(**changes), now_s=now_s) == why


def test_an_end_that_is_null_is_no_end_of_ours_to_guess() -> None:
    claims = CLINIC.claims(patient()) | {"exp": None}
    assert reason(signed(deflate(compact(claims)))) == "bad-times"


def test_numbers_that_compare_with_nothing_are_none() -> None:
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        claims = compact(CLINIC.claims(patient(), exp=0)).replace(b'"exp":0', b'"exp":' + number)
        assert reason(signed(deflate(claims))) in {"not-json", "number-too-large"}


def test_a_doubled_claim_is_refused() -> None:
    claims = compact(CLINIC.claims(patient(), exp=1)).replace(b'"exp":1', b'"exp":1,"exp":9999999999')
    assert reason(signed(deflate(claims))) == "duplicate-key"


def test_revocation() -> None:
    """By id alone, or by id and time: only cards from before that."""
    key = msgspec.structs.replace(CLINIC.listed, revoked={"all": 0, "early": NOW_S, "late": NOW_S - 3600})
    issuers = Issuers.of([Issuer(iss=ISS, keys=(key,))])
    for rid, why in [("all", "revoked"), ("early", "revoked"), ("late", ""), ("none", ""), (None, "")]:
        assert reason(claimed(vc_rid=rid), issuers) == why
    assert reason(claimed(vc_rid="early", nbf=NOW_S), issuers) == ""


def test_content_is_not_believed_before_the_signature() -> None:
    expired = STRANGER.sign(HEADER, deflate(compact(CLINIC.claims(patient(), exp=1, vc_type=None))))
    assert reason(digits(expired)) == "bad-signature"


def test_both_signatures_of_one_card_are_one_card() -> None:
    twin = mirrored(GOOD)
    assert twin != GOOD
    identities = {verify(digits(each), ISSUERS, NOW_S).identity for each in (GOOD, twin)}
    other = verify(CLINIC.card(patient("Other")), ISSUERS, NOW_S).identity
    assert len(identities) == 1 and other not in identities


def test_every_change_of_one_digit_is_refused() -> None:
    """Of one digit in a card, each to some other; the whole of a card and every place in it."""
    card = digits(GOOD)
    assert reason(card) == ""
    for place in range(len("shc:/"), len(card)):
        other = str((int(card[place]) + 1 + place % 9) % 10)
        assert reason(card[:place] + other + card[place + 1 :]) != ""


def test_nothing_but_a_whole_card_is_one() -> None:
    card = digits(GOOD)
    assert all(reason(card[:length]) for length in range(5, len(card), 7))
    assert all(reason(card + more) for more in ("00", "01", "0", " ", "\n", "\0"))


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("0123456789/", max_size=4000) | st.text("0123456789").map(lambda text: text * 2))
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    assert reason(text) != ""
    assert reason("shc:/" + text) != ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8) | st.just(HEALTH_CARD),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=4)
            | st.sampled_from(["nbf", "exp", "rid", "type", "vc", "entry", "resource", "fhirBundle"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from(["vc", "vc_type", "vc_rid", "vc_credentialSubject", "nbf", "exp", "iss"]))
def test_whatever_an_issuer_signs_raises_nothing_else(value: object, where: str) -> None:
    claims = CLINIC.claims(patient(), **{where: value})
    text = json.dumps(claims, separators=(",", ":")).encode()
    assert isinstance(reason(signed(deflate(text))), str)


def bombs() -> Iterator[tuple[str, bytes]]:
    """The largest codes (4,296 characters of a QR, or its 7,089 digits), each with the most work we could think of."""
    pad = b'{"iss":"' + ISS.encode() + b'","a":'
    for name, content in {
        "zeros": bytes(2_800_000),
        "nested": b"[" * 65_000,
        "one-depth": pad + b"[" * 60 + b"]" * 60 + b"}",
        "objects": pad + b"[" + b"{}," * 5_990 + b"{}]}",
        "spaced-objects": pad + b"[" + b"{} ," * 5_990 + b"{}]}",
        "more-objects": pad + b"[" + b"{}," * 21_000 + b"{}]}",
        "spaced-fractions": pad + b"[" + b"0.1234 ," * 5_990 + b"1]}",
        "fractions": pad + b"[" + b"0.1234," * 5_990 + b"1]}",
        "keys": pad + b"{" + b",".join(b'"%d":1' % n for n in range(6_000)) + b"}}",
        "digits": pad + b"1" * 60_000 + b"}",
        "fraction": pad + b"0." + b"1" * 60_000 + b"}",
        "exponent": pad + b"1e" + b"9" * 60_000 + b"}",
        "quotes": pad + b'"' + b'\\"' * 30_000 + b'"}',
        "escapes": pad + b'"' + b"\\u0041" * 10_000 + b'"}',
        "backslashes": pad + b"\\" * 60_000 + b"}",
        "spaces": pad + b" " * 60_000 + b"1}",
    }.items():
        yield name, deflate(content)


BOMBS = dict(bombs())


@pytest.mark.parametrize("name", BOMBS)
def test_the_worst_codes_are_refused_in_little_memory(name: str) -> None:
    jws = CLINIC.sign(HEADER, BOMBS[name]).encode()
    assert reason(jws)
    tracemalloc.start()
    try:
        reason(jws)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def real_files() -> list[dict[str, str]]:
    manifest = DATA / "MANIFEST.csv"
    if not manifest.exists():
        return []
    with manifest.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not real_files(), reason="the test files of SMART Health Cards are not here (../shared/data/shc)")
def test_the_specifications_examples() -> None:
    """A sample of real files; the score takes all of them (`make score NAME=shc`)."""
    reading = read_files(
        DATA / "trust/jwks.json", next(iter(sorted(EXAMPLE_ISSUERS, reverse=True))), allow_example=True
    )
    issuers = Issuers.of(reading.issuers)
    text = (DATA / "examples/example-00-f-qr-code-numeric-value-0.txt").read_text()
    certificate = verify(text, issuers, 1_767_225_600)
    assert [each.product for each in certificate.statements if isinstance(each, Vaccination)] == ["207", "207", "229"]
    revoked = json.loads((DATA / "examples/example-03-e-file.smart-health-card").read_text())["verifiableCredential"][0]
    assert reason(revoked.encode(), issuers, 1_700_000_000) == "revoked"
    assert reason(revoked.encode(), issuers, 1_767_225_600) == "expired"
    assert reason(text, Issuers.of(())) == "unknown-issuer"
