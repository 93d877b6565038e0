"""EU certificates: each way to be wrong has its own word, and nothing but what was signed is believed."""

import base64
import hashlib
import json
import tracemalloc
import zlib
from datetime import UTC, date, datetime
from typing import Any

import base45
import cbor2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from bench.score.dcc import cases
from bench.score.scoring import score
from central.trust.certificates import signer
from gateway.core.policy import Fact
from gateway.credentials import certificate as forms
from gateway.credentials.eu_certificate import MAX_BYTES, PREFIX, Checks, Signers, spellings, verify
from sync.contract.cose import ALG, ES256, KEY_ID, PS256
from sync.errors import CredentialRefused
from tests.eu_certificates import (
    DATA,
    DAY_S,
    KEY,
    KID,
    NOW_S,
    OTHER,
    RECOVERY,
    TEST,
    VACCINATION,
    certificate,
    claims,
    content,
    cose_object,
    pack,
    packed,
    rsa_key,
    signer_of,
    twin,
)

SIGNERS = Signers.of([signer_of()], ())
GOOD = certificate()
OBJECT = zlib.decompress(base45.b45decode(GOOD[4:]))
ES, ID = {ALG: ES256}, {KEY_ID: KID}


def reason(text: str, signers: Signers = SIGNERS, now_s: float = NOW_S, checks: Checks | None = None) -> str:
    """Why it is refused; "ok" when it is not."""
    try:
        verify(text, signers, now_s, checks or Checks())
    except CredentialRefused as error:
        assert error.__context__ is None or error.__suppress_context__  # which might hold some of the text
        return error.reason
    return "ok"


def test_a_vaccination() -> None:
    assert verify(GOOD, SIGNERS, NOW_S) == forms.Certificate(
        identity="URN:UVCI:01:AT:10807843F94AEE0EE509#B",
        statements=(forms.Vaccination(on=date(2021, 12, 1), dose=2, course=2, product="EU/1/20/1528"),),
        facts={
            Fact.STATEMENT: "vaccination",
            Fact.COUNTRY: "AT",
            Fact.NAME: "Gabriele Musterfrau-Gößinger",
            Fact.BIRTH_DATE: "1998-02-26",
        },
    )


def test_a_test_and_a_recovery() -> None:
    taken_s = datetime(2022, 3, 1, 2, tzinfo=UTC).timestamp()
    (test,) = verify(certificate(content("t")), SIGNERS, NOW_S).statements
    assert test == forms.Test(taken_s=taken_s, rapid=False, detected=False)
    changed = TEST | {"tt": "LP217198-3", "tr": "260373001", "sc": "2022-03-01T03:00:00+01:00"}
    (test,) = verify(certificate(content("t", changed)), SIGNERS, NOW_S).statements
    assert test == forms.Test(taken_s=taken_s, rapid=True, detected=True)
    (recovery,) = verify(certificate(content("r")), SIGNERS, NOW_S).statements
    assert recovery == forms.Recovery(positive_on=date(2022, 1, 10), until=date(2022, 7, 9))


def test_rsa() -> None:
    signers = Signers.of([signer_of(rsa_key())], ())
    assert reason(certificate(key=rsa_key()), signers) == "ok"
    assert reason(pack(cose_object(key=rsa_key(), signature=bytes(256))), signers) == "bad-signature"


# What anybody can make, before a key is looked for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "wrong-prefix"),
        (GOOD.lower(), "wrong-prefix"),
        (f" {GOOD}", "wrong-prefix"),
        (f"HC2:{GOOD[4:]}", "wrong-prefix"),
        (GOOD[4:], "wrong-prefix"),
        (f"{GOOD}\n", "not-base45"),
        (f"{GOOD}a", "not-base45"),
        (f"{PREFIX}{GOOD[4:-1]}中", "not-base45"),
        (f"{PREFIX}:::", "not-base45"),
        (f"{PREFIX}\ud800", "not-base45"),
        (PREFIX, "not-zlib"),
        (packed(OBJECT), "not-zlib"),
        (packed(zlib.compress(OBJECT)[:-1]), "not-zlib"),
        (packed(zlib.compress(OBJECT)[:-40]), "not-zlib"),
        (packed(zlib.compress(OBJECT) + b"\0"), "trailing-bytes"),
        (packed(zlib.compress(OBJECT) * 2), "trailing-bytes"),
        (pack(bytes(MAX_BYTES + 1)), "too-big"),
        (pack(bytes(2_000_000)), "too-big"),
        (pack(b"\x91" * MAX_BYTES), "too-deep"),
        (pack(b"\x5b\x00\x00\x01\x00\x00\x00\x00\x00"), "not-cbor"),
        (pack(b""), "not-cbor"),
        (pack(OBJECT + b"\0"), "trailing-bytes"),
        (pack(cbor2.dumps({})), "not-cose"),
        (pack(cbor2.dumps([b"", {}, b""])), "not-cose"),
        (pack(cbor2.dumps([b"", {}, "text", b""])), "not-cose"),
        (pack(cbor2.dumps([b"\xa2\x01\x26\x01\x26", {}, b"", b""])), "duplicate-key"),
        (pack(cbor2.dumps([b"\x91" * 100, {}, b"", b""])), "too-deep"),
        (pack(cbor2.dumps([b"\x5b\x00\x00\x01\x00\x00\x00\x00\x00", {}, b"", b""])), "not-cbor"),
        (pack(cose_object(protected={2: [1], **ES, **ID})), "not-cose"),
    ],
)  # fmt: skip
def test_what_is_no_certificate(text: str, expected: str) -> None:
    assert reason(text) == expected


def test_what_is_largest_is_still_read() -> None:
    assert reason(pack(bytes(MAX_BYTES))) == "trailing-bytes"


@pytest.mark.parametrize("data", [b"\0" * 2_800_000, b"\x81" * 2_800_000, b"[" * 2_800_000])
def test_a_bomb_costs_no_more_memory_than_what_it_may_inflate_to(data: bytes) -> None:
    bomb = pack(data)
    assert len(bomb) <= 4296
    tracemalloc.start()
    assert reason(bomb) == "too-big"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_a_flood_of_keys_that_hash_alike_is_not_decoded() -> None:
    """Tuples of -1 and -2 hash alike: 1,800 of them as keys of one map take the decoder 130 ms, and fit a QR."""
    gray = [number ^ number >> 1 for number in range(1_780)]
    keys = [bytes(0x20 + (number >> bit & 1) for bit in reversed(range(20))) for number in gray]
    flood = b"\xb9" + len(keys).to_bytes(2) + b"".join(b"\x94" + key + b"\0" for key in keys)
    assert len({hash(tuple(-1 - (each & 1) for each in key)) for key in keys}) == 1
    assert len(pack(flood)) <= 4296
    assert reason(pack(flood)) == "too-big"


@pytest.mark.parametrize("label", [True, 1.0])
def test_what_python_takes_for_a_label_is_none(label: object) -> None:
    entry, rest = content(), {key: value for key, value in claims().items() if key not in (1, -260)}
    assert reason(pack(cose_object(cbor2.dumps(rest | {-260: {1: entry}})))) == "ok"
    assert reason(pack(cose_object(cbor2.dumps(rest | {-260: {label: entry}})))) == "bad-schema"
    assert reason(pack(cose_object(cbor2.dumps(rest | {-260: {1: entry}, label: "AT"})))) == "not-cbor"


# Keys, algorithms, signatures


def test_untagged_and_doubly_tagged() -> None:
    inner = cbor2.loads(OBJECT).value
    assert reason(pack(cbor2.dumps(inner))) == "ok"
    assert reason(pack(cbor2.dumps(cbor2.CBORTag(61, cbor2.CBORTag(18, inner))))) == "ok"
    assert reason(pack(cbor2.dumps(cbor2.CBORTag(19, inner)))) == "not-cose"


@pytest.mark.parametrize(
    ("protected", "unprotected", "expected"),
    [
        (ES, ID, "ok"),
        ({}, ES | ID, "ok"),
        (ES | ID, {KEY_ID: b"no such!"}, "ok"),
        (ES | ID, {ALG: PS256}, "ok"),
        (ES | ID, {33: b"a certificate of his own"}, "ok"),
        (ES | {KEY_ID: b"no such!"}, ID, "unknown-key"),
        (ES | {KEY_ID: KID.hex()}, {}, "unknown-key"),
        (ES | {KEY_ID: [1]}, {}, "unknown-key"),
        (ES, {}, "unknown-key"),
        (ID, {}, "algorithm"),
        (ID | {ALG: PS256}, {}, "algorithm"),
        (ID | {ALG: PS256}, ES, "algorithm"),
        (ID | {ALG: 5}, {}, "algorithm"),  # HMAC, with the public key as its secret
        (ID | {ALG: -7.0}, {}, "algorithm"),
        (ID | {ALG: "ES256"}, {}, "algorithm"),
        (ID | {ALG: None}, ES, "algorithm"),
    ],
)
def test_headers_only_choose_among_what_is_trusted(
    protected: dict[object, object], unprotected: dict[object, object], expected: str
) -> None:
    assert reason(pack(cose_object(protected=protected, unprotected=unprotected))) == expected


@pytest.mark.parametrize(
    "signature",
    [b"", bytes(64), b"\xff" * 64, bytes(63), OBJECT[-64:] + b"\0", b"\x30" * 70],
    ids=["empty", "zeros", "ones", "short", "long", "DER"],
)
def test_signatures_that_are_none(signature: bytes) -> None:
    assert reason(pack(cose_object(signature=signature))) == "bad-signature"


def test_a_trusted_key_id_with_another_key() -> None:
    assert reason(certificate(key=OTHER)) == "bad-signature"


def test_every_signer_with_the_key_id_is_tried() -> None:
    several = [signer_of(OTHER), signer_of(rsa_key()), signer_of(KEY)]
    assert reason(GOOD, Signers.of(several, ())) == "ok"
    assert reason(certificate(key=rsa_key()), Signers.of(several, ())) == "ok"


def test_keys_that_are_not_believed() -> None:
    p384 = ec.generate_private_key(ec.SECP384R1())
    for key in (p384, rsa_key(1024)):
        assert reason(certificate(key=key), Signers.of([signer_of(key)], ())) == "algorithm"
    broken = msgspec.structs.replace(signer_of(), key=b"no key")
    assert reason(GOOD, Signers.of([broken], ())) == "algorithm"


# Times


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iat": NOW_S, "exp": NOW_S}, "ok"),
        ({"iat": NOW_S - 0.5, "exp": NOW_S + 0.5}, "ok"),
        ({"iat": NOW_S + 1}, "not-yet-valid"),
        ({"exp": NOW_S - 1}, "expired"),
        ({"exp": NOW_S - 0.5}, "expired"),
        ({"exp": None}, "bad-times"),
        ({"iat": None}, "bad-times"),
        ({"exp": float("nan")}, "bad-times"),
        ({"iat": float("nan")}, "bad-times"),
        ({"exp": float("inf")}, "bad-times"),
        ({"iat": float("-inf")}, "bad-times"),
        ({"exp": 2**63}, "bad-times"),
        ({"iat": -1}, "bad-times"),
        ({"exp": True}, "bad-times"),
        ({"exp": str(NOW_S + 1)}, "bad-times"),
        ({"iat": NOW_S - 366 * DAY_S}, "signer-not-yet-valid"),
        ({"exp": NOW_S + 1096 * DAY_S}, "signer-expired"),
    ],
)
def test_times(changes: dict[str, object], expected: str) -> None:
    assert reason(certificate(**changes)) == expected
    assert reason(certificate(**changes), checks=Checks(times=False)) == "ok"


def test_an_expiry_twice() -> None:
    body = cbor2.dumps({4: NOW_S + DAY_S, 6: NOW_S - DAY_S})
    doubled = bytes([body[0] + 1]) + body[1:] + cbor2.dumps(4) + cbor2.dumps(NOW_S + DAY_S)
    assert reason(pack(cose_object(doubled))) == "duplicate-key"


# Key usage


@pytest.mark.parametrize("group", ["v", "t", "r"])
@pytest.mark.parametrize("usage", ["vaccination", "test", "recovery"])
def test_key_usage(group: str, usage: str) -> None:
    signers = Signers.of([signer_of(usages=(usage,))], ())
    expected = "ok" if usage.startswith(group) else "key-usage"
    assert reason(certificate(content(group)), signers) == expected
    assert reason(certificate(content(group)), signers, checks=Checks(key_usage=False)) == "ok"


# Content


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (b"bytes", "bad-schema"),
        ([], "bad-schema"),
        ({}, "no-statement"),
        (content(v=None), "no-statement"),
        (content(v=[]), "no-statement"),
        (content(t=[], r=None), "ok"),
        (content(t=[TEST]), "several-statements"),
        (content(v="text"), "bad-schema"),
        (content(v=["text"]), "bad-schema"),
        (content(v=[VACCINATION] * 11), "bad-schema"),
        (content(ver=None), "bad-schema"),
        (content(ver=1), "bad-schema"),
        (content(nam=None), "bad-schema"),
        (content(nam={"fn": "Li"}), "bad-schema"),
        (content(nam={"fnt": "LI"}), "ok"),
        (content(nam={"gnt": "MING", "fn": None}), "ok"),
        (content(nam={"fnt": "L" * 81}), "bad-schema"),
        (content(nam={"fnt": ["LI"]}), "bad-schema"),
        (content(dob=None), "bad-schema"),
        (content(dob=""), "ok"),
        (content(dob="1998"), "ok"),
        (content(dob="1998-02"), "ok"),
        (content(dob="1978-01-26T00:00:00"), "ok"),
        (content(dob="26.02.1998"), "bad-schema"),
        (content(dob="1998-02-26\n"), "bad-schema"),
        (content(entry=VACCINATION | {"tg": "6142004"}), "other-disease"),
        (content(entry=VACCINATION | {"dt": "2021-02-30"}), "bad-schema"),
        (content(entry=VACCINATION | {"dt": "2021-12"}), "bad-schema"),
        (content(entry=VACCINATION | {"dt": "2021-W48-3"}), "bad-schema"),
        (content(entry=VACCINATION | {"dt": "2021-12-01T00:00:00"}), "ok"),
        (content(entry=VACCINATION | {"dt": cbor2.CBORTag(1004, "2021-12-01")}), "ok"),
        (content(entry=VACCINATION | {"dn": 0}), "bad-schema"),
        (content(entry=VACCINATION | {"dn": True}), "bad-schema"),
        (content(entry=VACCINATION | {"sd": "2"}), "bad-schema"),
        (content(entry=VACCINATION | {"sd": 2.0}), "bad-schema"),
        (content(entry=VACCINATION | {"mp": None}), "bad-schema"),
        (content(entry=VACCINATION | {"ci": ""}), "bad-schema"),
        (content(entry=VACCINATION | {"ci": "U" * 81}), "bad-schema"),
        (content(entry={key: value for key, value in VACCINATION.items() if key != "co"}), "bad-schema"),
        (content("t", TEST | {"sc": "2022-03-01"}), "bad-schema"),
        (content("t", TEST | {"sc": "2022-03-01T25:00:00Z"}), "bad-schema"),
        (content("t", TEST | {"sc": cbor2.CBORTag(0, "2022-03-01T02:00:00Z")}), "ok"),
        (content("t", TEST | {"sc": cbor2.CBORTag(1, NOW_S)}), "ok"),
        (content("t", TEST | {"sc": float("nan")}), "bad-schema"),
        (content("t", TEST | {"tc": 100}), "bad-schema"),
        (content("t", TEST | {"tt": "94661-6"}), "unknown-test"),
        (content("t", TEST | {"tr": "10828004"}), "unknown-test"),
        (content("r", RECOVERY | {"fr": 20220110}), "bad-schema"),
        (content("r", {key: value for key, value in RECOVERY.items() if key != "du"}), "bad-schema"),
    ],
)  # fmt: skip
def test_content(health: object, expected: str) -> None:
    assert reason(certificate(health)) == expected


def test_claims_without_a_health_certificate() -> None:
    for health in (None, b"bytes", {2: content()}, [content()]):
        body = claims() | {-260: health}
        assert reason(pack(cose_object(cbor2.dumps(body)))) == "bad-schema"
    assert reason(pack(cose_object(cbor2.dumps(["no", "map"])))) == "not-cbor"


def test_several_doses_in_one() -> None:
    first = VACCINATION | {"dn": 1, "dt": "2021-11-01", "ci": "URN:UVCI:01:AT:FIRST#1"}
    both = verify(certificate(content(v=[first, VACCINATION])), SIGNERS, NOW_S)
    assert [each.dose for each in both.statements if isinstance(each, forms.Vaccination)] == [1, 2]
    assert both.identity == "URN:UVCI:01:AT:FIRST#1 URN:UVCI:01:AT:10807843F94AEE0EE509#B"


# Revocation, and copies


@pytest.mark.parametrize("revoked", ["URN:UVCI:01:AT:10807843F94AEE0EE509#B", "01:AT:10807843F94AEE0EE509"])
@pytest.mark.parametrize(
    "written",
    ["URN:UVCI:01:AT:10807843F94AEE0EE509#B", "urn:uvci:01:AT:10807843F94AEE0EE509#B", "01:AT:10807843F94AEE0EE509#B"],
)
def test_revocation_however_the_uvci_is_written(revoked: str, written: str) -> None:
    listed = hashlib.sha256(revoked.encode()).hexdigest()[:32]
    text = certificate(content(entry=VACCINATION | {"ci": written}))
    assert reason(text, Signers.of([signer_of()], [listed])) == "revoked"
    other = certificate(content(entry=VACCINATION | {"ci": written.replace("EE509", "EE508")}))
    assert reason(other, Signers.of([signer_of()], [listed])) == "ok"


def test_any_entry_that_is_revoked_is_enough() -> None:
    listed = hashlib.sha256(b"URN:UVCI:01:AT:LAST").hexdigest()[:32]
    text = certificate(content(v=[VACCINATION, VACCINATION | {"ci": "URN:UVCI:01:AT:LAST#3"}]))
    assert reason(text, Signers.of([signer_of()], [listed])) == "revoked"


def test_spellings() -> None:
    assert spellings("urn:uvci:01:FR:X#") == {
        "urn:uvci:01:FR:X#",
        "01:FR:X#",
        "01:FR:X",
        "URN:UVCI:01:FR:X#",
        "URN:UVCI:01:FR:X",
    }
    assert spellings("#") == {"#", "", "URN:UVCI:#", "URN:UVCI:"}


def test_copies_are_one() -> None:
    assert twin(GOOD) != GOOD
    assert verify(twin(GOOD), SIGNERS, NOW_S) == verify(GOOD, SIGNERS, NOW_S)


# Hostile


def test_every_single_bit_of_the_object_counts() -> None:
    for place in range(8 * len(OBJECT)):
        changed = bytearray(OBJECT)
        changed[place // 8] ^= 1 << place % 8
        assert reason(pack(bytes(changed), 1)) != "ok", f"bit {place}"


def test_every_single_bit_of_what_is_packed_counts_or_changes_nothing() -> None:
    """Bits that only fill the last byte, or that say how long a table is which is never used to its end, mean nothing to
    deflate: what comes out is the same object, and it is one certificate."""
    compressed = zlib.compress(OBJECT)
    harmless = 0
    for place in range(8 * len(compressed)):
        changed = bytearray(compressed)
        changed[place // 8] ^= 1 << place % 8
        if reason(packed(bytes(changed))) == "ok":
            harmless += 1
            assert zlib.decompress(changed) == OBJECT
    assert harmless < 16


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: packed(data)[4:]))
def test_any_text_only_ever_raises_our_own_error(rest: str) -> None:
    with pytest.raises(CredentialRefused):
        verify(PREFIX + rest, SIGNERS, NOW_S)


@given(st.binary(max_size=400))
def test_any_packed_bytes(data: bytes) -> None:
    with pytest.raises(CredentialRefused):
        verify(pack(data), SIGNERS, NOW_S)


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.binary(max_size=9)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.integers(-300, 9) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


_ENTRIES = {"v": VACCINATION, "t": TEST, "r": RECOVERY}
_PLACES = [
    "claims",
    "health",
    "nam",
    "v",
    "t",
    "r",
    *((group, field) for group, of in _ENTRIES.items() for field in of),
]


@given(st.sampled_from(_PLACES), _ANY)
def test_anything_that_a_trusted_signer_may_have_signed(place: Any, value: Any) -> None:
    """Even what is signed may be nonsense: it is read or refused, and never raises anything else."""
    match place:
        case "claims":
            body = value
        case "health":
            body = claims(value)
        case (group, field):
            body = claims(content(group, _ENTRIES[group] | {field: value}))
        case member:
            body = claims(content(**{member: value}))
    assert reason(pack(cose_object(cbor2.dumps(body))))


# The member states' files


def test_real_certificates() -> None:
    """Every decision of the manifest, by the same code as `make score NAME=dcc`."""
    if not (DATA / "MANIFEST.csv").exists():
        pytest.skip(f"{DATA} is not here")
    total = score(cases(DATA))
    assert total.disagree == []
    assert total.files > 400


def test_the_attacks_are_refused_for_what_they_are() -> None:
    file = DATA / "_attacks" / "hc1_attacks.json"
    if not file.exists():
        pytest.skip(f"{file} is not here")
    trust = json.loads((DATA / "_attacks" / "trust.json").read_text())
    signers = Signers.of(
        [signer(base64.b64decode(each), kid, kid) for kid, found in trust.items() for each in found], ()
    )
    attacks = {each["id"]: each for each in json.loads(file.read_text())}
    now_s = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
    found = {name: reason(each["text"], signers, now_s) for name, each in attacks.items()}
    expected = {
        "bomb-zeros": "too-big", "bomb-nested": "too-big", "bstr-2e40": "not-cbor", "zlib-trailing": "trailing-bytes",
        "cbor-trailing": "trailing-bytes", "alg-none": "algorithm", "alg-ps256-ec-key": "algorithm", "kid-spoof": "bad-signature",
        "embedded-x5chain": "unknown-key", "psychic-0": "bad-signature", "sig-der": "bad-signature", "exp-past": "expired",
        "exp-missing": "bad-times", "exp-nan": "bad-times", "exp-bool": "bad-times", "dsc-expired": "signer-expired",
        "eku-vacc-signs-test": "key-usage", "hcert-bytes": "bad-schema", "empty-groups": "no-statement",
        "prefix-lower": "wrong-prefix", "b45-overflow": "not-base45",
    }  # fmt: skip
    assert {name: expected.get(name, "ok") for name in found} == found
