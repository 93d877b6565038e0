"""Files that a trust list is made from: every form, with something unusable in it."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from central.trust.certificates import signer
from central.trust.sources import SourceError, read_issuers, read_revoked, read_signers
from tests.central.trust.test_certificates import encoded, made
from tests.eu_certificates import DATA
from tests.health_cards import CardIssuer, base64url

ONE, TWO, P384 = made(), made(ec.generate_private_key(ec.SECP256R1())), made(ec.generate_private_key(ec.SECP384R1()))
SHC = DATA.parent / "shc" / "trust" / "jwks.json"
FIRST, SECOND = (signer(encoded(each), "") for each in (ONE, TWO))


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def entry(data: bytes, kid: bytes = b"\1\2\3\4\5\6\7\x08", **changes: object) -> dict[str, object]:
    """As in the German list."""
    return {"certificateType": "DSC", "country": "DE", "kid": text(kid), "rawData": text(data)} | changes


def write(tmp_path: Path, name: str, content: object) -> Path:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.fixture
def left_out() -> list[str]:
    return []


def test_single_certificates_and_several_in_a_file(tmp_path: Path, left_out: list[str]) -> None:
    pem, der = ONE.public_bytes(Encoding.PEM), write(tmp_path, "two.der", encoded(TWO))
    both = write(tmp_path, "both.pem", b"# ours\n" + pem + TWO.public_bytes(Encoding.PEM))
    assert read_signers([write(tmp_path, "one.pem", pem)], left_out.append) == (FIRST,)
    assert read_signers([der, both], left_out.append) == (SECOND, FIRST)  # each once
    assert left_out == []


def test_a_folder_gives_its_certificates_and_names_those_that_are_none(tmp_path: Path, left_out: list[str]) -> None:
    write(tmp_path, "all/README.txt", b"nothing of ours")
    write(tmp_path, "all/1.crt", ONE.public_bytes(Encoding.PEM))
    write(tmp_path, "all/2.cer", encoded(TWO))
    write(tmp_path, "all/3.der", encoded(P384))
    write(tmp_path, "all/4.pem", b"\xff no certificate")
    assert read_signers([tmp_path / "all"], left_out.append) == (FIRST, SECOND)
    assert [any(name in sentence for sentence in left_out) for name in ("3.der", "4.pem")] == [True, True]
    assert "secp384r1" in left_out[0] and len(left_out) == 2


@pytest.mark.parametrize("signature", [b"", b"MEUCIQDx+/==\n", b"MEUCIQDx+/==\r\n"])
def test_a_national_list(tmp_path: Path, left_out: list[str], signature: bytes) -> None:
    entries = [
        entry(encoded(ONE)),
        entry(encoded(ONE)),
        entry(encoded(TWO), certificateType="CSCA"),
        entry(encoded(P384)),
        entry(b"", rawData="*"),
        entry(b"") | {"kid": 7},
        "nothing",
    ]
    path = write(tmp_path, "list", signature + json.dumps({"certificates": entries}).encode())
    (found,) = read_signers([path], left_out.append)
    assert (found.kid, found.country, found.key) == ("0102030405060708", "DE", FIRST.key)
    for number, words in ((3, "CSCA"), (4, "secp384r1"), (5, "base64"), (6, "base64"), (7, "no entry")):
        assert any(f"entry {number}" in sentence and words in sentence for sentence in left_out), number
    assert len(left_out) == 5


def test_a_map_of_key_ids(tmp_path: Path, left_out: list[str]) -> None:
    path = write(tmp_path, "trust.json", {"0a0b": [text(encoded(ONE)), "*"], "xyz": [text(encoded(TWO))]})
    (found,) = read_signers([path], left_out.append)
    assert (found.kid, found.key) == ("0a0b", FIRST.key)
    assert [("number 2" in sentence, "'xyz'" in sentence) for sentence in left_out] == [(True, False), (False, True)]


def test_the_map_of_the_test_files(left_out: list[str]) -> None:
    path = DATA / "_attacks" / "trust.json"
    if not path.exists():
        pytest.skip("the certificates beside the project are not here")
    found = read_signers([path], left_out.append)
    assert {each.kid for each in found} == set(json.loads(path.read_text()))
    assert left_out == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not-json"),
        (b"no certificate", "not one usable"),
        ({"certificates": []}, "holds no certificate"),
        ({"anything": "else"}, "neither a list"),
        ({"certificates": [entry(encoded(P384))]}, "not one usable"),
        (b'{"certificates": ' + b"[" * 100_000, "too-deep"),
    ],
)
def test_a_file_with_nothing_in_it_is_an_error(
    tmp_path: Path, left_out: list[str], content: object, words: str
) -> None:
    with pytest.raises(SourceError, match=words):
        read_signers([write(tmp_path, "file", content)], left_out.append)


def test_an_empty_folder_is_an_error(tmp_path: Path, left_out: list[str]) -> None:
    with pytest.raises(SourceError, match="holds no certificate"):
        read_signers([tmp_path], left_out.append)
    with pytest.raises(OSError, match="No such file"):
        read_signers([tmp_path / "nothing"], left_out.append)


def test_progress_is_shown_over_all_candidates(tmp_path: Path, left_out: list[str]) -> None:
    seen: list[int] = []
    paths = [write(tmp_path, f"{n}.der", encoded(each)) for n, each in enumerate((ONE, TWO, P384))]
    read_signers(paths, left_out.append, lambda candidates: (seen.append(len(candidates)), candidates)[1])
    assert seen == [3]


# issuers


def key_set(*issuers: CardIssuer) -> dict[str, object]:
    keys = []
    for each in issuers:
        point = each.key.public_key().public_numbers()
        x, y = (base64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
        kid = base64url(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())
        keys.append({"kty": "EC", "kid": kid, "use": "sig", "alg": "ES256", "crv": "P-256", "x": x, "y": y})
    return {"keys": keys}


A, B = (CardIssuer(ec.generate_private_key(ec.SECP256R1())) for _ in range(2))


def test_key_sets_with_their_addresses(tmp_path: Path, left_out: list[str]) -> None:
    paths = [write(tmp_path, "a", key_set(A)), write(tmp_path, "b", key_set(B))]
    found = read_issuers(paths, ["https://a.example", "https://b.example"], left_out.append)
    assert [each.iss for each in found] == ["https://a.example", "https://b.example"]
    assert left_out == []
    (once,) = read_issuers(paths, ["https://a.example", "https://a.example"], left_out.append)
    assert once == found[0] and "was in a source before" in left_out[0]


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ([], "--issuer URL"),
        (["https://a.example", "https://b.example"], "https://b.example"),
        (["http://a.example"], "not one usable"),
    ],
)
def test_addresses_that_do_not_fit(tmp_path: Path, left_out: list[str], addresses: list[str], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_issuers([write(tmp_path, "a", key_set(A))], addresses, left_out.append)


def test_a_snapshot_names_its_issuers_itself(tmp_path: Path, left_out: list[str]) -> None:
    entries = [{"issuer": {"iss": "https://a.example", "name": "A"}, **key_set(A)}, {"issuer": {"iss": "http://b"}}]
    paths = [write(tmp_path, "vci", {"issuerInfo": entries}), write(tmp_path, "b", key_set(B))]
    found = read_issuers(paths, ["https://b.example"], left_out.append)
    assert [(each.iss, each.name) for each in found] == [("https://a.example", "A"), ("https://b.example", "")]
    assert len(left_out) == 1 and "http://b" in left_out[0]


def test_the_examples_whose_private_key_is_public_are_never_taken(left_out: list[str]) -> None:
    if not SHC.exists():
        pytest.skip("the health cards beside the project are not here")
    with pytest.raises(SourceError):
        read_issuers([SHC], ["https://spec.smarthealth.cards/examples/issuer"], left_out.append)
    assert "private key is public" in left_out[0]


# revocations


def test_revoked_certificates(tmp_path: Path, left_out: list[str]) -> None:
    uvci = "URN:UVCI:01:XX:DEMO0001#K"
    digest = hashlib.sha256(uvci.encode()).hexdigest()[:32]
    lines = ["# of last week", "", uvci, digest.upper(), "01:YY:22  # a note", "no uvci", "<b>", "a" * 81]
    path = write(tmp_path, "revoked.txt", "\n".join(lines).encode())
    found = read_revoked([path], left_out.append)
    assert found == (digest, hashlib.sha256(b"01:YY:22").hexdigest()[:32])
    assert [sentence.split(":")[1] for sentence in left_out] == ["6", "7", "8"]
    assert not any("uvci" in sentence or "<b>" in sentence for sentence in left_out)
    with pytest.raises(SourceError, match="no text"):
        read_revoked([write(tmp_path, "x", b"\xff\xfe")], left_out.append)
