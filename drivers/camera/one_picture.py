"""The codes of one picture, in a process that reads it and ends: whoever has a picture from outside starts
`python -m drivers.camera.one_picture` with the file as its standard input, and kills it when it has had enough.

The answer is a JSON list of what the codes hold, in base64. Exit code EX_DATAERR: it is no picture, is damaged, or would take too much memory.
"""

import ctypes
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

from drivers.held_up import MAX_CODES
from drivers.no_dumps import forbid_core_dumps

logger = logging.getLogger("menshen.one_picture")
MOST_BYTES: Final = 8 * 1024 * 1024
MOST_MEMORY: Final = 768 * 1024 * 1024
"""Bytes of addresses, of which libraries take 270 MB. The picture that takes most of those that picture_files.py lets through takes 530 MB with them."""
MOST_CPU_S: Final = 10
_BEHIND: Final = 10  # nice: behind the gate, whose decisions must not wait
_FIRST_TO_GO: Final = "1000"  # when the machine is out of memory (proc(5), oom_score_adj)
_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


def codes_in(data: bytes) -> list[bytes]:
    """What the codes in a picture file hold. Raises ValueError saying what is wrong with it, or MemoryError."""
    if len(data) > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES // 1_048_576} MiB")
    from drivers.camera.cascade import Cascade  # after the limits: they hold for what loads, too
    from drivers.camera.decoders import PAPERS, PAPERS_QUICK
    from drivers.camera.sources import picture_of

    look = Cascade(logger.warning, first=PAPERS, quick=PAPERS_QUICK).read(picture_of(data), still=True)
    return list(look.codes)[:MAX_CODES]


def _be_little() -> None:
    """End with whoever started this, take little, and go first. Raises OSError."""
    Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)  # before this process is closed to itself
    forbid_core_dumps()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setpriority(
        os.PRIO_PROCESS, 0, max(_BEHIND, os.getpriority(os.PRIO_PROCESS, 0))
    )  # nobody may take a better place
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))


def main() -> None:
    """Read it, say what is in it, end."""
    _be_little()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="one picture: %(message)s")
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        codes = codes_in(data)
    except (ValueError, MemoryError) as error:
        logger.warning("a picture of %d bytes: %s", len(data), str(error) or "it takes too much memory")
        sys.exit(os.EX_DATAERR)
    sys.stdout.buffer.write(msgspec.json.encode(codes))


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(64 * 1024 * 1024))
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"  # what is wrong with a picture is told once
    main()
