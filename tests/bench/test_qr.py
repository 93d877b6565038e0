"""How the bench of codes judges what was read."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import segno

from bench.qr import Photograph, Score, cascade_reader, judge, photographs, pyzbar_reader, says, zxing_reader
from tests.drivers.camera.pictures import drawn, save

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
    (tmp_path / "a").mkdir()
    save(BLANK, tmp_path / "a" / "1.png")
    (tmp_path / "MANIFEST.csv").write_text(
        'file,set,n_codes,expected_text\na/1.png,a,1,"' + json.dumps(["门神"]).replace('"', '""') + '"\n'
    )
    assert photographs(tmp_path) == [Photograph(tmp_path / "a/1.png", "a", 1, frozenset({"门神"}))]


HEAD = "file,set,n_codes,expected_text"


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "has no column expected_text, file, n_codes, set"),
        (b"file,set\n", "has no column expected_text, n_codes"),
        (HEAD.encode(), "names no photograph"),
        (HEAD.encode() + b"\n\xff,a,1,[]\n", "is no CSV in UTF-8"),
        (HEAD.encode() + b"\nno.png,a,1,[]\n", "line 2: there is no file .*no.png"),
        (HEAD.encode() + b"\nis.png,a,one,[]\n", "line 2: n_codes is a number"),
        (HEAD.encode() + b"\nis.png,a,1,{\n", "line 2: n_codes is a number and expected_text a JSON list"),
        (HEAD.encode() + b"\nis.png,a,1,[1]\n", "line 2: expected_text is a JSON list of texts"),
        (HEAD.encode() + b"\nis.png,a,1\nis.png\n", "line 3: n_codes is a number"),
    ],
)
def test_a_manifest_that_is_wrong_says_where(manifest: bytes, said: str, tmp_path: Path) -> None:
    save(BLANK, tmp_path / "is.png")
    (tmp_path / "MANIFEST.csv").write_bytes(manifest)
    with pytest.raises(SystemExit, match=said):
        photographs(tmp_path)


def test_names_and_a_manifest_from_elsewhere_are_taken(tmp_path: Path) -> None:
    (tmp_path / "门 神").mkdir()
    save(BLANK, tmp_path / "门 神" / "é.png")
    (tmp_path / "MANIFEST.csv").write_bytes(f"\ufeff{HEAD},more\r\n门 神\\é.png,,0,,x\r\n".encode())
    assert photographs(tmp_path) == [Photograph(tmp_path / "门 神" / "é.png", "", 0, frozenset())]


def test_a_code_of_several_parts_ends_no_reader() -> None:
    (part, *_) = segno.make_sequence("OF SEVERAL PARTS " * 6, symbol_count=3)
    modules = np.array([[0 if dark else 255 for dark in row] for row in part.matrix_iter(border=4)], np.uint8)
    picture = cv2.copyMakeBorder(
        np.kron(modules, np.ones((4, 4), np.uint8)), 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=170
    )
    assert pyzbar_reader()(np.asarray(picture, np.uint8)) == []
    assert cascade_reader()(np.asarray(picture, np.uint8)) == zxing_reader()(np.asarray(picture, np.uint8)) != []
