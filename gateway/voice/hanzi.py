"""Numbers in Hanzi: the Chinese voice reads them right, and digits not always ("36.5度" loses its 点)."""

import re
from typing import Final

_DIGITS: Final = "零一二三四五六七八九"
_PLACES: Final = ("", "十", "百", "千")
_NUMBER: Final = re.compile(r"(-?)(\d+)(?:\.(\d+))?", re.ASCII)


def numbers_in_hanzi(text: str) -> str:
    """The text with every number written out: "36.5度" → "三十六点五度". Beyond four digits they are read one by one."""
    return _NUMBER.sub(lambda match: _written(match[1], match[2], match[3] or ""), text)


def _written(sign: str, whole: str, fraction: str) -> str:
    point = f"点{_one_by_one(fraction)}" if fraction else ""
    return ("负" if sign else "") + (_counted(whole) if len(whole) <= 4 else _one_by_one(whole)) + point


def _one_by_one(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _counted(digits: str) -> str:
    number = str(int(digits))
    parts = [
        _DIGITS[int(digit)] + (_PLACES[place] if digit != "0" else "")
        for place, digit in zip(range(len(number) - 1, -1, -1), number, strict=True)
    ]
    text = re.sub("零+", "零", "".join(parts))
    text = text.rstrip("零") if len(number) > 1 else text
    return text.removeprefix("一") if text.startswith("一十") else text
