"""No core dumps: a dump would hold what was scanned, and stay on the disk after it.

Called first by each process of a gate. What this does not reach: swap, hibernation, and whoever is root (docs/hostile.md).
"""

import ctypes
import os
import resource
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # <linux/prctl.h>


def forbid_core_dumps() -> None:
    """No core file (RLIMIT_CORE, also for what this process starts), and nothing for a core_pattern that pipes dumps away,
    which heeds no limit (core(5)): this process is not dumpable. From then on only root may trace it or read its memory,
    its environment and its maps (prctl(2)). Raises OSError."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE", os.strerror(ctypes.get_errno()))
