"""A shape for every word that has a colour: nothing on the pages is told by colour alone.

Each is an SVG path in a square of 16 × 16, drawn in the text's colour, even-odd filled.
"""

from collections.abc import Mapping

_CIRCLE = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z"
_RING = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z"
_SQUARE = "M2 2h12v12H2z"
_TRIANGLE = "M8 1l7.5 14H.5z"
_DIAMOND = "M8 0l8 8-8 8-8-8z"
_TICK = "M6 14.5L0.5 8.6l2.2-2.1L6 10.1 13.3 1.5l2.2 2z"
_CROSS = "M2.6.5L8 5.9 13.4.5l2.1 2.1L10.1 8l5.4 5.4-2.1 2.1L8 10.1l-5.4 5.4-2.1-2.1L5.9 8 .5 2.6z"
_MARK = "M6.3 0h3.4l-.5 10H6.8zM8 11.5a2.1 2.1 0 1 1 0 4.2 2.1 2.1 0 0 1 0-4.2z"
_PERSON = "M8 0a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM1 16c0-4.5 3-7 7-7s7 2.5 7 7z"
_BAR = "M1 6h14v4H1z"
_CLOCK = "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM7 3h2v5h4v2H7z"
_ONE = "M8 2l7 8H1z"
_TWO = "M8 0l7 7H1zM8 7l7 8H1z"
_THREE = "M8 0l6 5H2zM8 5l6 5H2zM8 10l6 5H2z"
_FLAG = "M2 0h1.6v16H2zM4.4 1l9.6 4-9.6 4z"
_WARNING = "M8 .5l7.9 14.8H.1zM7 5.5l.3 5h1.4l.3-5zm1 6a1.1 1.1 0 1 0 0 2.2 1.1 1.1 0 0 0 0-2.2z"

SHAPES: Mapping[str, Mapping[str, str]] = {
    "pass_type": {"resident": _CIRCLE, "tenant": _SQUARE, "returnee": _TRIANGLE, "visitor": _DIAMOND},
    "health_code": {"green": _TICK, "yellow": _MARK, "red": _CROSS},
    "outcome": {
        "granted": _TICK,
        "denied": _CROSS,
        "referred": _PERSON,
        "abandoned": _RING,
        "unreadable": _MARK,
    },
    "fullness": {"room": _TICK, "nearly": _MARK, "full": _CROSS, "unlimited": _RING},
    "online": {"online": _CIRCLE, "offline": _CROSS, "pending": _MARK},
    "alarm_state": {
        "new": _WARNING,
        "over": _RING,
        "acknowledged": _TICK,
        "over-open": _CLOCK,
        "closed": _BAR,
        "unanswered": _PERSON,
        "visit-ended": _SQUARE,
        "passed": _DIAMOND,
    },
    "door": {
        "locked": _SQUARE,
        "committing": _CLOCK,
        "released": _CIRCLE,
        "open": _RING,
        "held_open": _MARK,
        "forced": _WARNING,
        "free": _DIAMOND,
        "locked_down": _BAR,
        "fault": _CROSS,
    },
    "device_state": {"starting": _RING, "ok": _TICK, "stale": _MARK, "lost": _CROSS},
    "drill": {"planned": _RING, "running": _CIRCLE, "over": _BAR},
    "exercise": {"drill": _FLAG},
    "step": {"done": _TICK, "waiting": _RING, "never": _BAR},
    "shift": {
        "begun": _CIRCLE,
        "handed-over": _DIAMOND,
        "ended": _SQUARE,
        "present": _TICK,
        "absent": _CROSS,
    },
    "presence": {"there": _TICK, "missed": _CROSS, "nobody": _MARK},
    "on_duty": {"now": _CIRCLE, "over": _BAR, "later": _RING},
    "roster": {"nobody": _CROSS, "gap": _WARNING, "ends": _BAR, "overlap": _TWO, "twice": _PERSON, "rest": _CLOCK},
    "level": {"louder": _ONE, "duty-room": _TWO, "leader": _THREE},
    "leader": {"uninstructed": _MARK},
    "registration": {"waiting": _MARK, "approved": _TICK, "refused": _CROSS, "lapsed": _RING, "over": _BAR},
    "passed": {"yes": _TICK, "no": _BAR},
    "whole": {"yes": _TICK, "no": _WARNING},
    "clock": {"yes": _TICK, "no": _MARK},
}


def shape(table: str, value: str) -> str:
    """The path of the shape; "" where a value has none."""
    return SHAPES.get(table, {}).get(value, "")
