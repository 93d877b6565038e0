"""What the benchmarks share."""

import faulthandler
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
OVERDUE: Final = 3  # the exit code of a bench that waited too long


def progress(steps: Iterable[T], what: str) -> Iterable[T]:
    """Walk through `steps` with a bar on standard error; standard output is for the figures."""
    return track(steps, description=what, console=Console(stderr=True))


def scratch(name: str, below: Path = Path("var/bench")) -> Path:
    """A new folder on the project's own disk: /tmp may be memory, whose commits cost nothing."""
    below.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=below))


class Watch:
    """Ends the process with an error when nothing happens for too long: what it waited for, and where every thread stands. Tell it
    each time what is waited for next."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._waits_for, self._since = "the start", time.monotonic()
        self._over = threading.Event()

    def waits_for(self, what: str) -> None:
        """Something happened; now it is this that is waited for."""
        self._waits_for, self._since = what, time.monotonic()
        # from outside the interpreter: also when no thread of ours can run any more
        faulthandler.dump_traceback_later(2 * self._limit_s, exit=True)

    def run(self) -> None:
        """Look, until it is over."""
        while not self._over.wait(self._limit_s / 10):
            if time.monotonic() - self._since > self._limit_s:
                print(f"\nnothing for {self._limit_s:g} s while waiting for {self._waits_for}", file=sys.stderr)
                faulthandler.dump_traceback(all_threads=True)
                sys.stderr.flush()
                os._exit(OVERDUE)

    def end(self) -> None:
        """Nothing is waited for any more."""
        faulthandler.cancel_dump_traceback_later()
        self._over.set()


@contextmanager
def watched(limit_s: float) -> Iterator[Watch]:
    """A bench that ends by itself when it hangs, its own end included: put it around everything."""
    watch = Watch(limit_s)
    watch.waits_for("the start")
    threading.Thread(target=watch.run, name="watch", daemon=True).start()
    try:
        yield watch
    except BaseException:
        watch.waits_for("the end after an error")
        raise
    finally:
        watch.end()
