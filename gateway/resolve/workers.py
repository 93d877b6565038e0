"""The workers between what was scanned and the core: a slow signature or server never holds up the deciding thread."""

import logging
import queue
import threading
from collections.abc import Callable

from gateway.core.events import CredentialResolved
from gateway.core.moment import Moment
from gateway.resolve.resolver import Resolver
from gateway.resolve.scheme import refused
from sync.contract.records import Direction

logger = logging.getLogger("menshen.resolve")
_Job = tuple[str, str, str, Direction, Moment]


class ResolveWorkers:
    """A few threads that resolve in turn and post `CredentialResolved`. A full queue refuses the newest scan aloud."""

    def __init__(self, resolver: Resolver, post: Callable[[CredentialResolved], None], *, threads: int = 2) -> None:
        self._resolver = resolver
        self._post = post
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=32)
        self._threads = [threading.Thread(target=self._work, name=f"resolve-{n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is queued and end."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=2)

    def text(self, text: str, reader: str, direction: Direction, now: Moment) -> None:
        """Resolve a scanned text."""
        self._submit(("text", text, reader, direction, now))

    def card(self, uid: str, reader: str, direction: Direction, now: Moment) -> None:
        """Resolve a card's UID."""
        self._submit(("card", uid, reader, direction, now))

    def _submit(self, job: _Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            logger.error("%s: more scans than can be resolved; one was dropped", job[2])

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._post(self._resolve(job))

    def _resolve(self, job: _Job) -> CredentialResolved:
        what, value, reader, direction, now = job
        try:
            verdict = self._resolver.card(value, now) if what == "card" else self._resolver.text(value, now)
        except Exception:
            # that says nothing about the person: they are for the guard, and the next scan is read at once
            logger.exception("%s: resolving failed", reader)
            verdict = refused("resolver-failed", what, "")
        return CredentialResolved(verdict, reader, direction, now.mono_ms)
