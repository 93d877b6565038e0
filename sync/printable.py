"""Things from outside on their way to a terminal: nothing may move the cursor, change colours or turn the writing round.

Where `sync.contract.text` puts one mark for whatever is unfit to be kept, this names it: it is for those who look into what
came.
"""

import unicodedata
from datetime import UTC, datetime


def printable(text: str | bytes) -> str:
    """The text with whatever is no letter, sign or space shown as `\\x1b` or `\\u202e`; bytes are read as UTF-8."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def time_words(at_ms: int) -> str:
    """Unix milliseconds by this machine's time zone; what is no date of ours is shown as the number that it is."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(" ", "milliseconds")
    except (ValueError, OverflowError, OSError):
        return f"{at_ms} ms"
