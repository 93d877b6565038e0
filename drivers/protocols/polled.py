"""Which cards lie on a reader that is asked again and again. Pure, and without times: a reader is late as often as not."""

from collections.abc import Iterable
from typing import Final

MISSES: Final = 4


class PolledCards:
    """A card has come when it is found, and has gone once it was not found `misses` times in a row."""

    def __init__(self, misses: int = MISSES) -> None:
        self._misses = misses
        self._missed: dict[str, int] = {}

    def found(self, uids: Iterable[str]) -> list[str]:
        """The answer to one question: everything that lies there. Those that have just come."""
        there = list(dict.fromkeys(uids))
        came = [uid for uid in there if uid not in self._missed]
        self._missed = {uid: missed + 1 for uid, missed in self._missed.items() if missed + 1 < self._misses}
        self._missed.update(dict.fromkeys(there, 0))
        return came
