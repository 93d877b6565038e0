"""The number plate in what a code says: pure.

Plates of mainland China by GA 36-2018: the province's character, a letter, and five letters or digits (six of a vehicle of new energy), or four
and the character of a use (a driving school, Hong Kong or Macao, a consulate). A dot or a blank is often put behind the letter, and is no part of the plate.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 16
"""Characters of a plate of any country, as the form has them."""
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_USES: Final = "学警港澳挂领使"
_CHINESE: Final = re.compile(
    rf"([{_PROVINCES}][A-Z])[·•∙・‧. +-]?([A-Z0-9]{{4}}[{_USES}]|[A-Z0-9]{{5,6}})(?![A-Z0-9])", re.IGNORECASE | re.ASCII
)
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


def text_of(code: bytes) -> str:
    """What a code's bytes say, in UTF-8 or as older Chinese programs write; "" for neither."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return code.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def plate_of(texts: Iterable[str]) -> str:
    """The plate that the codes of one picture give; "" for none. A Chinese plate in any of them comes before a short text that may be a plate of
    another country."""
    known = list(texts)
    return next(filter(None, map(_chinese, known)), "") or next(filter(None, map(_whole, known)), "")


def _chinese(text: str) -> str:
    """The first Chinese plate in a text, an address or JSON, as the record has it: capitals, without a dot."""
    plain = unicodedata.normalize("NFKC", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), unquote(text)))
    found = _CHINESE.search(plain)
    return (found[1] + found[2]).upper() if found is not None else ""


def _whole(text: str) -> str:
    """The whole text, when it may be a plate."""
    plain = text.strip()
    fits = 0 < len(plain) <= LONGEST and plain.isprintable() and any(each.isalnum() for each in plain)
    return plain if fits else ""
