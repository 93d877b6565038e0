"""When to write out what was spooled, what of, and how much at once: for the writing thread, between one transaction and the next.

Theory of operation. While others wait it is a chunk now and then. When nothing else comes, a transaction takes as many records as this
machine and database write within `LONGEST_S`, for an alarm that comes meanwhile waits for it: so a statement and a commit cost less
for each, where there is room for it.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from django.db import InterfaceError, OperationalError
from django.utils.timezone import now as office_now

from central.ingest import spool
from central.ingest.refusals import Refusals

SHARE_S: Final = 2.0  # however much comes, something is written out this often; live visits of others wait for none
CALM_S: Final = (
    0.2  # since something came; a gate that brings a backlog waits for its answer meanwhile, and not for this
)
LOOK_S: Final = 2.0  # how often it is looked whether something waits that another process has left
AGAIN_S: Final = 60.0  # after a fault of ours
LONGEST_S: Final = 0.25  # of one transaction, about
MOST: Final = 8 * spool.CHUNK  # records in one, however fast: they are in memory together


def fitting(most: int, took_s: float) -> int:
    """How many to write out together next, as `most` took so long."""
    if took_s > LONGEST_S:
        return max(spool.CHUNK, most // 2)
    return min(MOST, most * 2) if took_s < LONGEST_S / 2 else most


class Backlog:
    """The gates of which something waits, in turn. `now_s` is monotonic, and what `clock` gives."""

    def __init__(self, refusals: Refusals, clock: Callable[[], float] = time.monotonic) -> None:
        self._refusals = refusals
        self._clock = clock
        self._most = spool.CHUNK
        self._gates: deque[str] = deque()
        self._look_at_s = 0.0
        self._last_s = 0.0
        self._came_s = 0.0
        self._not_before_s: dict[str, float] = {}

    @property
    def waits(self) -> bool:
        """Whether there is something to write out, as far as is known."""
        return bool(self._gates)

    def grew(self) -> None:
        """Something was written: it may have been spooled."""
        self._look_at_s = min(self._look_at_s, self._last_s + SHARE_S)

    def turn(self, now_s: float, *, idle: bool) -> None:
        """Write out some of what waits, if it is time. `idle`: nothing has come. Raises OperationalError, InterfaceError."""
        if not idle:
            self._came_s = now_s
        if now_s < min(self._came_s + CALM_S, self._last_s + SHARE_S):
            return
        self._last_s = now_s
        if not self._gates and now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._gates.extend(name for name in spool.gates() if now_s >= self._not_before_s.get(name, now_s))
        if self._gates:
            self._write_out(self._gates.popleft(), now_s, calm=now_s >= self._came_s + CALM_S)

    def _write_out(self, name: str, now_s: float, *, calm: bool) -> None:
        begun_s = self._clock()
        try:
            if written := spool.write_out(name, self._most if calm else spool.CHUNK):
                self._gates.append(name)
            if calm and written > self._most // 2:
                self._most = fitting(self._most, self._clock() - begun_s)
        except (OperationalError, InterfaceError):
            self._gates.append(name)
            raise
        except Exception as fault:  # noqa: BLE001  what cannot be written out of one gate must not stop the others
            self._not_before_s[name] = now_s + AGAIN_S
            self._refusals.fault(name, "written out", fault, office_now())
