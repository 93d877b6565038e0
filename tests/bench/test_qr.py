"""How the bench of codes judges what was read."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.qr import Photograph, Score, judge, photographs, says
from tests.drivers.camera.pictures import drawn

BLANK = np.full((60, 60), 128, np.uint8)


def judged(texts: set[str], codes: int, *read: bytes, picture: np.ndarray = BLANK) -> Score:
    """The score of one photograph."""
    score = Score()
    judge(score, Photograph(Path("p.png"), "set", codes, frozenset(texts)), read, 1.0, picture)
    return score


def test_one_of_its_codes_with_exactly_its_text_is_found() -> None:
    assert judged({"a", "b"}, 2, b"b").found == 1
    assert judged({"a"}, 1, b"a ").found == 0
    assert judged({"a"}, 1).found == 0


def test_the_text_may_be_a_guess_at_the_encoding_but_not_at_the_bytes() -> None:
    assert says("é".encode(), frozenset({"é"}))
    assert says("é".encode(), frozenset({"é".encode().decode("latin-1")}))
    assert says("é".encode(), frozenset({"é".encode().decode("cp932")}))
    assert not says(b"e", frozenset({"é"}))


def test_what_the_manifest_contradicts_is_a_misread() -> None:
    assert len(judged({"a"}, 1, b"other").misreads) == 1
    assert len(judged({"a"}, 1, b"a", b"other").misreads) == 1
    assert judged({"a"}, 2, b"other").unverified == 1, "the text of the second code is not known"
    assert len(judged(set(), 0, b"other").false_positives) == 1


def test_what_zbar_reads_too_is_in_dispute() -> None:
    pytest.importorskip("pyzbar.pyzbar", reason="the zbar library is not installed", exc_type=ImportError)
    score = judged({"a"}, 1, b"on the picture", picture=drawn("on the picture"))
    assert (score.misreads, len(score.disputed), score.found) == ([], 1, 0)


def test_a_folder_without_a_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="name a folder with DATA=FOLDER"):
        photographs(tmp_path)
    (tmp_path / "MANIFEST.csv").write_text(
        'file,set,n_codes,expected_text\na/1.png,a,1,"' + json.dumps(["门神"]).replace('"', '""') + '"\n'
    )
    assert photographs(tmp_path) == [Photograph(tmp_path / "a/1.png", "a", 1, frozenset({"门神"}))]
