"""Text from outside, made harmless before it is kept for search or shown, at the gate and in the office."""

import unicodedata

_MARK = "\N{REPLACEMENT CHARACTER}"
_BAD = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def harmless(text: object, limit: int = 200) -> str:
    """`text` on one line of at most `limit` characters, with every control, format (bidirectional, zero-width),
    surrogate, private and unassigned character replaced by a visible mark. HTML is the template engine's business."""
    raw = str(text)
    if len(raw) <= limit and raw.isprintable():  # as nearly every text: no look at each character
        return raw
    short = raw[:limit]
    clean = "".join(_MARK if unicodedata.category(char) in _BAD else char for char in short)
    return clean if len(raw) <= limit else clean[: limit - 1] + "…"
