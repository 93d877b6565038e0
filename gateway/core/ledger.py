"""What goes into the journal: a record, and with it exactly what it changed in the durable state."""

from collections.abc import Callable, Mapping, Sequence

from gateway.core import durable
from gateway.core.effects import Append, StateChange
from sync.contract.records import Body

Part = Callable[[], Mapping[str, bytes]]


class Ledger:
    """Knows what the journal will hold once everything appended is written. Each of `parts` gives a part of the durable state as
    it is now, and never changes what it has given: a large one that gives the same mapping again is known to be as it was."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._written: list[Mapping[str, bytes]] | None = None
        self._at_start: Mapping[str, bytes] = {}

    def start(self, state: Mapping[str, bytes]) -> None:
        """What the journal holds at the start."""
        self._at_start = dict(state)

    def state(self) -> dict[str, bytes]:
        """The durable state as it is now."""
        return {key: value for part in self._parts for key, value in part().items()}

    def record(self, body: Body, token: int = 0) -> Append:
        """The record of what was just done, with its changes. Called after the machine has moved."""
        return Append(body, token, self._changes())

    def _changes(self) -> tuple[StateChange, ...]:
        if self._written is None:  # what the journal holds may be of no part
            self._written = [part() for part in self._parts]
            return durable.differences(self._at_start, self.state())
        changes: tuple[StateChange, ...] = ()
        for at, part in enumerate(self._parts):
            before, now_is = self._written[at], part()
            if now_is is not before and now_is != before:
                changes += durable.differences(before, now_is)
                self._written[at] = now_is
        return changes
