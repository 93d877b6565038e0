"""What the decoders read, each alone: plain codes, whatever is in them, and nothing where there is none."""

import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from drivers.camera.cascade import Cascade
from drivers.camera.decoders import FIRST, STAGES, Stage
from drivers.camera.finders import codes_of, find_eyes
from drivers.camera.frames import Gray
from drivers.camera.symbol import DARK, UNKNOWN, fixed_modules, side
from tests.drivers.camera.pictures import drawn

BLANK: Gray = np.full((40, 40), 128, np.uint8)
OTHERS = ("DataMatrix", "PDF417", "Aztec", "Code128")
TEXT = b"HTTPS://EXAMPLE.ORG/PASS/0123456789"


def read(picture: Gray) -> dict[bytes, str]:
    """What the whole cascade reads on a photograph, with whatever is installed."""
    notices: list[str] = []
    return Cascade(notices.append).read(picture, still=True).codes


def on_canvas(code: Gray, grey: int = 170) -> Gray:
    """With room about it."""
    return np.asarray(cv2.copyMakeBorder(code, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=grey), np.uint8)


def bent(picture: Gray, depth: float) -> Gray:
    """As on a can: every column moved down by how near the middle it is."""
    height, width = picture.shape
    down, across = np.mgrid[:height, :width].astype(np.float32)
    bow = np.float32(depth * height) * (1 - (2 * across / width - 1) ** 2)
    return np.asarray(cv2.remap(picture, across, down - bow, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def test_what_is_fixed_in_a_code_of_every_size_is_as_another_library_draws_it() -> None:
    for version in range(1, 41):
        theirs = np.array([[1 if dark else 0 for dark in row] for row in segno.make_qr("1", version=version).matrix])
        known = fixed_modules(version)
        assert known.shape == theirs.shape == (side(version), side(version))
        assert (known == theirs)[known != UNKNOWN].all(), version
        assert (known == DARK).sum() > 70


@pytest.mark.parametrize("stage", [FIRST, *STAGES], ids=lambda stage: stage.name)
def test_every_stage_reads_a_plain_code_and_nothing_where_there_is_none(stage: Stage) -> None:
    if stage.name == "pyzbar":
        pytest.importorskip("pyzbar.pyzbar", reason="the zbar library is not installed", exc_type=ImportError)
    decode = stage.load()
    picture = drawn("PLAIN")
    sight = decode(picture)
    assert [code.data for code in sight.codes] == [b"PLAIN"]
    box = sight.codes[0].box
    assert 0 <= box.left < box.right <= picture.shape[1] + 1
    assert 0 <= box.top < box.bottom <= picture.shape[0] + 1
    assert box.right - box.left > picture.shape[1] / 3, "in the picture's own pixels"
    assert decode(BLANK).codes == ()


@pytest.mark.parametrize("degrees", [0, 30, 77, 90, 135, 180, 250])
def test_turned(degrees: int) -> None:
    code = on_canvas(drawn(TEXT))
    height, width = code.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.7)
    assert list(read(np.asarray(cv2.warpAffine(code, turn, (width, height), borderValue=170), np.uint8))) == [TEXT]


@pytest.mark.parametrize("module_px", [2, 3])
def test_small(module_px: int) -> None:
    assert list(read(on_canvas(drawn(TEXT, module_px=module_px)))) == [TEXT]


def test_of_low_contrast_and_inverted_and_blurred() -> None:
    code = on_canvas(drawn(TEXT))
    assert list(read((110 + code // 12).astype(np.uint8))) == [TEXT]
    assert list(read((255 - code).astype(np.uint8))) == [TEXT]
    assert list(read(np.asarray(cv2.GaussianBlur(code, (0, 0), 3.5), np.uint8))) == [TEXT]


def test_uneven_light_on_a_small_code() -> None:
    code = drawn(TEXT, module_px=8).astype(np.float32)
    glare = np.linspace(0, 1, code.shape[1], dtype=np.float32)[None, :]
    small = cv2.resize(code * (1 - glare) + 240 * glare, None, fx=0.18, fy=0.18, interpolation=cv2.INTER_AREA)
    picture = small.astype(np.uint8)
    assert FIRST.load()(picture).codes == ()
    assert list(read(picture)) == [TEXT]


def test_bent_as_on_a_can_and_laid_flat() -> None:
    picture = bent(on_canvas(drawn(TEXT, module_px=8)), 0.13)
    assert FIRST.load()(picture).codes == ()
    assert read(picture) == {TEXT: "unwarped"}


def test_an_eye_that_runs_into_something_dark() -> None:
    code = drawn(TEXT, module_px=8)
    quiet = 20 + 4 * 8  # the sheet's margin and the code's own
    code[: quiet + 2, :] = 30
    code[:, : quiet + 2] = 30
    assert FIRST.load()(code).codes == ()
    assert list(read(code)) == [TEXT]


def test_several_pictures_that_are_each_too_poor_are_put_together() -> None:
    from drivers.camera.unwarp import Unwarper

    code = cv2.GaussianBlur(bent(on_canvas(drawn(TEXT, module_px=6)), 0.05), (0, 0), 1.5).astype(np.float32)
    together = alone = 0
    for seed in range(6):
        noise = np.random.default_rng(seed)
        unwarper = Unwarper()
        blots = [code.copy() for _ in range(5)]
        for picture in blots:
            for x, y in noise.integers(150, code.shape[0] - 165, (8, 2)):
                picture[y : y + 20, x : x + 20] = noise.choice((20, 240))
        pictures = [np.clip(picture, 0, 255).astype(np.uint8) for picture in blots]
        alone += any(Unwarper().read(picture)[0] for picture in pictures)
        together += any(unwarper.read(picture)[0] for picture in pictures)
    assert together > alone + 1


@pytest.mark.parametrize(
    "text, encoding",
    [
        ("门神出入证", None),
        ("门神 37.2 ℃", "utf-8"),
        ("门神出入证", "gb18030"),
        ("Zürich", "latin-1"),
    ],
)
def test_bytes_come_as_they_were_encoded(text: str, encoding: str | None) -> None:
    if encoding is None:
        picture, data = drawn(text), text.encode()
    else:
        code = segno.make_qr(text, encoding=encoding, eci=True)
        modules = np.array([[0 if dark else 255 for dark in row] for row in code.matrix_iter(border=4)], np.uint8)
        picture, data = np.kron(modules, np.ones((6, 6), np.uint8)), text.encode(encoding)
    assert list(read(picture)) == [data]
    assert list(read(bent(on_canvas(picture, 255), 0.1))) == [data], "whoever reads it"


def test_a_code_of_several_parts_is_what_its_part_holds_and_ends_no_decoder() -> None:
    """ZBar gives such a code an orientation that pyzbar does not know, and raises ValueError for (structured append)."""
    (part, *_) = segno.make_sequence("OF SEVERAL PARTS " * 6, symbol_count=3)
    modules = np.array([[0 if dark else 255 for dark in row] for row in part.matrix_iter(border=4)], np.uint8)
    picture = on_canvas(np.kron(modules, np.ones((4, 4), np.uint8)))
    for stage in (FIRST, *STAGES):
        if stage.name == "pyzbar":
            pytest.importorskip("pyzbar.pyzbar", reason="the zbar library is not installed", exc_type=ImportError)
        for code in stage.load()(picture).codes:
            assert code.data.startswith(b"OF SEVERAL PARTS ")
    assert len(read(picture)) == 1


@pytest.mark.parametrize("kind", ["micro", "datamatrix", "pdf417", "aztec", "code128"])
def test_what_is_another_kind_of_code_is_none(kind: str) -> None:
    if kind == "micro":
        matrix = segno.make_micro("12345", version="M3").matrix_iter(border=4)
        code = np.kron(
            np.array([[0 if dark else 255 for dark in row] for row in matrix], np.uint8), np.ones((8, 8), np.uint8)
        )
    else:
        formats = {name.lower(): getattr(zxingcpp.BarcodeFormat, name) for name in OTHERS}
        code = np.asarray(
            zxingcpp.write_barcode_to_image(zxingcpp.create_barcode("OTHER 12345", formats[kind]), scale=4)
        )
    assert read(on_canvas(np.asarray(code, np.uint8))) == {}


def test_a_code_in_a_very_large_picture_is_unwarped_in_its_own_pixels() -> None:
    code = bent(on_canvas(drawn(TEXT, module_px=24)), 0.1)
    picture = np.full((2_400, 3_840), 170, np.uint8)
    picture[300 : 300 + code.shape[0], 1_200 : 1_200 + code.shape[1]] = code
    (unwarped,) = [stage for stage in STAGES if stage.name == "unwarped"]
    (seen,) = unwarped.load()(picture).codes
    assert seen.data == TEXT
    x, y = seen.box.middle
    assert abs(x - 1_200 - code.shape[1] / 2) < 60
    assert abs(y - 300 - code.shape[0] / 2) < 120


def test_binary_content_survives() -> None:
    data = bytes(range(256))
    assert list(read(drawn(data))) == [data]


def test_noise_and_textures_hold_no_code() -> None:
    noise = np.random.default_rng(3)
    checks = np.kron(noise.integers(0, 2, (40, 40)) * 255, np.ones((8, 8))).astype(np.uint8)
    rings = np.full((360, 360), 200, np.uint8)
    for x, y in noise.integers(20, 340, (60, 2)):
        cv2.rectangle(rings, (int(x) - 14, int(y) - 14), (int(x) + 14, int(y) + 14), 30, 4)
        cv2.rectangle(rings, (int(x) - 5, int(y) - 5), (int(x) + 5, int(y) + 5), 30, -1)
    pictures = [noise.integers(0, 256, (240, 320)).astype(np.uint8), checks, rings]
    assert [read(picture) for picture in pictures] == [{}] * 3


def test_eyes_without_a_code_between_them_are_not_read() -> None:
    code = drawn(TEXT, module_px=8)
    empty = np.where(np.kron(np.pad(fixed_modules(3), 4, constant_values=0), np.ones((8, 8))) == DARK, 25, 215)
    assert len(find_eyes(code)) >= 3
    assert codes_of(find_eyes(code))
    assert read(empty.astype(np.uint8)) == {}


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_no_picture_makes_a_decoder_raise(picture: Gray) -> None:
    assert all(isinstance(code, bytes) for code in read(picture))


def test_the_library_still_tells_the_version_of_what_it_could_not_read() -> None:
    code = drawn(TEXT, module_px=8)
    code[130:190, 130:230] = 128
    found = zxingcpp.read_barcodes(code, return_errors=True)
    assert found
    assert all("Version" in (each.extra or {}) for each in found if each.position.top_left.x)
