"""The Menshen pass: what was signed verifies, nothing else does, and each failure has its own word."""

import math
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import base45
import cbor2
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.colours import PassType
from sync.contract.keys import key_id, raw
from sync.contract.passes import (
    MAX_TEXT,
    PREFIX,
    STEP_S,
    Pass,
    PassKeys,
    Shown,
    compressed,
    present,
    read_pass,
    sign_pass,
    verify_pass,
)
from sync.contract.sealed import seal
from sync.contract.trust import PassKey
from sync.errors import CredentialRefused

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PHONE, STRANGER = derive_private_key(7, SECP256R1()), derive_private_key(8, SECP256R1())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # n of P-256 (SP 800-186)
NOW_S = 1_800_000_015
COUNTER = NOW_S // STEP_S


def listed(key: Ed25519PrivateKey, **changes: object) -> PassKey:
    return PassKey(key=raw(key.public_key()).hex(), **changes)  # type: ignore[arg-type]  # a test's shorthand


KEYS = PassKeys.of([listed(KEY)])
PAPER = Pass(
    pass_id=b"12345678",
    pass_type=PassType.VISITOR,
    site="demo",
    not_before_s=1_700_000_000,
    expires_s=1_900_000_000,
    holder="h-0101",
)
ON_PHONE = replace(PAPER, phone=compressed(PHONE.public_key()))
PAPER_TEXT, ON_PHONE_TEXT = sign_pass(PAPER, KEY), sign_pass(ON_PHONE, KEY)
SHOWN_TEXT = present(ON_PHONE_TEXT, PHONE, NOW_S)
HEADER = {1: -8, 4: key_id(KEY.public_key())}
CLAIMS: dict[object, object] = {2: "h-0101", 3: "demo", 4: 1_900_000_000, 5: 1_700_000_000, 7: b"12345678", 9: b"\3"}
POINT: dict[object, object] = {1: 2, -1: 1, -2: ON_PHONE.phone[1:], -3: ON_PHONE.phone[0] == 3}


def encoded(data: bytes) -> str:
    return PREFIX + base45.b45encode(data).decode()


def decoded(text: str) -> bytes:
    return bytes(base45.b45decode(text.removeprefix(PREFIX)))


def sign1(header: object, payload: object, sign: Callable[[bytes], bytes] = KEY.sign) -> list[object]:
    """A COSE_Sign1 with whatever is asked for; bytes go in as they are."""
    protected, body = (part if isinstance(part, bytes) else cbor2.dumps(part) for part in (header, payload))
    return [protected, {}, body, sign(cbor2.dumps(["Signature1", protected, b"", body]))]


def envelope(header: object, payload: object, sign: Callable[[bytes], bytes] = KEY.sign) -> str:
    return encoded(cbor2.dumps(sign1(header, payload, sign)))


def by_phone(data: bytes) -> bytes:
    r, s = decode_dss_signature(PHONE.sign(data, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def claims_text(changes: dict[object, object]) -> str:
    """A pass of the office with other claims; None leaves one out."""
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return envelope(HEADER, claims)


def shown_text(payload: object = None, sign: Callable[[bytes], bytes] = by_phone, **header: object) -> str:
    """What a phone shows, with something else in it."""
    inner = cbor2.loads(decoded(ON_PHONE_TEXT))
    inside = {1: header.get("alg", -7), 13: header.get("inner", inner)}
    return envelope(inside, {6: COUNTER * STEP_S} if payload is None else payload, sign)


def reason(text: str, keys: PassKeys = KEYS) -> str:
    with pytest.raises(CredentialRefused) as caught:
        verify_pass(text, keys)
    return caught.value.reason


# what is signed verifies


@pytest.mark.parametrize("pass_type", PassType)
def test_what_is_signed_verifies(pass_type: PassType) -> None:
    content = replace(PAPER, pass_type=pass_type)
    text = sign_pass(content, KEY)
    assert verify_pass(text, KEYS) == Shown(content)
    assert read_pass(text) == Shown(content)


def test_a_pass_is_small_and_in_qr_s_alphanumeric_set() -> None:
    assert (len(decoded(PAPER_TEXT)), len(PAPER_TEXT)) == (120, 184)
    assert len(SHOWN_TEXT) == 375
    assert set(PAPER_TEXT + SHOWN_TEXT) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def test_the_longest_that_can_be_issued_is_read() -> None:
    content = replace(ON_PHONE, site="s" * 32, holder="h" * 40)
    text = present(sign_pass(content, KEY), PHONE, NOW_S)
    assert verify_pass(text, KEYS) == Shown(content, COUNTER)
    assert len(text) <= MAX_TEXT


def test_it_is_a_cwt_in_a_cose_sign1() -> None:
    protected, unprotected, payload, signature = cbor2.loads(decoded(PAPER_TEXT))
    assert (cbor2.loads(protected), unprotected, cbor2.loads(payload)) == (HEADER, {}, CLAIMS)
    KEY.public_key().verify(signature, cbor2.dumps(["Signature1", protected, b"", payload]))
    outer = cbor2.loads(cbor2.loads(decoded(SHOWN_TEXT))[0])
    assert outer == {1: -7, 13: cbor2.loads(decoded(ON_PHONE_TEXT))}
    assert cbor2.loads(outer[13][2]) == CLAIMS | {8: {1: POINT}}


def test_claims_that_are_not_known_are_passed_over() -> None:
    assert verify_pass(claims_text({6: 1, -70_000: "x"}), KEYS) == Shown(PAPER)  # RFC 8392, section 3


@pytest.mark.parametrize(
    "changes",
    [
        {"site": "a b"},
        {"site": "s" * 33},
        {"site": "门"},
        {"holder": ""},
        {"holder": "h\n"},
        {"holder": "h" * 41},
        {"pass_id": b"1234567"},
        {"expires_s": PAPER.not_before_s - 1},
        {"expires_s": 2**32},
        {"not_before_s": 0},
        {"not_before_s": 1.5},
        {"not_before_s": True},
        {"phone": b"\4" + bytes(32)},
        {"phone": b"\2" + bytes(31)},
    ],
)
def test_what_no_gate_would_take_is_not_signed(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"pass|is no site|is no reference"):
        sign_pass(replace(PAPER, **changes), KEY)  # type: ignore[arg-type]  # that is what is tried


# keys


def test_old_passes_go_on_being_good_when_the_key_is_changed() -> None:
    end = PAPER.not_before_s + 10
    rotated = PassKeys.of([listed(KEY, not_after_s=end), listed(OTHER, not_before_s=end)])
    assert verify_pass(PAPER_TEXT, rotated) == Shown(PAPER)
    later = replace(PAPER, not_before_s=end + 1)
    assert verify_pass(sign_pass(later, OTHER), rotated) == Shown(later)
    assert reason(sign_pass(later, KEY), rotated) == "key-not-in-force"
    assert reason(sign_pass(PAPER, OTHER), rotated) == "key-not-in-force"


def test_a_revoked_key_is_revoked_at_once_and_for_every_pass() -> None:
    revoked = PassKeys.of([listed(KEY, revoked=True), listed(OTHER)])
    assert {reason(text, revoked) for text in (PAPER_TEXT, ON_PHONE_TEXT, SHOWN_TEXT)} == {"key-revoked"}
    assert verify_pass(sign_pass(PAPER, OTHER), revoked) == Shown(PAPER)


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_that_is_there_twice_is_revoked_if_it_is_once(order: int) -> None:
    assert reason(PAPER_TEXT, PassKeys.of([listed(KEY), listed(KEY, revoked=True)][::order])) == "key-revoked"


def test_with_no_key_every_pass_is_of_an_unknown_one() -> None:
    assert reason(PAPER_TEXT, PassKeys.of([])) == "unknown-key"


def test_a_spoofed_key_id_does_not_help() -> None:
    assert reason(envelope(HEADER, CLAIMS, OTHER.sign)) == "bad-signature"


def test_what_the_same_key_signed_as_something_else_is_no_pass() -> None:
    sealed = seal(cbor2.dumps(CLAIMS), "trust", KEY)
    assert reason(encoded(sealed)) == "bad-headers"


# every reason

BARE = cbor2.loads(decoded(PAPER_TEXT))
NESTED = b"\x81" * 40 + b"\0"
WORDS: dict[str, tuple[str, ...]] = {
    "not-a-pass": ("", "MP1", "mp1:" + PAPER_TEXT[4:], "HC1:" + PAPER_TEXT[4:], " " + PAPER_TEXT),
    "too-long": (PREFIX + "0" * (MAX_TEXT - 3), PREFIX + "0" * 4_292, PREFIX + "中" * 4_292),
    "not-base45": (
        PREFIX + "A",
        PREFIX + ":::",
        PREFIX + "中文",
        PAPER_TEXT + "\n",
        PAPER_TEXT.lower().replace("mp1:", PREFIX),
    ),
    "not-cbor": (
        PREFIX,
        encoded(b"\x84"),
        encoded(b"\x5b" + b"\xff" * 8),
        envelope(b"\xff", CLAIMS),
        envelope(HEADER, b"\xff"),
        envelope([], CLAIMS),
        envelope(HEADER, []),
        envelope(b"\xbb" + b"\xff" * 8, CLAIMS),
        shown_text({6: 30 * 2**70}),  # a big number is a tag, and those are refused
    ),
    "too-deep": (encoded(NESTED), envelope(NESTED, CLAIMS), envelope(HEADER, NESTED)),
    "duplicate-key": (
        envelope(b"\xa3\x01\x27\x04\x44abcd\x01\x27", CLAIMS),
        envelope(HEADER, b"\xa7" + cbor2.dumps(CLAIMS)[1:] + b"\x04\x1a\x7f\xff\xff\xff"),
    ),
    "trailing-bytes": (
        encoded(decoded(PAPER_TEXT) + b"\0"),
        encoded(decoded(SHOWN_TEXT) + b"\0"),
        envelope(HEADER, cbor2.dumps(CLAIMS) + b"\0"),
        envelope(cbor2.dumps(HEADER) + b"\0", CLAIMS),
    ),
    "not-cose": (
        encoded(b"\0"),
        encoded(cbor2.dumps(BARE[:3])),
        encoded(cbor2.dumps({1: 2})),
        encoded(cbor2.dumps([*BARE[:3], "signature"])),
        encoded(cbor2.dumps(cbor2.CBORTag(17, BARE))),
        shown_text(inner=[]),
        shown_text(inner=decoded(ON_PHONE_TEXT)),
    ),
    "not-canonical": (
        encoded(cbor2.dumps(cbor2.CBORTag(18, BARE))),
        encoded(cbor2.dumps(cbor2.CBORTag(61, cbor2.CBORTag(18, BARE)))),
        encoded(cbor2.dumps([BARE[0], {4: b"else"}, *BARE[2:]])),
        encoded(b"\x98\x04" + decoded(PAPER_TEXT)[1:]),
        encoded(b"\x9f" + decoded(PAPER_TEXT)[1:] + b"\xff"),
    ),
    "algorithm": (
        envelope({1: -7, 4: HEADER[4]}, CLAIMS),
        envelope({1: 5, 4: HEADER[4]}, CLAIMS),  # HMAC with the public key
        envelope({1: "EdDSA", 4: HEADER[4]}, CLAIMS),
        envelope({1: math.nan, 4: HEADER[4]}, CLAIMS),
        envelope({4: HEADER[4]}, CLAIMS),
        envelope(b"", CLAIMS),
        shown_text(alg=-8),
        shown_text(alg=[]),
        shown_text(inner=sign1({1: -7, 4: HEADER[4]}, CLAIMS)),
    ),
    "bad-headers": (
        envelope({1: -8}, CLAIMS),
        envelope({1: -8, 4: []}, CLAIMS),
        envelope({1: -8, 4: b"abc"}, CLAIMS),
        envelope({1: -8, 4: HEADER[4], 33: b"certificate"}, CLAIMS),
        envelope({4: HEADER[4], 1: -8}, CLAIMS),
        envelope({1: -8.0, 4: HEADER[4]}, CLAIMS),
        shown_text(inner=cbor2.CBORTag(18, BARE)),
        shown_text(inner=[BARE[0], {1: -7}, *BARE[2:]]),
        envelope({1: -7, 4: b"abcd", 13: cbor2.loads(decoded(ON_PHONE_TEXT))}, {6: COUNTER * STEP_S}, by_phone),
    ),
    "unknown-key": (sign_pass(PAPER, OTHER), present(sign_pass(ON_PHONE, OTHER), PHONE, NOW_S)),
    "bad-signature": (
        envelope(HEADER, CLAIMS, OTHER.sign),
        envelope(HEADER, CLAIMS, lambda _: b""),
        envelope(HEADER, CLAIMS, lambda _: bytes(64)),
        envelope(HEADER, b"\xff", lambda _: bytes(64)),  # the signature first
        shown_text(inner=sign1(HEADER, CLAIMS | {8: {1: POINT}}, OTHER.sign)),
    ),
    "no-phone-key": (shown_text(inner=BARE),),
    "bad-proof": (
        shown_text(sign=lambda _: bytes(64)),
        shown_text(sign=lambda data: by_phone(data)[:-1]),
        shown_text(sign=lambda data: by_phone(data) + b"\0"),
        shown_text(sign=lambda data: PHONE.sign(data, ECDSA(SHA256()))),
        shown_text(sign=lambda data: by_phone(data + b"\0")),
        shown_text(sign=KEY.sign),
        shown_text(inner=sign1(HEADER, CLAIMS | {8: {1: POINT | {-2: b"\xff" * 32}}})),  # no point of the curve
    ),
    "bad-counter": (
        *(
            shown_text({6: value})
            for value in (0, -30, 29, 31, COUNTER * 30.0, True, None, "1", math.nan, math.inf, [30])
        ),
        *(shown_text({6: value}) for value in (2**32 + 14, 2**63)),
        shown_text({}),
        shown_text({5: 30}),
    ),
}


@pytest.mark.parametrize(("word", "text"), [(word, text) for word, texts in WORDS.items() for text in texts])
def test_each_failure_has_its_word(word: str, text: str) -> None:
    assert reason(text) == word


NUMBERS = (None, True, 1.8e9, math.nan, math.inf, "1800000000", 0, -1, 2**32, 2**63, [1])


@pytest.mark.parametrize(
    "changes",
    [
        *({claim: value} for claim in (4, 5) for value in NUMBERS),
        *({2: value} for value in (None, "", 7, b"h", "h" * 41, "h\n", "\u202eh", "=1+1", "门")),
        *({3: value} for value in (None, "", 7, b"demo", "s" * 33, "demo ", ["demo"])),
        *({7: value} for value in (None, b"", b"1234567", b"123456789", "12345678")),
        *({9: value} for value in (None, b"", b"\4", b"\0\0", 0, "0", True, [])),
        *({8: value} for value in (None, 1, {}, {1: {}}, {2: POINT}, {1: [POINT]}) if value is not None),
        *({8: {1: POINT | {place: value}}} for place in (1, -1, -2, -3) for value in (None, 0, b"", [], "2", 3)),
        {8: {1: POINT | {-2: bytes(33)}}},
        {8: {1: POINT | {-3: bytes(32)}}},
        {4: 1_600_000_000},
    ],
)
def test_signed_nonsense_is_bad_claims(changes: dict[object, object]) -> None:
    assert reason(claims_text(changes)) == "bad-claims"


@pytest.mark.parametrize("claim", [4, 5])
def test_a_big_number_is_no_time(claim: int) -> None:
    assert reason(claims_text({claim: 2**70})) == "not-cbor"  # tag 2


# no bit of it can be another


@pytest.mark.parametrize(
    "text", [PAPER_TEXT, ON_PHONE_TEXT, SHOWN_TEXT], ids=["paper", "of a phone", "shown by a phone"]
)
def test_every_single_bit_counts(text: str) -> None:
    data = decoded(text)
    for place in range(8 * len(data)):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        assert reason(encoded(bytes(changed)))


@given(st.integers(min_value=0, max_value=1_000), st.characters(codec="ascii"))
def test_any_changed_character_is_refused(place: int, character: str) -> None:
    place %= len(PAPER_TEXT)
    changed = PAPER_TEXT[:place] + character + PAPER_TEXT[place + 1 :]
    if changed != PAPER_TEXT:
        assert reason(changed)


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: base45.b45encode(data).decode()))
def test_nothing_else_is_ever_raised(rest: str) -> None:
    keys = PassKeys.of([listed(KEY), listed(Ed25519PrivateKey.from_private_bytes(os.urandom(32)))])
    for read in (lambda text: verify_pass(text, keys), read_pass):
        with pytest.raises(CredentialRefused) as caught:
            read(PREFIX + rest)
        assert len(rest) < 20 or rest not in f"{caught.value!r} {caught.value}"


# phones


def test_what_a_phone_shows_verifies() -> None:
    shown = verify_pass(SHOWN_TEXT, KEYS)
    assert shown == Shown(ON_PHONE, COUNTER)
    assert read_pass(SHOWN_TEXT) == shown


def test_the_twin_of_a_signature_is_the_same_pass_and_the_same_counter() -> None:
    protected, unprotected, payload, signature = cbor2.loads(decoded(SHOWN_TEXT))
    twin = signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")
    text = encoded(cbor2.dumps([protected, unprotected, payload, twin]))
    assert text != SHOWN_TEXT
    assert verify_pass(text, KEYS) == verify_pass(SHOWN_TEXT, KEYS)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (-1000, "screenshot"),
        (-3, "screenshot"),
        (-2, "screenshot"),
        (-1, ""),
        (0, ""),
        (1, ""),
        (2, "phone-clock"),
        (3, "phone-clock"),
        (1000, "phone-clock"),
    ],
)
def test_one_step_of_drift_is_forgiven(steps: int, why: str) -> None:
    shown = verify_pass(present(ON_PHONE_TEXT, PHONE, NOW_S + steps * STEP_S), KEYS)
    assert shown.counter == COUNTER + steps
    assert shown.why_not(site="demo", at_s=NOW_S) == why
    assert shown.why_not(site="demo", at_s=NOW_S, clock_trusted=False) == ""


def test_the_pass_of_a_phone_is_nothing_without_the_phone() -> None:
    printed = verify_pass(ON_PHONE_TEXT, KEYS)
    assert printed == Shown(ON_PHONE)
    for trusted in (True, False):
        assert printed.why_not(site="demo", at_s=NOW_S, clock_trusted=trusted) == "proof-missing"


@pytest.mark.parametrize(
    ("site", "at_s", "why"),
    [
        ("demo", PAPER.not_before_s, ""),
        ("demo", PAPER.not_before_s - 1, "not-yet-valid"),
        ("demo", PAPER.expires_s - 1, ""),
        ("demo", PAPER.expires_s, "expired"),
        ("Demo", NOW_S, "wrong-site"),
    ],
)
def test_place_and_time(site: str, at_s: int, why: str) -> None:
    assert Shown(PAPER).why_not(site=site, at_s=at_s) == why


def test_a_phone_shows_only_its_own_pass() -> None:
    for text in (PAPER_TEXT, SHOWN_TEXT):
        with pytest.raises(ValueError, match="not issued for this phone"):
            present(text, PHONE, NOW_S)
    with pytest.raises(ValueError, match="not issued for this phone"):
        present(ON_PHONE_TEXT, STRANGER, NOW_S)
    with pytest.raises(CredentialRefused, match="not-a-pass"):
        present("hello", PHONE, NOW_S)


def test_a_phone_s_key_is_of_p_256() -> None:
    with pytest.raises(ValueError, match="P-256, not secp384r1"):
        compressed(derive_private_key(7, SECP384R1()).public_key())


# what people are told

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "passes.md").read_text("utf-8")


def test_every_reason_is_told() -> None:
    raised, answered = (str(verify_pass.__doc__).split("Raises")[1], str(Shown.why_not.__doc__).split("Answers")[1])
    named = set(re.findall(r"`([a-z0-9-]+)`", raised + answered))
    assert named >= set(WORDS) | {"bad-claims", "key-revoked", "key-not-in-force", "proof-missing"}
    assert {word for word in named if f"| `{word}` |" not in PAGE} == set()


def test_the_sizes_are_as_told() -> None:
    for text, sizes in (
        (PAPER_TEXT, "184 | 6, 41 × 41 | 8, 49 × 49 | **9, 53 × 53** | 11, 61 × 61"),
        (SHOWN_TEXT, "375 | 10, 57 × 57 | 12, 65 × 65 | **14, 73 × 73** | 17, 85 × 85"),
    ):
        codes = [segno.make_qr(text, error=level, mode="alphanumeric", boost_error=False) for level in "LMQH"]
        assert [(code.version, code.symbol_size(border=0)[0]) for code in codes] == [
            tuple(map(int, pair)) for pair in re.findall(r"(\d+), (\d+) ×", sizes)
        ]
        assert f"| {sizes} |" in PAGE and len(text) == int(sizes[:3])
