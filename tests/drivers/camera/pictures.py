"""Pictures for the camera's tests: drawn codes on disk, and the real photographs."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera.frames import Gray
from drivers.simulators.scene import qr_modules

PHOTOGRAPHS = Path(__file__).parents[4] / "shared" / "data" / "qr"


def drawn(*contents: str | bytes, module_px: int = 6) -> Gray:
    """Codes side by side on grey."""
    pictures = []
    for content in contents:
        modules = qr_modules(content.encode() if isinstance(content, str) else content)
        pictures.append(np.kron(modules, np.ones((module_px, module_px), np.uint8)))
    height = max(picture.shape[0] for picture in pictures) + 40
    width = sum(picture.shape[1] + 40 for picture in pictures)
    sheet = np.full((height, width), 170, np.uint8)
    left = 20
    for picture in pictures:
        sheet[20 : 20 + picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + 40
    return sheet


def save(picture: Gray, path: Path) -> None:
    """Write a picture file."""
    assert cv2.imwrite(str(path), picture)


def film(pictures: Sequence[Gray], path: Path, *, fps: float = 50) -> None:
    """Write a video file of pictures of one size."""
    height, width = pictures[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    assert writer.isOpened(), "this OpenCV writes no video"
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()


def expected_texts(file: str) -> list[str]:
    """What the manifest says is on a photograph. Skips the test when the photographs are not there."""
    texts: list[str] = next(json.loads(row["expected_text"]) for row in _manifest() if row["file"] == file)
    return texts


def without_codes() -> list[str]:
    """The photographs without a code. Skips the test when the photographs are not there."""
    return [row["file"] for row in _manifest() if row["n_codes"] == "0"]


def _manifest() -> list[dict[str, str]]:
    manifest = PHOTOGRAPHS / "MANIFEST.csv"
    if not manifest.is_file():
        pytest.skip(f"no photographs of codes in {PHOTOGRAPHS}")
    with manifest.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
