"""Logs that were replaced and are still at hand, offered to the receiver again: it may have been restored from a backup since.

Each is brought by a sender of its own, one after another, the oldest first, and only while the current log's sender rests: what
happens now goes first. Whenever that one asks where the receiver's cursor is (after each connection, and now and then when idle),
all are offered anew, since the answer may come from a receiver that has an older cursor. So nothing needs to be known of what it
lacks, and an earlier log that it has whole costs one `hello` and one `ack`.

An earlier log is not replaced: when the receiver has another past of it, or more of it, there is nothing here to be brought.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.log.sender import Acknowledged, Action, OpenNewLog, Refused, Send, Sender
from sync.log.view import Head, LogView


@dataclass(frozen=True, slots=True)
class HasEarlier:
    """The receiver has this earlier log up to its end, or more of it than is at hand; not `whole`: it lacks some of it."""

    log_id: str
    whole: bool = True


class Earlier:
    """Brings earlier logs. `logs` gives those that are at hand, the oldest first; errors in reading one go to the caller, who
    calls `skip`. `now` is monotonic milliseconds."""

    def __init__(
        self, logs: Callable[[], Sequence[LogView]], make_sender: Callable[[LogView], Sender] = Sender
    ) -> None:
        self._logs = logs
        self._make_sender = make_sender
        self._waiting: list[LogView] = []
        self._log: LogView | None = None  # the one that is being brought
        self._sender: Sender | None = None

    def offer(self) -> None:
        """The current log's sender asks for the receiver's cursor: begin with all of them anew."""
        self._waiting, self._log, self._sender = list(self._logs()), None, None

    def disconnected(self) -> None:
        """The link is down."""
        self._waiting, self._log, self._sender = [], None, None

    def skip(self) -> None:
        """The one that is being brought cannot be read: the others first, and this one when all are offered again."""
        self._log = self._sender = None

    def received(self, payload: bytes, now: int) -> Sequence[Action | HasEarlier]:
        """A payload came from the receiver."""
        if self._sender is None or self._log is None:
            return ()
        knew = not self._sender.asks
        seen = self._seen(self._sender.received(payload, now))
        if self._sender is None or knew or not self._sender.lacks:
            return seen
        return [*seen, HasEarlier(self._log.log_id, whole=False)]

    def deadline(self, now: int) -> int | None:
        """When `poll` is wanted, as long as the current log's sender rests; None when there is nothing to wait for."""
        if self._sender is not None:
            return self._sender.deadline()
        return now if self._waiting else None

    def poll(self, now: int) -> Sequence[Action | HasEarlier]:
        """What is due: at most one message."""
        if self._sender is None:
            if not self._waiting:
                return ()
            self._log = self._waiting.pop(0)
            self._sender = self._make_sender(self._log)
            self._sender.connected(now)
        return self._seen(self._sender.poll(now))

    def _seen(self, actions: Sequence[Action]) -> Sequence[Action | HasEarlier]:
        seen: list[Action | HasEarlier] = []
        for action in actions:
            match action:
                case Send() | Refused():
                    seen.append(action)
                case Acknowledged(seq, digest):
                    if self._log is not None and Head(seq, digest) == self._log.head():
                        seen.append(self._done(self._log))
                case OpenNewLog(_, detail, held):
                    if self._log is not None:
                        seen += self._disagreed(self._log, detail, held)
        return seen

    def _disagreed(self, log: LogView, detail: str, held: Head | None) -> Sequence[Action | HasEarlier]:
        done = self._done(log)
        if held is not None and held.seq > log.head().seq:
            return (done,)
        return Refused(f"the earlier log {log.log_id[:8]}: {detail}"), HasEarlier(log.log_id, whole=False)

    def _done(self, log: LogView) -> HasEarlier:
        self._log = self._sender = None
        return HasEarlier(log.log_id)
