"""Waiting for a process to end, without sleeping and without guessing at a reused process id."""

import os
import select


class Watched:
    """A process that may end."""

    def __init__(self, pid: int | None) -> None:
        assert pid is not None, "no process lives"
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def ends(self, within_s: float = 10.0) -> bool:
        """Whether it has ended, or does so in time."""
        ready, _, _ = select.select([self._fd], [], [], within_s)
        if ready:
            os.close(self._fd)
        return bool(ready)
