"""The score: what it counts, and that nothing in a collection stops it."""

import base64
import csv
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bench.score.dcc import cases
from bench.score.scoring import Case, Score, Unreadable, score
from central.trust.certificates import signer
from sync.contract.cose import ALG, ES256, KEY_ID
from sync.errors import CredentialRefused
from tests.eu_certificates import DAY_S, KEY, NOW_S, OTHER, TEST, claims, content, cose_object, pack

COLUMNS = ("file", "expected_decision", "check_times", "check_key_usage", "validation_clock", "defective_decision")
CLOCK = "2022-03-01T12:00:00Z"


@cache
def issuer(key: ec.EllipticCurvePrivateKey = KEY, usages: tuple[str, ...] = ()) -> bytes:
    """Its certificate, always the same one: its key id is over its own signature too."""
    name = x509.Name([])
    begins = datetime.fromtimestamp(NOW_S, UTC) - timedelta(days=400)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + timedelta(days=1500))
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(map(x509.ObjectIdentifier, usages)), critical=False)
    return builder.sign(key if isinstance(key.curve, ec.SECP256R1) else KEY, SHA256()).public_bytes(Encoding.DER)


def text_of(certificate: bytes, health: object = None, key: ec.EllipticCurvePrivateKey = KEY, **changes: object) -> str:
    kid = bytes.fromhex(signer(certificate, "").kid)
    return pack(cose_object(cbor2.dumps(claims(health, **changes)), key, protected={ALG: ES256, KEY_ID: kid}))


def collect(folder: Path, *rows: tuple[str, str, object], **changes: str) -> Score:
    """The score of a folder with these (file, expected, content); content None = no such file. `changes`: of all rows."""
    with (folder / "MANIFEST.csv").open("w", newline="") as lines:
        table = csv.DictWriter(lines, [*COLUMNS, "licence"], restval="")
        table.writeheader()
        usual = {"check_times": "1", "check_key_usage": "1", "validation_clock": CLOCK}
        for file, expected, held in rows:
            table.writerow({"file": file, "expected_decision": expected} | usual | changes)
            if held is not None:
                path = folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(held if isinstance(held, str) else json.dumps(held))
    return score(cases(folder))


def held(text: str, certificate: bytes | None = None) -> dict[str, object]:
    encoded = base64.b64encode(issuer() if certificate is None else certificate).decode()
    return {"PREFIX": text, "TESTCTX": {"CERTIFICATE": encoded}}


def test_decisions_and_what_is_said_of_them(tmp_path: Path) -> None:
    good, forged = text_of(issuer()), text_of(issuer(), key=OTHER)
    total = collect(
        tmp_path,
        ("XX/good.json", "accept", held(good)),
        ("XX/forged.json", "reject", held(forged)),
        ("XX/no.json", "reject", held(good)),
        ("YY/yes.json", "accept", held(forged)),
        ("YY/what.json", "maybe", held(good)),
    )
    assert (total.files, total.agree) == (5, 2)
    assert total.disagree == [
        "XX/no.json: expected reject got accept",
        "YY/yes.json: expected accept got reject (bad-signature)",
        "YY/what.json: expected maybe got accept",
    ]


@pytest.mark.parametrize(
    ("changes", "asserts", "expected"),
    [
        ({"exp": NOW_S - DAY_S // 2}, {}, "reject (expired)"),
        ({"exp": NOW_S - DAY_S // 2}, {"check_times": "0", "validation_clock": ""}, "accept"),
        ({"exp": NOW_S - DAY_S // 2}, {"validation_clock": "2022-02-28T18:00:00.9906293Z"}, "accept"),
        ({"health": content("t", TEST)}, {}, "reject (key-usage)"),
        ({"health": content("t", TEST)}, {"check_key_usage": "0"}, "accept"),
        ({}, {"validation_clock": "noon"}, "no decision (no clock to check its times by: Invalid isoformat string: 'noon')"),
    ],
)  # fmt: skip
def test_only_what_a_file_asserts_is_checked(
    tmp_path: Path, changes: dict[str, object], asserts: dict[str, str], expected: str
) -> None:
    certificate = issuer(usages=("1.3.6.1.4.1.1847.2021.1.2",))
    total = collect(tmp_path, ("a.json", "nothing", held(text_of(certificate, **changes), certificate)), **asserts)
    assert total.disagree == [f"a.json: expected nothing got {expected}"]


def test_what_is_stated_is_no_part_of_the_decision_and_is_remarked_on(tmp_path: Path) -> None:
    nothing = text_of(issuer(), content(v=None))
    total = collect(tmp_path, ("XX/DGC1.json", "accept", held(nothing)), check_key_usage="0")
    assert total.disagree == []
    assert list(total.remarks) == ["XX: a gate would refuse what it states (no-statement)"]


def test_a_defective_file_is_listed_and_not_scored(tmp_path: Path) -> None:
    total = collect(tmp_path, ("a.json", "accept", None), defective_decision="its key is on P-384")
    assert (total.files, total.agree, total.disagree) == (0, 0, [])
    assert total.defective == ["a.json: its key is on P-384"]


@pytest.mark.parametrize(
    ("content_of_file", "complaint"),
    [
        (None, "No such file"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ([], "not a JSON object"),
        ({}, "PREFIX is missing"),
        ({"PREFIX": 1}, "PREFIX is missing"),
        ({"PREFIX": text_of(issuer())}, "reject (unknown-key: TESTCTX.CERTIFICATE is missing)"),
        ({"PREFIX": "HC1:"}, "reject (not-zlib)"),
        ({"PREFIX": "HC1:", "TESTCTX": {"CERTIFICATE": "*"}}, "reject"),
    ],
)
def test_what_cannot_be_decided_is_a_disagreement(tmp_path: Path, content_of_file: object, complaint: str) -> None:
    (disagreement,) = collect(tmp_path, ("XX/a.json", "accept", content_of_file)).disagree
    assert disagreement.startswith("XX/a.json: expected accept got ")
    assert complaint in disagreement


@pytest.mark.parametrize("context", [{}, {"TESTCTX": {}}, {"TESTCTX": {"CERTIFICATE": None}}])
def test_without_a_certificate_nobody_is_trusted(tmp_path: Path, context: dict[str, object]) -> None:
    assert collect(tmp_path, ("a.json", "reject", {"PREFIX": text_of(issuer()), **context})).agree == 1


def test_a_certificate_that_the_office_refuses_is_not_trusted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    p384 = issuer(ec.generate_private_key(ec.SECP384R1()))
    (disagreement,) = collect(tmp_path, ("a.json", "accept", held(text_of(issuer()), p384))).disagree
    assert disagreement.endswith("got reject (unknown-key)")
    assert "only P-256" in capfd.readouterr().err


def test_a_certificate_in_pem(tmp_path: Path) -> None:
    pem = x509.load_der_x509_certificate(issuer()).public_bytes(Encoding.PEM).decode()
    whole = {"PREFIX": text_of(issuer()), "TESTCTX": {"CERTIFICATE": pem}}
    assert collect(tmp_path, ("a.json", "accept", whole)).agree == 1


def test_base45_stands_in_for_a_missing_prefix(tmp_path: Path) -> None:
    whole = held(text_of(issuer()))
    whole["BASE45"] = str(whole.pop("PREFIX"))[4:]
    assert collect(tmp_path, ("a.json", "accept", whole)).agree == 1


def test_attacks(tmp_path: Path) -> None:
    ours, theirs = issuer(), issuer(OTHER)
    attacks = tmp_path / "_attacks"
    attacks.mkdir()
    good = {"id": "good", "expect": "accept", "clock": CLOCK, "text": text_of(ours)}
    entries = [
        good,
        good | {"id": "late", "expect": "reject", "clock": "2032-01-01T00:00:00Z"},
        good | {"id": "empty", "expect": "reject", "text": text_of(ours, content(v=None))},
        good | {"id": "missed", "text": "hc1:"},
        {"id": "hollow", "expect": "accept"},
        "no object",
    ]
    (attacks / "hc1_attacks.json").write_text(json.dumps(entries))
    listed = {signer(each, "").kid: [base64.b64encode(each).decode()] for each in (ours, theirs)}
    (attacks / "trust.json").write_text(json.dumps(listed))
    total = collect(tmp_path)
    assert (total.files, total.agree) == (6, 3)
    assert total.disagree == [
        "_attacks/hc1_attacks.json#missed: expected accept got reject (wrong-prefix)",
        "_attacks/hc1_attacks.json#hollow: expected accept got no decision (it has no text)",
        "_attacks/hc1_attacks.json#5: expected nothing got no decision (it has no text)",
    ]


@pytest.mark.parametrize("attacks", ["{", "{}", "[]"])
def test_broken_attacks_are_one_disagreement(tmp_path: Path, attacks: str) -> None:
    (tmp_path / "_attacks").mkdir()
    (tmp_path / "_attacks" / "hc1_attacks.json").write_text(attacks)  # and no trust.json
    (disagreement,) = collect(tmp_path).disagree
    assert disagreement.startswith("_attacks/hc1_attacks.json: expected attacks got no decision")


def test_a_gate_that_raises_is_a_disagreement_and_the_next_is_decided() -> None:
    def raises() -> None:
        raise RuntimeError("a fault of ours")

    def rejects() -> None:
        raise CredentialRefused("expired")

    total = score(
        [
            Case(path="a", expected="reject", decide=raises),
            Case(path="b", expected="either", decide=rejects),
            Case(path="c", expected="either", decide=raises),
        ]
    )
    assert total.agree == 1
    assert total.disagree[0] == "a: expected reject got an error (RuntimeError: a fault of ours)"


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"MANIFEST\.csv"):
        list(cases(tmp_path))


def test_the_last_line_is_one_json_object(tmp_path: Path) -> None:
    collect(tmp_path, ("good.json", "accept", held(text_of(issuer()))), ("gone.json", "accept", None))
    command = [sys.executable, "-m", "bench.score", "dcc", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    counts = json.loads(done.stdout.splitlines()[-1])
    assert (counts["files"], counts["agree"], len(counts["disagree"]), counts["defective"]) == (2, 1, 1, [])
    nowhere = subprocess.run(
        [*command[:-1], str(tmp_path / "no")], capture_output=True, text=True, timeout=60, check=False
    )
    assert nowhere.returncode != 0 and "DATA=FOLDER" in nowhere.stderr and not nowhere.stdout
