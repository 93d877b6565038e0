"""What a device that scans codes has in common with others of its kind: once for a code that is held up. Pure."""

from drivers.held_up import HeldUp, acceptable
from drivers.readings import CodeRead


class ShownCodes:
    """From each time that a scanner read a code to the code, once, until it has not been read for `rearm_ms`."""

    def __init__(self, decoder: str, rearm_ms: int) -> None:
        self._decoder = decoder
        self._held = HeldUp(rearm_ms)
        self.refused = 0  # of a size that no code has

    def read(self, data: bytes, now_ms: int) -> list[CodeRead]:
        """The scanner read this code by now. A scanner that says nothing of its kind: `symbology` is ""."""
        if not acceptable(data):
            self.refused += 1
            return []
        return [CodeRead(code, _text(code), "", self._decoder) for code in self._held.new([data], now_ms)]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""
