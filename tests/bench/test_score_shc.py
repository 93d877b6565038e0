"""The score of SMART Health Cards: the real files, and a folder with everything that can be wrong."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.score import shc
from bench.score.scoring import Score, Unreadable, score
from tests.health_cards import CLINIC, NOW_S, CardIssuer, digits, mirrored, patient

DATA = Path("../shared/data/shc")
EXAMPLE = CardIssuer(CLINIC.key, shc.EXAMPLE_ISSUER)
CARD = EXAMPLE.jws(patient())
LATE = EXAMPLE.jws(patient(), exp=NOW_S - 1)
LOST = EXAMPLE.jws(patient(), vc_rid="lost")


def file_of(*cards: object) -> str:
    return json.dumps({"verifiableCredential": list(cards)}, indent=2)


def scored(folder: Path, files: Mapping[str, tuple[str, str]], clock: str = str(NOW_S)) -> Score:
    """The score of files, each with what is expected of it."""
    trust = folder / "trust"
    (trust / "crl").mkdir(parents=True)
    key = EXAMPLE.listed
    jwk = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.kid, "x": key.x, "y": key.y}
    (trust / "jwks.json").write_text(json.dumps({"keys": [jwk | {"crlVersion": 1}, jwk | {"kid": "x"}]}))
    (trust / "crl" / "one.json").write_text(
        json.dumps({"kid": key.kid, "method": "rid", "ctr": 1, "rids": ["lost", "late.1"]})
    )
    with (folder / "MANIFEST.csv").open("w", newline="") as manifest:
        writer = csv.writer(manifest)
        writer.writerow(["file", "clock", "expected", "note"])
        for name, (content, expected) in files.items():
            writer.writerow([name, clock, expected, ""])
            if content != "missing":
                (folder / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    return score(shc.cases(folder))


def test_every_kind_of_file(tmp_path: Path) -> None:
    total = scored(
        tmp_path,
        {
            "jws.txt": (CARD, "accept"),
            "mirrored.txt": (mirrored(CARD), "accept"),
            "numeric.txt": (digits(CARD), "accept"),
            "single.txt": (digits(CARD).replace("shc:/", "shc:/1/1/"), "accept"),
            "one.smart-health-card": (file_of(CARD), "accept"),
            "two.smart-health-card": (f" \n{file_of(CARD, mirrored(CARD))}\n", "accept"),
            "other.extension": (file_of(CARD), "either"),
            "late.txt": (LATE, "either"),
            "lost.txt": (LOST, "reject"),
            "one-late.smart-health-card": (file_of(CARD, LATE), "reject"),
            "late-first.smart-health-card": (file_of(LATE, CARD), "reject"),
            "empty.smart-health-card": (file_of(), "reject"),
            "number.smart-health-card": (file_of(7), "reject"),
            "surrogate.smart-health-card": ('{"verifiableCredential":["\\ud800"]}', "reject"),
            "not-json.smart-health-card": ("{", "reject"),
            "empty.txt": ("", "reject"),
            "spaces.txt": (f" {CARD} ", "reject"),
            "newline.txt": (digits(CARD) + "\n", "reject"),
            "spaces-before.txt": (" " + digits(CARD), "reject"),
            "capitals.txt": (digits(CARD).upper(), "reject"),
            "chunk.txt": (digits(CARD).replace("shc:/", "shc:/1/2/"), "reject"),
            "surrogate.txt": (digits(CARD) + "\ud800", "reject"),
        },
    )
    assert total.disagree == []
    assert total.files == total.agree == 22


def test_what_is_not_as_expected_is_named(tmp_path: Path) -> None:
    files = {
        "a.txt": (LATE, "accept"),
        "b.txt": (CARD, "reject"),
        "gone.txt": ("missing", "either"),
        "c.txt": (CARD, ""),
    }
    total = scored(tmp_path, files)
    assert total.agree == 0
    assert total.disagree[:2] == ["a.txt: expected accept got reject (expired)", "b.txt: expected reject got accept"]
    assert total.disagree[2].startswith("gone.txt: expected either got no decision (")
    assert total.disagree[3] == "c.txt: expected nothing got accept"


def test_a_row_without_a_clock_decides_nothing(tmp_path: Path) -> None:
    total = scored(tmp_path, {"a.txt": (CARD, "accept")}, clock="soon")
    assert len(total.disagree) == 1 and "no clock" in total.disagree[0]


def test_a_folder_without_keys(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text("file,clock,expected\n")
    with pytest.raises(Unreadable, match=r"jwks\.json"):
        list(shc.cases(tmp_path))
    with pytest.raises(Unreadable, match=r"MANIFEST\.csv"):
        list(shc.cases(tmp_path / "none"))


@pytest.mark.skipif(not DATA.exists(), reason="the test files of SMART Health Cards are not here (../shared/data/shc)")
def test_the_real_files() -> None:
    total = score(shc.cases(DATA))
    assert total.disagree == []
    assert total.agree == 22
