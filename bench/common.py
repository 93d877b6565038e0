"""What the benchmarks share."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")


def progress(steps: Iterable[T], what: str) -> Iterable[T]:
    """Walk through `steps` with a bar on standard error; standard output is for the figures."""
    return track(steps, description=what, console=Console(stderr=True))


def scratch(name: str, below: Path = Path("var/bench")) -> Path:
    """A new folder on the project's own disk: /tmp may be memory, whose commits cost nothing."""
    below.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=below))
