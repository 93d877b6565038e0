"""How many were inside over the day: a line of blocks for a terminal, or an SVG picture."""

from collections.abc import Sequence
from html import escape
from typing import Final

from gateway.rehearsal.day import DAY_MS, HOUR_MS

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
LINE: Final = 48  # one block for half an hour
WIDTH, HEIGHT, LEFT, BELOW = 960, 320, 56, 28
MARGIN: Final = 12
Inside = Sequence[tuple[int, int]]
"""How many, and since when (Unix ms), in order."""


def levels(inside: Inside, midnight_ms: int, parts: int) -> list[int]:
    """How many were inside at the end of each of so many parts of the day."""
    found, at, now = [], 0, 0
    for part in range(1, parts + 1):
        end = midnight_ms + DAY_MS * part // parts
        while at < len(inside) and inside[at][0] < end:
            now = inside[at][1]
            at += 1
        found.append(now)
    return found


def blocks(inside: Inside, midnight_ms: int) -> str:
    """A line of blocks, the lowest for nobody and the highest for the most of the day."""
    found = levels(inside, midnight_ms, LINE)
    most = max(*found, 1)
    return "".join(BLOCKS[max(level, 0) * (len(BLOCKS) - 1) // most] for level in found)


def svg(inside: Inside, midnight_ms: int, title: str, limit: int = 0) -> str:
    """The picture; `limit`: a line for how many may be inside, 0 for none. Text and line say it, not colour alone."""
    found = levels(inside, midnight_ms, 24 * 12)
    most = max(*found, limit, 1)
    points = " ".join(f"{_x(at / len(found)):.1f},{_y(level / most):.1f}" for at, level in enumerate(found, 1))
    hours = "".join(
        f'<text x="{_x(hour / 24):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{hour:02d}:00</text>'
        for hour in range(0, 25, DAY_MS // HOUR_MS // 8)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
        f"<title>{escape(title)}</title><rect width='100%' height='100%' fill='white'/>"
        f'<text x="{LEFT}" y="{MARGIN + 2}">{escape(title)}</text>'
        f"{_mark(0, most)}{_mark(most, most)}{_limit(limit, most)}{hours}"
        f'<polyline points="{points}" fill="none" stroke="#1a4d80" stroke-width="2"/></svg>\n'
    )


def _mark(level: int, most: int) -> str:
    y = _y(level / most)
    line = f'<line x1="{LEFT}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#bbb"/>'
    return f'{line}<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{level}</text>'


def _limit(limit: int, most: int) -> str:
    if not limit:
        return ""
    y = _y(limit / most)
    line = f'<line x1="{LEFT}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#a00" stroke-dasharray="6 4"/>'
    return f'{line}<text x="{WIDTH - MARGIN}" y="{y - 4:.1f}" text-anchor="end">limit {limit}</text>'


def _x(part: float) -> float:
    return LEFT + part * (WIDTH - LEFT - MARGIN)


def _y(part: float) -> float:
    return HEIGHT - BELOW - max(0.0, part) * (HEIGHT - BELOW - 2 * MARGIN)
