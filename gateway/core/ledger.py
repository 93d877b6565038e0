"""What goes into the journal: a record, and with it exactly what it changed in the durable state."""

from collections.abc import Callable, Mapping

from gateway.core import durable
from gateway.core.effects import Append
from sync.contract.records import Body


class Ledger:
    """Knows what the journal will hold once everything appended is written. `now_is` gives the durable state as it is."""

    def __init__(self, now_is: Callable[[], dict[str, bytes]]) -> None:
        self._now_is = now_is
        self._written: Mapping[str, bytes] = {}

    def start(self, state: Mapping[str, bytes]) -> None:
        """What the journal holds at the start."""
        self._written = dict(state)

    def record(self, body: Body, token: int = 0) -> Append:
        """The record of what was just done, with its changes. Called after the machine has moved."""
        state = self._now_is()
        changes = durable.differences(self._written, state)
        self._written = state
        return Append(body, token, changes)
