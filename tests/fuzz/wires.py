"""Targets: what comes from the network or out of a file."""

import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.ingest import reading
from central.ingest.refusals import Refused
from gateway.directory import Card, Code, DirectoryFile, Holder, read_directory_file
from gateway.errors import DirectoryError
from gateway.orders import OrderRefused, Orders
from sync.contract.alarms import Alarm, AlarmAction, AlarmKind, AlarmMessage
from sync.contract.colours import HealthCode, PassType
from sync.contract.commands import Acknowledge, Release, Say, seal_command
from sync.contract.sealed import seal
from sync.contract.standing_orders import (
    decode_orders,
    encode_orders,
    read_orders,
    seal_orders,
    standing,
    unseal_orders,
)
from sync.contract.topics import Channel
from sync.errors import MessageError
from sync.log.keyed import Mark
from sync.log.messages import MAX_INFLATED, Ack, Batch, Fork, Gone, Hello, encode
from sync.log.receiver import decode_upward
from sync.log.records import GENESIS, Record, body_hash
from sync.log.sender import decode_downward
from tests.fuzz.target import Target, assert_bounded

LOG = "0123456789abcdef" * 2
EPOCH = datetime.fromtimestamp(0, UTC)
OFFICE = Ed25519PrivateKey.from_private_bytes(bytes(32))
DIGEST, BOOT, SALT = bytes(range(32)), bytes(16), bytes(16)


def upward(data: bytes) -> None:
    """A gate's message, at the office."""
    try:
        assert_bounded(msgspec.to_builtins(decode_upward(data), builtin_types=(bytes,)), 2 * MAX_INFLATED)
    except MessageError:
        return


def downward(data: bytes) -> None:
    """The office's answer, at a gate."""
    try:
        assert_bounded(msgspec.to_builtins(decode_downward(data), builtin_types=(bytes,)), 4096)
    except MessageError:
        return


def command(data: bytes) -> None:
    """What anybody may publish on a gate's `cmd`; and what the office's key may have signed."""
    orders = Orders("g", LOG, [OFFICE.public_key()], now_ms=lambda: 1, post=lambda _: None)
    for payload in (data, seal(data, "command", OFFICE)):
        try:
            taken = orders.judge(payload)
        except OrderRefused as refused:
            assert re.fullmatch(r"[a-z-]{4,16}", refused.reason)
            continue
        assert (taken.gate, taken.boot) == ("g", LOG)
        assert_bounded(msgspec.to_builtins(taken), 4096)


def standing_orders(data: bytes) -> None:
    """What anybody may publish as orders on a gate's `down`; and what the office's key may have signed."""
    for make in (lambda: unseal_orders(decode_orders(data), [OFFICE.public_key()]), lambda: read_orders(data)):
        try:
            assert_bounded(msgspec.to_builtins(make(), builtin_types=(bytes,)), 8192 + 4 * len(data))
        except MessageError:
            continue


def plain(data: bytes) -> None:
    """Alarm and state as anybody may publish them, at the office."""
    for channel in (Channel.ALARM, Channel.STATE):
        try:
            reading.read(reading.Arrived("g", channel, data, EPOCH))
        except Refused:
            continue


def directory_file(data: bytes) -> None:
    """A file that somebody loads."""
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.write(data)
        file.flush()
        try:
            content = read_directory_file(Path(file.name))
        except DirectoryError:
            return
    assert content.version >= 1
    assert_bounded(msgspec.to_builtins(content), 64 * (1 + len(data)))


def _upward_seeds() -> Iterable[bytes]:
    record = Record(
        1, "visit", 1_800_000_000_000, True, BOOT, 5, b'{"visit":"v"}', SALT, body_hash(SALT, b'{"visit":"v"}')
    )
    yield encode(Hello(log_id=LOG, oldest=1, head=1, head_hash=DIGEST))
    yield encode(Batch.of(LOG, 0, GENESIS, (record,)))
    yield encode(Gone(log_id=LOG, after=0, upto=3, reason="trimmed", hash=DIGEST))


def _downward_seeds() -> Iterable[bytes]:
    yield encode(Ack(log_id=LOG, seq=7, hash=DIGEST))
    yield encode(Fork(log_id=LOG, seq=7, hash=DIGEST))


def _command_seeds() -> Iterable[bytes]:
    common: dict[str, Any] = {"gate": "g", "id": LOG, "boot": LOG, "not_after_mono": 5, "by": "li"}
    for made in (Release(reason="x", **common), Say(phrase="register", **common), Acknowledge(alarm=LOG, **common)):
        yield msgspec.json.encode(made)
        yield seal_command(made, OFFICE)


def _orders_seeds() -> Iterable[bytes]:
    order = msgspec.json.encode({"id": LOG, "mode": "lockdown", "by": "li", "at_ms": 1})
    made = standing("g", "s", Mark(1, 7, BOOT), {"*": order}, None)
    yield msgspec.json.encode(made)
    yield encode_orders(seal_orders(made, OFFICE))


def _plain_seeds() -> Iterable[bytes]:
    alarm = Alarm(id=LOG, kind=AlarmKind.FIRE, portal="main", since_ms=1)
    yield msgspec.json.encode(AlarmMessage(action=AlarmAction.RAISED, alarm=alarm, at_ms=1, boot=LOG, mono_ms=1))


def _directory_seeds() -> Iterable[bytes]:
    people = Holder(holder="h-1", pass_type=PassType.RESIDENT)
    code = Code(sha256="0" * 64, health_code=HealthCode.GREEN)
    card = Card(uid="000414CD7E", holder="h-1")
    content = DirectoryFile(version=1, holders=(people,), cards=(card,), codes=(code,), revoked=("0" * 16,))
    yield msgspec.json.encode(content)
    yield seal(msgspec.json.encode(content), "directory", Ed25519PrivateKey.from_private_bytes(bytes(32)))


TARGETS = (
    Target("upward", upward, _upward_seeds),
    Target("downward", downward, _downward_seeds),
    Target("command", command, _command_seeds),
    Target("orders", standing_orders, _orders_seeds),
    Target("alarm-and-state", plain, _plain_seeds),
    Target("directory-file", directory_file, _directory_seeds),
)
