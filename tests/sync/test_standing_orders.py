"""Orders that go ahead of the directory: what is signed as them, for whom, and how long it can be."""

import msgspec
import pytest

from sync.contract.directory import CountOrder, ModeOrder
from sync.contract.sealed import seal
from sync.contract.standing_orders import (
    MAX_INFLATED,
    MAX_SEALED,
    StandingOrders,
    decode_orders,
    encode_orders,
    seal_orders,
    standing,
    unseal_orders,
)
from sync.errors import MessageError
from sync.log.keyed import Mark
from sync.log.messages import encode, inflate
from sync.log.parts import MAX_HAVE, MAX_TITLE, Have, Staged, decode_have
from tests.sync.following import OFFICE_KEY, SITE, STRANGER

GATE = "n" * 32
KEYS = [OFFICE_KEY.public_key()]
STATE = Mark(2**63 - 1, 2**63 - 1, bytes(16))


def longest() -> StandingOrders:
    """As long as they can be."""
    who = "\N{CJK UNIFIED IDEOGRAPH-20000}" * 64
    mode = ModeOrder(id="a" * 32, mode="free-exit", by=who, at_ms=2**63 - 1, drill=True)
    count = CountOrder(id="b" * 32, inside=1_000_000, by=who, at_ms=2**63 - 1)
    return StandingOrders(gate=GATE, site="s" * 32, state=STATE, modes={"*": mode, GATE: mode}, count=count)


def test_the_longest_there_can_be_fit_and_come_back() -> None:
    sealed = seal_orders(longest(), OFFICE_KEY)
    payload = encode_orders(sealed)
    assert len(sealed) <= MAX_SEALED and len(inflate(payload)) <= MAX_INFLATED
    assert unseal_orders(decode_orders(payload), KEYS) == longest()
    have = Have(site="s" * 32, seen=STATE, title=bytes(MAX_TITLE), whole=True, staged=Staged(STATE, STATE, 9, 2), room=16,
                ahead=bytes(MAX_SEALED))  # fmt: skip
    assert len(inflate(encode(have))) <= MAX_HAVE and decode_have(encode(have)) == have


def test_of_the_rows_those_that_are_no_orders_are_named() -> None:
    value = msgspec.json.encode({"id": "0a" * 16, "mode": "lockdown", "by": "li", "at_ms": 1})
    made = standing("north-1", SITE, STATE, {"*": value}, None)
    assert made.modes["*"].mode == "lockdown" and made.count is None
    for modes, count in [({"*": b"{}"}, None), ({}, b"1"), ({"*": b"\xff"}, None), ({"*": b"[" * 5000}, None)]:
        with pytest.raises(MessageError, match="orders: a row cannot be read"):
            standing("north-1", SITE, STATE, modes, count)


@pytest.mark.parametrize(
    ("sealed", "why"),
    [
        (seal_orders(longest(), STRANGER), "not pinned"),
        (seal(msgspec.json.encode(longest()), "command", OFFICE_KEY), "something else"),
        (seal(msgspec.json.encode(longest()), "directory-part", OFFICE_KEY), "something else"),
        (seal(b"{}", "orders", OFFICE_KEY), "cannot be read"),
        (seal(b'{"gate":"n","site":"s","state":[1,2],"modes":{},"count":null}', "orders", OFFICE_KEY), "cannot be read"),
        (seal(b"\xff", "orders", OFFICE_KEY), "cannot be read"),
        (seal_orders(longest(), OFFICE_KEY)[:-1] + b"\xff", "signature is wrong"),
        (b"", "no signed document"),
        (b"junk", "no signed document"),
    ],
)  # fmt: skip
def test_whatever_is_not_the_offices_is_refused(sealed: bytes, why: str) -> None:
    with pytest.raises(MessageError, match=why):
        unseal_orders(sealed, KEYS)


def test_a_message_is_bounded() -> None:
    for payload in (encode_orders(bytes(MAX_SEALED + 1)), encode_orders(bytes(10**6)), b"", b"junk"):
        with pytest.raises(MessageError):
            decode_orders(payload)


@pytest.mark.parametrize(
    ("gate", "site", "concern"),
    [("north-1", SITE, True), ("north-2", SITE, False), ("north-1", "south", False)],
)
def test_they_are_for_one_gate_of_one_site(gate: str, site: str, concern: bool) -> None:
    order = ModeOrder(id="a" * 32, mode="free", by="li", at_ms=1)
    made = StandingOrders(gate="north-1", site=SITE, state=STATE, modes={"*": order, "north-1": order}, count=None)
    assert made.concern(gate, site) is concern
    assert not msgspec.structs.replace(made, modes={"north-2": order}).concern(gate, site)
