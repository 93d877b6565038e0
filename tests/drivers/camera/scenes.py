"""Drawn scenes without a code, each of something that a search for codes may take for one."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np

from drivers.camera.frames import Gray

Drawing = Callable[[int, int], Gray]


def noisy(scene: np.ndarray[Any, Any], seed: int) -> Gray:
    """With a sensor's noise."""
    return np.clip(scene + np.random.default_rng(seed).normal(0, 3, scene.shape), 0, 255).astype(np.uint8)


def wall(width: int, height: int, shade: int = 120) -> Gray:
    """Light from one side on nothing."""
    return np.tile(np.linspace(shade - 20, shade + 20, width).astype(np.uint8), (height, 1))


def _words(scene: Gray, part: tuple[int, int, int, int], size: float, shade: int) -> None:
    dice = np.random.default_rng(1)
    left, top, right, bottom = part
    for line in range(top + int(30 * size), bottom, int(34 * size)):
        at = left
        while at < right - int(70 * size):
            word = "".join(map(chr, dice.integers(97, 123, dice.integers(2, 6))))
            cv2.putText(scene, word, (at, line), 0, size, shade, 1 if size < 0.6 else 2, cv2.LINE_AA)
            at += cv2.getTextSize(word, 0, size, 2)[0][0] + int(14 * size)


def page(width: int, height: int) -> Gray:
    """A printed page, held up."""
    scene = wall(width, height)
    cv2.rectangle(scene, (250, 30), (700, height - 30), 235, -1)
    _words(scene, (275, 50, 680, height - 50), 0.7, 30)
    return scene


def screen(width: int, height: int) -> Gray:
    """A dark screen with light text."""
    scene = wall(width, height)
    cv2.rectangle(scene, (150, 80), (780, 540), 20, -1)
    _words(scene, (165, 90, 770, 530), 0.4, 200)
    return scene


def face(width: int, height: int) -> Gray:
    """A face, soft as a camera gives one."""
    scene = wall(width, height)
    cv2.ellipse(scene, (480, 270), (125, 165), 0, 0, 360, 40, -1)
    cv2.ellipse(scene, (480, 310), (105, 145), 0, 0, 360, 170, -1)
    for x in (438, 522):
        cv2.ellipse(scene, (x, 285), (20, 11), 0, 0, 360, 230, -1)
        cv2.circle(scene, (x, 285), 9, 30, -1)
        cv2.ellipse(scene, (x, 262), (26, 5), 0, 0, 360, 50, -1)
    cv2.ellipse(scene, (480, 382), (40, 11), 0, 0, 360, 90, -1)
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), 2), np.uint8)


def _shirt(width: int, height: int, pattern: Gray) -> Gray:
    worn = cv2.ellipse(np.zeros((height, width), np.uint8), (480, 500), (220, 320), 0, 0, 360, 1, -1)
    return np.where(worn > 0, pattern, wall(width, height)).astype(np.uint8)


def stripes(width: int, height: int) -> Gray:
    """A striped shirt."""
    return _shirt(width, height, np.tile(np.where(np.arange(width) // 9 % 2, 200, 50).astype(np.uint8), (height, 1)))


def checks(width: int, height: int) -> Gray:
    """A checked shirt."""
    down, across = np.mgrid[:height, :width] // 18
    return _shirt(width, height, np.where((down + across) % 2, 200, 50).astype(np.uint8))


def bricks(width: int, height: int) -> Gray:
    """A brick wall."""
    dice, scene = np.random.default_rng(2), np.full((height, width), 180, np.uint8)
    for row, top in enumerate(range(0, height, 24)):
        for left in range(-30 * (row % 2), width, 60):
            cv2.rectangle(scene, (left, top), (left + 56, top + 20), int(dice.integers(60, 120)), -1)
    return scene


def leaves(width: int, height: int) -> Gray:
    """A bush."""
    dice, scene = np.random.default_rng(3), wall(width, height)
    for _ in range(1500):
        at = tuple(dice.normal((480, 330), (130, 120)).astype(int).tolist())
        size = (int(dice.integers(6, 26)), int(dice.integers(3, 13)))
        cv2.ellipse(scene, at, size, float(dice.integers(0, 180)), 0, 360, int(dice.integers(20, 200)), -1)
    return scene


def windows(width: int, height: int) -> Gray:
    """A house front: dark squares on light, at the corners of squares."""
    dice, scene = np.random.default_rng(4), np.full((height, width), 190, np.uint8)
    for top in range(50, height - 60, 90):
        for left in range(60, width - 60, 80):
            cv2.rectangle(scene, (left, top), (left + 45, top + 50), int(dice.integers(20, 70)), -1)
            cv2.rectangle(scene, (left + 4, top + 4), (left + 41, top + 46), int(dice.integers(60, 150)), 2)
    return scene


def modules(width: int, height: int) -> Gray:
    """Random modules with a light border, as a code without eyes (a Data Matrix, mosaic)."""
    scene = wall(width, height)
    cells = np.pad(np.random.default_rng(5).integers(0, 2, (45, 45)) * 255, 4, constant_values=255)
    scene[40:570, 200:730] = np.kron(cells, np.ones((10, 10)))
    return scene


WITHOUT_A_CODE: Mapping[str, Drawing] = {
    drawing.__name__: drawing for drawing in (page, screen, face, stripes, checks, bricks, leaves, windows, modules)
}
"""By name."""
