"""The office's standing orders, where they came ahead of the directory that they stand in (`sync.contract.standing_orders`).

Theory of operation. Only the newest are held, in memory and, as the office sealed them, in a file beside the directory's. They count
until a directory decides that is as new: so the older order in a snapshot that was made before them is never carried out, across
restarts as well. What is as old as what is held already, here or as the directory, came late or is played again: it is passed
over.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.directory import Directory
from gateway.directory_road import seen_by
from gateway.journal import files
from sync.contract.standing_orders import MAX_SEALED, StandingOrders, decode_orders, unseal_orders
from sync.errors import MessageError
from sync.log.keyed import Mark

logger = logging.getLogger("menshen.directory")


class OrdersAhead:
    """The newest of them. `directory`: what decides; `keys`: the office's, pinned. One thread at a time."""

    def __init__(
        self, path: Path, directory: Directory, *, gate: str, site: str, keys: Sequence[Ed25519PublicKey]
    ) -> None:
        """`path` is the directory's."""
        self._path = files.beside(path, ".orders")
        self._directory = directory
        self._gate = gate
        self._site = site
        self._keys = keys
        self._sealed = b""
        self._orders: StandingOrders | None = None
        self._find()

    def take(self, payload: bytes) -> bool:
        """Orders came: whether they are news. Raises MessageError for what the office has not sealed for this gate,
        DirectoryError where it cannot be told whether they are new."""
        sealed = decode_orders(payload)
        orders = self._opened(sealed)
        if orders.state.order <= seen_by(self._directory).order:
            return False
        if self._orders is not None and orders.state.order <= self._orders.state.order:
            return False
        self._orders, self._sealed = orders, sealed
        self._keep()
        return True

    def now(self) -> StandingOrders | None:
        """Those that count in place of the directory's, as they are of a newer state. Raises DirectoryError."""
        orders = self._orders
        return orders if orders is not None and orders.state.order > seen_by(self._directory).order else None

    def proof(self, seen: Mark) -> bytes:
        """What of a newer state than `seen` is held, as the office sealed it; nothing where there is none."""
        return self._sealed if self._orders is not None and self._orders.state.order > seen.order else b""

    def _opened(self, sealed: bytes) -> StandingOrders:
        orders = unseal_orders(sealed, self._keys)
        if not orders.concern(self._gate, self._site):
            raise MessageError(f"orders: for {orders.gate!r} of the site {orders.site!r}")
        return orders

    def _find(self) -> None:
        """What an earlier life has left. The file is believed no more than the road."""
        try:
            with self._path.open("rb") as file:
                sealed = file.read(MAX_SEALED + 1)
            self._orders, self._sealed = self._opened(sealed), sealed
        except FileNotFoundError:
            return
        except (OSError, MessageError) as error:
            logger.warning("%s: is passed over: %s", self._path, error)

    def _keep(self) -> None:
        """Whole or not at all. A disk that is full keeps no order from being carried out: then they hold in memory alone."""
        new = files.beside(self._path, ".new")
        try:
            with new.open("wb") as file:
                file.write(self._sealed)
                file.flush()
                os.fsync(file.fileno())
            new.rename(self._path)
            files.sync_folder(self._path.parent)
        except OSError as error:
            logger.error(
                "%s: cannot be written, the orders hold until the next restart: %s", self._path, error.strerror
            )
