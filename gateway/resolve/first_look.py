"""The first look at a scanned text, before anything takes it apart: what no honest code is like, each with its own word.

    empty               nothing
    too-long            more than a QR can hold
    control-characters  C0 and C1 controls, line and paragraph separators, bidirectional marks, lone surrogates
    look-alike          begins like a kind of ours to the eye and not to the machine: full-width or Cyrillic letters, another
                        case, something invisible between them

Ordinary codes are none of these, however unknown they are: `_ORDINARY` are the controls that codes on goods and visiting
cards have. Behind a beginning of ours nothing of the kind belongs, so there they are refused too.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_TEXT: Final = 7089  # characters: the most a QR can hold, all of them digits (ISO/IEC 18004, version 40-L)

_ORDINARY: Final = frozenset("\t\n\r\x04\x1d\x1e")
"""Lines of a vCard; GS, RS and EOT of labels on goods (GS1 General Specifications 7.8; ISO/IEC 15434)."""
_BIDIRECTIONAL: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # UAX 9
_REFUSED: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})  # categories of Unicode
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})

_CONFUSABLE: Final = {
    letter: plain
    for plain, letters in {
        "c": "сСϲϹⲤᏟᴄꓚ",
        "h": "нНһҺΗⲎᎻʜꓧհ",
        "m": "мМΜⲘᎷᴍꓟ",
        "p": "рРρΡⲢᏢᴘꓑ",
        "s": "ѕЅᏚꜱꓢՏ",
        "1": "lIi|!іІӏӀΙιıǀ",
        ":": "∶ː˸։׃ꓽ",
        "/": "⁄∕⧸╱\\",
    }.items()
    for letter in letters
}
"""For the letters of our beginnings: what is drawn alike (after UTS 39's confusables, and what hands type for them)."""


def find_fault(text: str, beginnings: Iterable[str]) -> str | None:
    """The word for what is wrong with a text, or None. `beginnings`: those of the kinds that are told by theirs."""
    if not text:
        return "empty"
    if len(text) > MAX_TEXT:
        return "too-long"
    ours = tuple(beginnings)
    claimed = text.startswith(ours)
    ordinary = frozenset() if claimed else _ORDINARY
    if not text.isprintable() and any(_is_control(character) for character in set(text) - ordinary):
        return "control-characters"
    if not claimed and _looks_like(text, ours):
        return "look-alike"
    return None


def _is_control(character: str) -> bool:
    return character in _BIDIRECTIONAL or unicodedata.category(character) in _REFUSED


def _looks_like(text: str, beginnings: tuple[str, ...]) -> bool:
    seen = _skeleton(text[: 8 * max(map(len, beginnings), default=0)])
    return any(seen.startswith(_skeleton(beginning)) for beginning in beginnings)


def _skeleton(text: str) -> str:
    """What the eye sees of a text: no case, no width, nothing invisible, and one letter for all that are drawn like it."""
    composed = unicodedata.normalize("NFKC", "".join(_CONFUSABLE.get(each, each) for each in text))
    return "".join(
        _CONFUSABLE.get(each, each) for each in composed.casefold() if unicodedata.category(each) not in _INVISIBLE
    )
