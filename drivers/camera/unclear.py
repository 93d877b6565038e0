"""Codes that a person sees and no decoder finds: too small, out of focus, smeared. They are looked for only to say so (hints.py).

Blur takes a code's modules away long before its shape: a square of blotchy grey beside a light border, darkest in three corners. So a
part of the picture that has edges is brought to many scales, at each compared with an eye as blur leaves one (normalised
correlation), and where three alike stand at corners of a square it is checked what lies beside and between them.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from drivers.camera.decoders import Unread
from drivers.camera.finders import Code, Eye, codes_of
from drivers.camera.frames import Box, Gray
from drivers.camera.symbol import LIGHT, fixed_modules

Laid = npt.NDArray[np.float32]
"""A code laid flat: a pixel a module, 0 as dark as its eyes' middles and 1 as light as its border; `_BESIDE` modules about it."""

MOST_PATCHES: Final = 3  # of one picture, the largest

_CELL_PX: Final = 8  # edges are looked for in a picture so much smaller
_EDGE: Final = 40  # grey levels between neighbouring cells
_LEAST_CELLS: Final = 6  # a patch is at least so wide and high, and
_LONGEST: Final = 2.2  # at most so many times longer than wide: a code in perspective, a telephone
_FULL: Final = 0.4  # of its bounding box, at least

_EYE_PX: Final = 11  # side of the eye with its light border, nine modules, at the scale where it is looked for
_EYE_BLUR: Final = 0.6  # modules: between a sharp eye and one of which hardly anything is left
_EYE_TURNS: Final = (0, 30, 60)  # degrees; an eye is the same after 90
_STEP: Final = 1.2  # from scale to scale
_AGAIN: Final = (1.15, 1.0, 0.87)  # of what they were, the modules when it is looked for again
_FEWEST, _MOST = 24, 160  # modules across the patch
_SMALLEST_PX: Final = 0.9  # a module that is smaller leaves nothing to see
_ALIKE: Final = 0.6  # correlation with the eye; a flat or striped patch comes to 0.5
_MOST_EYES: Final = 6  # of one scale
_MOST_CODES: Final = 16  # of one patch, the likeliest
_MARGIN: Final = 0.35  # about a code that is found again, of its side
_ODD: Final = 0.3  # `Code.oddness` up to which it is a square

_BESIDE: Final = 3  # modules
_CELL_SHARE: Final = 5  # so many cells across the code, of at least
_LEAST_CELL: Final = 4  # modules


def patches(gray: Gray) -> list[Box]:
    """The parts of a picture that are full of edges and about as wide as high, the largest first. Costs a tenth of reading it."""
    width = gray.shape[1]
    rows = np.ascontiguousarray(gray[_CELL_PX // 2 :: _CELL_PX])
    if not rows.size or width < _CELL_PX:
        return []
    small = cv2.resize(rows, (width // _CELL_PX, rows.shape[0]), interpolation=cv2.INTER_AREA)
    square = np.ones((3, 3), np.uint8)
    edges = (cv2.morphologyEx(small, cv2.MORPH_GRADIENT, square) > _EDGE).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(edges, cv2.MORPH_CLOSE, square))
    boxes = [
        _box(row[0], row[1], row[2], row[3], gray) for row in found[1:].tolist() if _like_a_code(row[2], row[3], row[4])
    ]
    return sorted(boxes, key=lambda box: (box.left - box.right) * (box.bottom - box.top))[:MOST_PATCHES]


def _like_a_code(wide: int, high: int, area: int) -> bool:
    short, long = min(wide, high), max(wide, high)
    return short >= _LEAST_CELLS and long < _LONGEST * short and area > _FULL * wide * high


def _box(left: int, top: int, wide: int, high: int, gray: Gray) -> Box:
    """A part of the small picture and a cell about it, in the picture's pixels."""
    edges = [_CELL_PX * edge for edge in (left - 1, top - 1, left + wide + 1, top + high + 1)]
    return Box(max(0, edges[0]), max(0, edges[1]), min(gray.shape[1], edges[2]), min(gray.shape[0], edges[3]))


def find(gray: Gray, patch: Box) -> Unread | None:
    """The code in this part of a picture, or None. Costs as much as reading ten pictures."""
    return _best(gray, patch, _scales(max(patch.right - patch.left, patch.bottom - patch.top)))


def find_again(gray: Gray, last: Unread) -> Unread | None:
    """The code that was here a moment ago, about as large as it was. Costs a third of that."""
    part = last.box.grown(_MARGIN)
    patch = Box(max(0, part.left), max(0, part.top), min(gray.shape[1], part.right), min(gray.shape[0], part.bottom))
    return _best(gray, patch, [last.module_px * by for by in _AGAIN])


def _scales(side: int) -> list[float]:
    """The modules, px, that a code in a patch of this side may have."""
    scales = [side / _FEWEST]
    while scales[-1] > max(_SMALLEST_PX, side / _MOST):
        scales.append(scales[-1] / _STEP)
    return scales[:-1]


def _best(gray: Gray, patch: Box, scales: Sequence[float]) -> Unread | None:
    cut = np.ascontiguousarray(gray[patch.top : patch.bottom, patch.left : patch.right])
    if min(cut.shape) < _LEAST_CELLS * _CELL_PX:
        return None
    likely = sorted(_likely(cut, scales), key=lambda each: -each[0])[:_MOST_CODES]
    code = next((code for _, code in likely if _is_code(cut, code)), None)
    return None if code is None else Unread(code.box.moved(patch.left, patch.top), code.module_px)


def _likely(cut: Gray, scales: Sequence[float]) -> Iterator[tuple[float, Code]]:
    """Threes of eyes at the corners of a square, with their mean correlation."""
    halves = [cut]
    while min(halves[-1].shape) > 4 * _EYE_PX:
        halves.append(_scaled(halves[-1], 0.5))
    for module_px in scales:
        alike = _eyes(halves, module_px)
        scores = {tuple(eye.middle.tolist()): score for eye, score in alike}
        for code in codes_of([eye for eye, _ in alike]):
            if code.oddness < _ODD:
                three = (code.corner, code.right, code.below)
                yield sum(scores[tuple(eye.middle.tolist())] for eye in three) / 3, code


def _eyes(halves: Sequence[Gray], module_px: float) -> list[tuple[Eye, float]]:
    """What is like an eye of such modules, with the correlation, the likest first. `halves`: the picture, half of it, …"""
    scale = _EYE_PX / 9 / module_px
    halved = max(
        0, min(len(halves) - 1, int(-np.log2(scale)))
    )  # the smallest that is large enough, which is quickly scaled
    small = _scaled(halves[halved], scale * 2**halved)
    if min(small.shape) < 2 * _EYE_PX:
        return []
    small = cv2.GaussianBlur(small, (3, 3), 0.5)
    by_eye = [cv2.matchTemplate(small, eye, cv2.TM_CCOEFF_NORMED) for eye in _drawn_eyes()]
    alike = np.stack(by_eye).max(axis=0)
    peaks = (alike == cv2.dilate(alike, np.ones((9, 9), np.uint8))) & (alike > _ALIKE)
    found = sorted(
        ((float(alike[row, column]), column, row) for row, column in np.argwhere(peaks).tolist()), reverse=True
    )
    return [(_eye((column, row), scale, module_px), score) for score, column, row in found[:_MOST_EYES]]


def _eye(at: tuple[int, int], scale: float, module_px: float) -> Eye:
    """The eye whose comparison began at this pixel of the scaled picture."""
    middle = ((np.array(at, np.float32) + _EYE_PX / 2) / scale - 0.5).astype(np.float32)
    corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1)), np.float32) * 3.5 * module_px
    return Eye(middle, 7 * module_px, (middle + corners).astype(np.float32))


@cache
def _drawn_eyes() -> tuple[Gray, ...]:
    """An eye with its light border as blur leaves it, in some directions."""
    fine, around = 16, 10  # pixels a module, modules about it
    light = np.pad((fixed_modules(1)[:7, :7] == LIGHT).astype(np.float32), around, constant_values=1)
    large = light.repeat(fine, axis=0).repeat(fine, axis=1)
    side, edge = large.shape[0], (around - 1) * fine
    eyes = []
    for turn in _EYE_TURNS:
        turned = cv2.warpAffine(
            large, cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), turn, 1), (side, side), borderValue=1.0
        )
        soft = cv2.GaussianBlur(turned, (0, 0), _EYE_BLUR * fine)[edge:-edge, edge:-edge]
        eyes.append((cv2.resize(soft, (_EYE_PX, _EYE_PX), interpolation=cv2.INTER_AREA) * 200 + 20).astype(np.uint8))
    return tuple(eyes)


def _scaled(gray: Gray, by: float) -> Any:
    return cv2.resize(gray, None, fx=by, fy=by, interpolation=cv2.INTER_AREA if by < 1 else cv2.INTER_LINEAR)


# what lies beside and between the eyes; the bounds are about twice as wide as what drawn codes come to (docs/camera.md)


def _is_code(cut: Gray, code: Code) -> bool:
    laid = _laid(cut, code)
    return laid is not None and _bordered(laid) and _blotchy(laid[_BESIDE:-_BESIDE, _BESIDE:-_BESIDE])


def _laid(cut: Gray, code: Code) -> Laid | None:
    """The code laid flat by its three eyes, or None when these are not dark alike."""
    part = code.box.grown(0.1)
    left, top = max(0, part.left), max(0, part.top)
    near = cut[top : part.bottom, left : part.right]
    if min(near.shape) < 2 * _LEAST_CELL * code.module_px:
        return None
    n, scale = round(code.n), 1 / code.module_px
    three = np.array([eye.middle for eye in (code.corner, code.right, code.below)])
    first, last = _BESIDE + 3, _BESIDE + n - 4  # the modules in the middle of an eye
    to = np.array(((first, first), (last, first), (first, last)), np.float32)
    plane = cv2.getAffineTransform(((three - (left, top) + 0.5) * scale - 0.5).astype(np.float32), to)
    side = n + 2 * _BESIDE
    flat = cv2.warpAffine(_scaled(near, scale), plane, (side, side), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    darks = [float(flat[y - 1 : y + 2, x - 1 : x + 2].mean()) for x, y in to.astype(int).tolist()]
    dark = sum(darks) / 3
    contrast = float(np.median(_border(flat))) - dark
    if contrast < 20 or max(darks) - min(darks) > 0.25 * contrast:
        return None
    return np.asarray((flat - dark) / contrast, np.float32)


def _border(laid: Laid) -> Laid:
    """What is beside the two edges between eyes, two modules away; where the others are depends on the perspective."""
    return np.stack([laid[1, _BESIDE:-_BESIDE], laid[_BESIDE:-_BESIDE, 1]])


def _bordered(laid: Laid) -> bool:
    """Whether it is light all along there."""
    border = _border(laid)
    return bool(np.min(border.mean(axis=1)) > 0.85 and np.max(border.std(axis=1)) < 0.16)


def _blotchy(modules: Laid) -> bool:
    """Whether it is grey between the eyes, everywhere about the same, and nowhere quite even: text has gaps, a pattern repeats."""
    n = modules.shape[0]
    side = max(_LEAST_CELL, n // _CELL_SHARE)
    starts = range(0, n - side + 1, side)
    cells = [
        modules[top : top + side, left : left + side]
        for top in starts
        for left in starts
        if top + left <= 1.3 * n - side and not _has_eye(top, left, side, n)
    ]
    if not cells:
        return False
    means, spreads = np.array([cell.mean() for cell in cells]), np.array([cell.std() for cell in cells])
    even = means.max() - means.min() > 0.05 and means.min() > 0.06 and means.max() < 0.68
    return bool(even and 0.12 < means.mean() < 0.5 and spreads.min() > 0.1)


def _has_eye(top: int, left: int, side: int, n: int) -> bool:
    above, before = top < 8, left < 8
    return (above and before) or (above and left + side > n - 8) or (before and top + side > n - 8)
