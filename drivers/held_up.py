"""What is held up is told once: pure, with the time as an argument. No picture, no thread, no clock."""

from collections.abc import Iterable
from typing import Final

from drivers.errors import WrongUse

REARM_MS: Final = 1_000  # what was away for longer than this counts as held up anew
MAX_CODES: Final = 16  # codes taken at one look
_MAX_BYTES: Final = 3_072  # more than a QR of version 40 holds
_MAX_SIXTHS: Final = 6 * 23_631  # sixths of a bit that the largest QR has for text (ISO/IEC 18004, 40-L): 4,296 letters


def acceptable(data: bytes) -> bool:
    """Whether a code's content is of a size that a QR can have. A digit takes 10/3 bits, a letter at least 11/2."""
    if not data.isascii():
        return len(data) <= _MAX_BYTES
    digits = sum(data.count(digit) for digit in b"0123456789")
    return 0 < 20 * digits + 33 * (len(data) - digits) <= _MAX_SIXTHS


def as_code(content: str | bytes) -> bytes:
    """A code's content, to be held up. Raises WrongUse for what no QR can hold."""
    data = content.encode() if isinstance(content, str) else content
    if not data or not acceptable(data):
        raise WrongUse(
            f"a QR cannot hold {len(data)} bytes: give it 1 to 4296 ASCII characters (7089 digits) or 3072 bytes"
        )
    return data


class HeldUp:
    """A code or card that is held up is told once, and again only after it was away for over `rearm_ms`."""

    def __init__(self, rearm_ms: int = REARM_MS) -> None:
        self._rearm_ms = rearm_ms
        self._last_seen_ms: dict[bytes, int] = {}

    def new(self, codes: Iterable[bytes], now_ms: int) -> list[bytes]:
        """Those of what is seen now that have just come."""
        seen = self._last_seen_ms
        for code in [code for code, at in seen.items() if now_ms - at > self._rearm_ms]:
            del seen[code]
        came: list[bytes] = []
        for code in codes:
            if code not in seen and code not in came and len(came) < MAX_CODES:
                came.append(code)
        for code in codes:
            if code in seen or code in came:
                seen[code] = now_ms
        return came
