"""The state that the office wants: each of its orders is carried out once, however late it comes.

Theory of operation. An order stands in the directory until another takes its place, and has an id. What was carried out last is
kept with the record that it made. So an order holds through restarts and outages, and whoever switches the gate's mode
afterwards has the last word until the next order. A gate that has lost its memory carries the standing order out again.
"""

from collections.abc import Mapping

from gateway.core import durable
from sync.contract.directory import EVERY_GATE, CountOrder, ModeOrder

_KEY = "orders"


class Wanted:
    """The ids of the orders that were carried out last."""

    def __init__(self, state: Mapping[str, bytes]) -> None:
        self._done = durable.read(state, _KEY, dict[str, str], {})

    def mode(self, orders: Mapping[str, ModeOrder]) -> ModeOrder | None:
        """The order to carry out now, of those for this gate and for all; None where none is new. It counts as carried out."""
        new = {key: order for key, order in orders.items() if self._done.get(f"mode {_scope(key)}") != order.id}
        if not new:
            return None
        self._done |= {f"mode {_scope(key)}": order.id for key, order in new.items()}
        return max(new.items(), key=lambda item: (item[1].at_ms, item[0] != EVERY_GATE))[1]

    def count(self, order: CountOrder | None) -> CountOrder | None:
        """The same of what the office says of the people inside."""
        if order is None or self._done.get("count") == order.id:
            return None
        self._done = self._done | {"count": order.id}
        return order

    def durable(self) -> dict[str, bytes]:
        """What outlives a restart."""
        return {_KEY: durable.encode(self._done)} if self._done else {}


def _scope(key: str) -> str:
    return "all" if key == EVERY_GATE else "own"
