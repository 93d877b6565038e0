"""What comes on `cmd`: only what the office has signed for this gate and this boot, in time, becomes a command."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Commanded, CommandRefused
from gateway.orders import Orders
from sync.contract.commands import MAX_SEALED, WHAT, Command, Release, seal_command
from sync.contract.sealed import seal
from sync.contract.trust import TrustList, seal_trust

OFFICE, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
GATE, BOOT, TOPIC = "north-1", "1a" * 16, "menshen/1/north-1/cmd"
ID = "0f" * 16
NOW_MS = 50_000


def command(**changes: Any) -> Command:
    values = {"gate": GATE, "id": ID, "boot": BOOT, "not_after_mono": NOW_MS + 5_000, "by": "li"}
    return Release(**(values | changes))


class Gate:
    """A gate's judge, and what it handed on."""

    def __init__(self, *keys: Ed25519PrivateKey) -> None:
        self.now_ms = NOW_MS
        self.posted: list[Commanded | CommandRefused] = []
        public = [key.public_key() for key in keys]
        self.orders = Orders(GATE, BOOT, public, now_ms=lambda: self.now_ms, post=self.posted.append)

    def take(self, payload: bytes) -> Commanded | CommandRefused:
        self.orders.received(TOPIC, payload)
        (posted,) = self.posted
        self.posted.clear()
        return posted


def test_a_good_command_goes_on_as_it_is() -> None:
    assert Gate(OTHER, OFFICE).take(seal_command(command(), OFFICE)) == Commanded(command())


def test_until_the_last_millisecond() -> None:
    gate = Gate(OFFICE)
    gate.now_ms = NOW_MS + 5_000
    assert gate.take(seal_command(command(), OFFICE)) == Commanded(command())
    gate.now_ms += 1
    assert gate.take(seal_command(command(), OFFICE)) == CommandRefused("late", f"release {ID}")


SEALED = seal_command(command(), OFFICE)


@pytest.mark.parametrize(
    ("payload", "refused"),
    [
        (seal_command(command(), OTHER), CommandRefused("forged")),
        (seal_trust(TrustList(version=1, issued_s=1), OFFICE), CommandRefused("forged")),
        (seal(b"{}", "directory", OFFICE), CommandRefused("forged")),
        (SEALED[:-1] + bytes([SEALED[-1] ^ 1]), CommandRefused("forged")),
        (SEALED.replace(b'"by":"li"', b'"by":"wu"'), CommandRefused("forged")),
        (seal_command(command(gate="north-2"), OFFICE), CommandRefused("other-gate", f"release {ID}")),
        (seal_command(command(boot="2b" * 16), OFFICE), CommandRefused("other-boot", f"release {ID}")),
        (
            seal_command(command(boot="2b" * 16, not_after_mono=0), OFFICE),
            CommandRefused("other-boot", f"release {ID}"),
        ),
        (seal_command(command(not_after_mono=NOW_MS - 1), OFFICE), CommandRefused("late", f"release {ID}")),
        (seal(b"{}", WHAT, OFFICE), CommandRefused("malformed")),
        (SEALED + b"\0", CommandRefused("malformed")),
        (b"", CommandRefused("malformed")),
        (b"{}", CommandRefused("malformed")),
        (bytes(200_000), CommandRefused("malformed")),
    ],
)
def test_refused(payload: bytes, refused: CommandRefused) -> None:
    assert Gate(OFFICE).take(payload) == refused


def test_one_that_is_too_large_is_not_even_looked_at() -> None:
    padded = seal(b" " * MAX_SEALED, WHAT, OFFICE)
    assert Gate(OFFICE).take(padded) == CommandRefused("malformed")


def test_a_gate_that_pins_no_key_takes_no_command() -> None:
    assert Gate().take(SEALED) == CommandRefused("forged")


def test_what_the_broker_had_kept_is_refused_however_good_it_is() -> None:
    gate = Gate(OFFICE)
    gate.orders.kept(TOPIC, SEALED)
    assert gate.posted == [CommandRefused("retained")]


@given(st.binary(max_size=400))
def test_any_bytes(payload: bytes) -> None:
    assert Gate(OFFICE).take(payload) == CommandRefused("malformed")


@given(st.integers(0, 8 * len(SEALED) - 1))
def test_any_changed_bit(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    refused = Gate(OFFICE).take(bytes(changed))
    assert isinstance(refused, CommandRefused)
    assert refused.reason in {"forged", "malformed"} and not refused.detail, "nothing that nobody signed is handed on"
