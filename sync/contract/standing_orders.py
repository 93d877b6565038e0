"""The office's standing orders for one gate, sent ahead of the directory that they stand in: a lockdown waits for no holders.

They go down in the log's envelope (zlib over MessagePack, tagged `t`), signed as `orders`:

    {"t": "orders", "sealed": {"gate", "site", "state": mark, "modes": {gate id or `*`: ModeOrder}, "count": CountOrder or null}}

`state` is the state of the directory in which exactly these stand. By it they are newer or older than others, and than a
directory: no clock is needed, and what is played again is older than what is held.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.directory import EVERY_GATE, CountOrder, ModeOrder, Site
from sync.contract.sealed import SealError, seal, unseal
from sync.contract.topics import GATE_ID
from sync.errors import MessageError
from sync.log.keyed import Mark
from sync.log.messages import decode, encode

WHAT: Final = "orders"  # as what the office signs them
MAX_SEALED: Final = 2048  # bytes, sealed
MAX_INFLATED: Final = 4096  # bytes the message may inflate to


class OrdersMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="orders"):
    """Office → gate: the sealed orders."""

    sealed: Annotated[bytes, msgspec.Meta(max_length=MAX_SEALED)]


class StandingOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed. `modes`: the order for all gates and this gate's own, as far as there are any."""

    gate: Annotated[str, msgspec.Meta(pattern=rf"^{GATE_ID.pattern}\Z")]
    site: Site
    state: Mark
    modes: Annotated[dict[str, ModeOrder], msgspec.Meta(max_length=2)]
    count: CountOrder | None

    def concern(self, gate: str, site: str) -> bool:
        """Whether they are this gate's, and tell of no other's."""
        return self.gate == gate and self.site == site and self.modes.keys() <= {EVERY_GATE, gate}


_MESSAGE: Final = msgspec.msgpack.Decoder(OrdersMessage)
_ORDERS: Final = msgspec.json.Decoder(StandingOrders)


def standing(gate: str, site: str, state: Mark, modes: Mapping[str, bytes], count: bytes | None) -> StandingOrders:
    """The orders of these rows' values. Raises MessageError for a value that is none."""
    try:
        return StandingOrders(
            gate=gate,
            site=site,
            state=state,
            modes={key: msgspec.json.decode(value, type=ModeOrder) for key, value in modes.items()},
            count=None if count is None else msgspec.json.decode(count, type=CountOrder),
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"orders: a row cannot be read: {error}") from error


def seal_orders(orders: StandingOrders, key: Ed25519PrivateKey) -> bytes:
    """The orders, signed."""
    return seal(msgspec.json.encode(orders), WHAT, key)


def unseal_orders(sealed: bytes, keys: Sequence[Ed25519PublicKey]) -> StandingOrders:
    """The orders in `sealed`, as one of `keys` has signed them. Whose they are, the caller has to compare. Raises
    MessageError."""
    try:
        return read_orders(unseal(sealed, WHAT, keys))
    except SealError as error:
        raise MessageError(f"orders: {error}") from error


def read_orders(document: bytes) -> StandingOrders:
    """The orders in a document, whoever signed it. Raises MessageError."""
    try:
        return _ORDERS.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MessageError(f"orders: signed, and cannot be read: {error}") from error


def encode_orders(sealed: bytes) -> bytes:
    """The message that brings them."""
    return encode(OrdersMessage(sealed=sealed))


def decode_orders(payload: bytes) -> bytes:
    """What the message in `payload` brings, sealed as it is. Raises MessageError."""
    return decode(payload, _MESSAGE, MAX_INFLATED).sealed
