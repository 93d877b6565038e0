"""Commands of the office: what is sealed is read again, and nothing else is one."""

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.phrases import VALUES, Phrase
from sync.contract.commands import (
    LIFE_MS,
    MAX_LIFE_MS,
    MAX_SEALED,
    SAYABLE,
    WHAT,
    Acknowledge,
    Command,
    NoCommand,
    Release,
    Say,
    action_of,
    seal_command,
    unseal_command,
)
from sync.contract.sealed import NotSealed, SealError, seal
from sync.contract.trust import TrustList, seal_trust

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = [KEY.public_key()]
COMMON: dict[str, Any] = {"gate": "north-1", "id": "0f" * 16, "boot": "1a" * 16, "not_after_mono": 5_000, "by": "li"}
COMMANDS: list[Command] = [
    Release(portal="main", reason="the lift is out of order", **COMMON),
    Release(**COMMON),
    Say(phrase="guard-comes", **COMMON),
    Acknowledge(alarm="2b" * 16, note="the wind", **COMMON),
]


@pytest.mark.parametrize("command", COMMANDS, ids=repr)
def test_a_command_is_read_again(command: Command) -> None:
    sealed = seal_command(command, KEY)
    assert unseal_command(sealed, KEYS) == command
    assert len(sealed) <= MAX_SEALED
    assert action_of(command) == type(command).__name__.lower()


def test_the_longest_one_fits() -> None:
    words = "\x01" * 500  # six bytes each in JSON
    longest = Acknowledge(
        alarm="2b" * 16, note=words, **COMMON | {"gate": "g" * 32, "by": words[:64], "not_after_mono": 2**63 - 1}
    )
    assert unseal_command(seal_command(longest, KEY), KEYS) == longest
    assert len(seal_command(longest, KEY)) <= MAX_SEALED


@pytest.mark.parametrize(
    "change",
    [
        {"action": "unlock"},
        {"action": 1},
        {"action": None},
        {"gate": "North 1"},
        {"gate": "north-1\n"},
        {"id": "0F" * 16},
        {"id": "0f" * 15},
        {"boot": ""},
        {"not_after_mono": -1},
        {"not_after_mono": 2**63},
        {"not_after_mono": 1.5},
        {"not_after_mono": "5000"},
        {"not_after_mono": True},
        {"by": ""},
        {"by": "x" * 65},
        {"by": None},
        {"portal": "p" * 65},
        {"reason": "r" * 501},
        {"only_if": "nobody is there"},  # a condition of a later version
    ],
    ids=json.dumps,
)
def test_what_is_signed_and_no_command(change: dict[str, object]) -> None:
    document = {"action": "release", **COMMON} | change
    with pytest.raises(NoCommand, match="no command"):
        unseal_command(seal(json.dumps(document).encode(), WHAT, KEY), KEYS)


@pytest.mark.parametrize("field", ["action", *COMMON])
def test_nothing_may_be_missing(field: str) -> None:
    document = {"action": "release", **COMMON}
    del document[field]
    with pytest.raises(NoCommand):
        unseal_command(seal(json.dumps(document).encode(), WHAT, KEY), KEYS)


@pytest.mark.parametrize("document", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"action":' * 1000])
def test_what_is_signed_and_no_object(document: bytes) -> None:
    with pytest.raises(NoCommand):
        unseal_command(seal(document, WHAT, KEY), KEYS)


def test_another_signature_of_the_office_is_none() -> None:
    document = msgspec.json.encode(COMMANDS[0])
    for sealed in (seal(document, "directory", KEY), seal_trust(TrustList(version=1, issued_s=1), KEY)):
        with pytest.raises(SealError, match="something else"):
            unseal_command(sealed, KEYS)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    with pytest.raises(NotSealed):
        unseal_command(data, KEYS)
    with pytest.raises(NoCommand):
        unseal_command(seal(data, WHAT, KEY), KEYS)


def test_what_may_be_said_is_known_to_the_gate_and_needs_no_values() -> None:
    assert {Phrase(phrase) for phrase in SAYABLE} & set(VALUES) == set()
    assert Phrase.FIRE not in SAYABLE and Phrase.GRANTED not in SAYABLE


def test_the_office_stays_within_what_a_gate_takes() -> None:
    assert 0 < LIFE_MS < MAX_LIFE_MS
