"""The state that the office wants: each of its orders is carried out once, however late it comes.

Theory of operation. An order stands in the directory until another takes its place, and has an id. The ids of what was carried out
last are kept with the record that it made: not the very last alone, as an office that is put back to a backup says an earlier
one anew, and that must not lift a lockdown. So an order holds through restarts and outages, and whoever switches the gate's mode
afterwards has the last word until the next order. A gate that has lost its memory carries the standing order out again.
"""

from collections.abc import Mapping

from gateway.core import durable
from sync.contract.directory import EVERY_GATE, CountOrder, ModeOrder

_KEY = "orders"
MOST = 16  # ids that are kept, of each kind


class Wanted:
    """The ids of the orders that were carried out last."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        self._done = durable.read(state, _KEY, dict[str, str], {})

    def mode(self, orders: Mapping[str, ModeOrder]) -> ModeOrder | None:
        """The order to carry out now, of those for this gate and for all; None where none is new. It counts as carried out."""
        new = {key: order for key, order in orders.items() if self._is_new(f"mode {_scope(key)}", order.id)}
        if not new:
            return None
        for key, order in new.items():
            self._note(f"mode {_scope(key)}", order.id)
        return max(new.items(), key=lambda item: (item[1].at_ms, item[0] != EVERY_GATE))[1]

    def count(self, order: CountOrder | None) -> CountOrder | None:
        """The same of what the office says of the people inside."""
        if order is None or not self._is_new("count", order.id):
            return None
        self._note("count", order.id)
        return order

    def _is_new(self, name: str, order: str) -> bool:
        return order not in self._done.get(name, "").split()

    def _note(self, name: str, order: str) -> None:
        kept = [*self._done.get(name, "").split(), order][-MOST:]
        self._done = self._done | {name: " ".join(kept)}

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_KEY: durable.encode(self._done)} if self._done else {}


def _scope(key: str) -> str:
    return "all" if key == EVERY_GATE else "own"
