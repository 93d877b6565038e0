"""A gate's standing orders, sent ahead of the transfer that they are part of: no lockdown waits behind a register.

Theory of operation. Whoever is sent more of a directory is sent first, as one small message, the orders for it, if any of them is
newer than what the gate has shown to have. The gate shows the newest it has taken this way with each of its questions: so they are
not sent twice, and an office that was put back to before them learns of it and opens an epoch, by which its next order is newer.
"""

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.directory.store import SiteSource
from sync.contract.directory import EVERY_GATE, Table
from sync.contract.standing_orders import encode_orders, seal_orders, standing, unseal_orders
from sync.errors import MessageError
from sync.log.keyed import NOTHING, Mark, Row
from sync.log.parts import Have

_LOGGER = logging.getLogger("menshen.directory")
ORDERS: Final = (Table.MODE, Table.COUNT)


class Gate(NamedTuple):
    """Whose orders."""

    name: str
    site: str


class OrdersAhead:
    """Makes them. `key`: the office's, which the gates pin. Everything raises what the database raises."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def news(self, gate: Gate, have: Have) -> Sequence[bytes]:
        """The message with the orders, where one of them is newer than what the gate has; else none."""
        source = SiteSource(gate.site)
        state, changed, rows = source.some(ORDERS, (EVERY_GATE, gate.name))
        if not changed or changed <= self._has(source, gate, have):
            return ()
        try:
            return (self._message(gate, state, rows),)
        except MessageError as error:
            _LOGGER.error("%s: orders cannot be sent ahead, and come with the directory: %s", gate.name, error)
            return ()

    def forgotten(self, gate: Gate, have: Have) -> int | None:
        """The epoch of the state whose orders the gate has, where that state is not known here any more and none here is newer:
        this office was put back."""
        state = self._shown(gate, have)
        if state == NOTHING:
            return None
        source = SiteSource(gate.site)
        newest = source.newest()
        unknown = state.order >= newest.order > NOTHING.order and not source.had(state)
        return state.epoch if unknown else None

    def _message(self, gate: Gate, state: Mark, rows: Sequence[Row]) -> bytes:
        modes = {row.key: row.value for row in rows if row.table == Table.MODE and row.value is not None}
        counts = [row.value for row in rows if row.table == Table.COUNT and row.key == gate.name]
        orders = standing(gate.name, gate.site, state, modes, counts[0] if counts else None)
        return encode_orders(seal_orders(orders, self._key))

    def _has(self, source: SiteSource, gate: Gate, have: Have) -> int:
        """The version up to which it has every order, as far as that is known."""
        held = (have.seen if have.whole else NOTHING, self._shown(gate, have))
        return max(mark.version if source.had(mark) else 0 for mark in held)

    def _shown(self, gate: Gate, have: Have) -> Mark:
        """The state whose orders it has taken ahead; NOTHING where it shows none that this office has signed for it."""
        try:
            orders = unseal_orders(have.ahead, [self._key.public_key()])
        except MessageError:
            return NOTHING
        return orders.state if orders.concern(gate.name, gate.site) else NOTHING
