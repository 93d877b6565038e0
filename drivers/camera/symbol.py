"""What is the same in every QR of a size: eyes, timing lines, alignment patterns (ISO/IEC 18004, section 6.3 and annex E)."""

from functools import cache

import numpy as np
import numpy.typing as npt

UNKNOWN, LIGHT, DARK = -1, 0, 1
Pattern = npt.NDArray[np.int8]


def side(version: int) -> int:
    """Modules across."""
    return 17 + 4 * version


@cache
def fixed_modules(version: int) -> Pattern:
    """What is known beforehand of each module: LIGHT, DARK or UNKNOWN."""
    n = side(version)
    known = np.full((n, n), UNKNOWN, np.int8)
    timing = np.arange(8, n - 8) % 2 == 0
    known[6, 8 : n - 8] = known[8 : n - 8, 6] = timing
    places = _alignment(version)
    for row in places:
        for column in places:
            if (row, column) not in {(6, 6), (6, places[-1]), (places[-1], 6)}:
                known[row - 2 : row + 3, column - 2 : column + 3] = _rings(2)
    for top, left in ((0, 0), (0, n - 7), (n - 7, 0)):
        framed = known[max(0, top - 1) : top + 8, max(0, left - 1) : left + 8]
        framed[:] = LIGHT
        known[top : top + 7, left : left + 7] = _rings(3)
    known[n - 8, 8] = DARK
    known.flags.writeable = False
    return known


def _rings(radius: int) -> Pattern:
    """Squares in squares: dark but for the second ring from outside."""
    away = np.abs(np.arange(-radius, radius + 1))
    ring = np.maximum(away[:, None], away[None, :])
    return np.where(ring == radius - 1, LIGHT, DARK).astype(np.int8)


def _alignment(version: int) -> list[int]:
    if version == 1:
        return []
    count = version // 7 + 2
    step = 26 if version == 32 else (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    return [6, *(version * 4 + 10 - step * k for k in range(count - 2, -1, -1))]
