"""The three square eyes of a QR: where they are, and which three belong to one code.

An eye is found by its shape, a dark stone in a light ring, and not by the run lengths of a line across it: it is found
in any direction, bent, and where its dark border runs into something else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from drivers.camera.frames import Box, Gray

Points = npt.NDArray[np.float32]
"""Points: n × 2, x before y, in pixels."""
Contour = Any
"""As OpenCV gives it: n × 1 × 2."""

BLOCKS = (31, 81)  # px: sides of the squares whose mean is the threshold; the larger for codes that fill the picture
_DARKER = 6  # grey levels below the mean that count as dark
_MOST_EYES = 14
_MOST_CODES = 6


@dataclass(frozen=True, slots=True)
class Eye:
    """A finder pattern: its middle, its side in pixels (seven modules), and the four corners of its outside."""

    middle: Points
    side: float
    corners: Points


@dataclass(frozen=True, slots=True)
class Code:
    """Three eyes that may be one code's: `n` modules across, as far as their size and distance tell."""

    corner: Eye
    right: Eye
    below: Eye
    n: float
    oddness: float  # how far from a square seen straight on

    @property
    def module_px(self) -> float:
        """The side of a module, px."""
        return (self.corner.side + self.right.side + self.below.side) / 21

    @property
    def box(self) -> Box:
        """What the code covers, the fourth corner guessed."""
        fourth = self.right.corners + (self.below.middle - self.corner.middle)
        points = np.vstack([self.corner.corners, self.right.corners, self.below.corners, fourth])
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return Box(int(left), int(top), int(right) + 1, int(bottom) + 1)


def find_eyes(gray: Gray, blocks: Sequence[int] = BLOCKS) -> list[Eye]:
    """The eyes in a picture, each once."""
    eyes: list[Eye] = []
    smooth = cv2.GaussianBlur(gray, (3, 3), 0.8)
    for block in blocks:
        dark = cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, _DARKER)
        for eye in _eyes(dark):
            if all(np.hypot(*(eye.middle - other.middle)) >= 0.3 * eye.side for other in eyes):
                eyes.append(eye)
    return eyes


def _eyes(dark: Any) -> Iterator[Eye]:
    contours, tree = cv2.findContours(dark, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    parents: list[int] = np.asarray(tree).reshape(-1, 4)[:, 3].tolist() if contours else []
    for stone, ring in enumerate(parents):
        if ring < 0 or parents[ring] < 0:
            continue
        eye = _eye(contours[stone], contours[ring], contours[parents[ring]])
        if eye is not None:
            yield eye


def _eye(stone: Contour, ring: Contour, border: Contour) -> Eye | None:
    """An eye of a stone (3 modules), the light ring about it (5) and its dark border (7), or None."""
    signed = cv2.contourArea(stone, True)
    if signed > -4:  # positive: this contour is a hole and no stone
        return None
    stone_area, ring_area = -signed, cv2.contourArea(ring)
    if not 0.15 < stone_area / max(ring_area, 1.0) < 0.75:  # 9 / 25 when drawn
        return None
    middle, (width, height), _ = cv2.minAreaRect(ring)
    if min(width, height) < 4 or max(width, height) > 2.5 * min(width, height) or ring_area < 0.5 * width * height:
        return None
    stone_middle, (stone_width, stone_height), _ = cv2.minAreaRect(stone)
    side = float(np.sqrt(ring_area))
    off = np.hypot(middle[0] - stone_middle[0], middle[1] - stone_middle[1])
    if off > 0.25 * side or stone_area < 0.4 * (stone_width * stone_height + 1):
        return None
    at = np.array(stone_middle, np.float32)
    border_area = cv2.contourArea(border)
    if 1.18 < border_area / ring_area < 4:  # 49 / 25 when drawn
        return Eye(at, float(np.sqrt(border_area)), _corners(border))
    return Eye(at, 1.4 * side, at + np.float32(1.4) * (_corners(ring) - at))


def _corners(contour: Contour) -> Points:
    hull = cv2.convexHull(contour)
    around = cv2.arcLength(hull, True)
    for coarse in (0.05, 0.08, 0.12):
        polygon = cv2.approxPolyDP(hull, coarse * around, True)
        if len(polygon) == 4:
            return np.asarray(polygon[:, 0, :], np.float32)
    return np.asarray(cv2.boxPoints(cv2.minAreaRect(hull)), np.float32)


def codes_of(eyes: Sequence[Eye]) -> list[Code]:
    """The threes that may be codes, the most regular first."""
    largest = sorted(eyes, key=lambda eye: -eye.side)[:_MOST_EYES]
    found = [code for three in permutations(largest, 3) if (code := _code(*three)) is not None]
    return sorted(found, key=lambda code: code.oddness)[:_MOST_CODES]


def _code(corner: Eye, right: Eye, below: Eye) -> Code | None:
    across, down = right.middle - corner.middle, below.middle - corner.middle
    if across[0] * down[1] <= across[1] * down[0]:  # mirrored
        return None
    sides = (corner.side, right.side, below.side)
    wide, high = float(np.hypot(*across)), float(np.hypot(*down))
    slant = abs(float(across @ down)) / (wide * high)
    if max(sides) > 2.2 * min(sides) or slant > 0.6 or max(wide, high) > 2.5 * min(wide, high):
        return None
    n = 7 + 7 * (wide / (corner.side + right.side) + high / (corner.side + below.side))
    if not 17 < n < 190:
        return None
    oddness = slant + abs(float(np.log(wide / high))) + float(np.log(max(sides) / min(sides)))
    return Code(corner, right, below, n, oddness)
