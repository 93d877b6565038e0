"""Where a program of the gate's machine writes what it does."""

import logging
import os
import sys


def log_to_stderr(level: str = "INFO") -> None:
    """From `level` on, or from what MENSHEN_LOG says."""
    logging.basicConfig(
        stream=sys.stderr,
        level=os.environ.get("MENSHEN_LOG", level),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
