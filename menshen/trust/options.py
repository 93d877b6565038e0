"""What people write after the options of `menshen trust`, read. Each raises click.BadParameter."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync.contract.ed25519 import is_public_key
from sync.contract.trust import PassKey


def pass_keys(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[PassKey, ...]:
    """HEX or HEX:NAME."""
    parts = [value.partition(":") for value in values]
    return tuple(PassKey(key=_key(digits), name=name) for digits, _, name in parts)


def named_keys(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Keys of the list, whole or by their short names."""
    return tuple(_named(value) for value in values)


def retired(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """HEX:DATE, as the key and the last second of that day (UTC)."""
    return tuple(_retired(value) for value in values)


def office_keys(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[Ed25519PublicKey, ...]:
    """Public keys to verify with."""
    return tuple(Ed25519PublicKey.from_public_bytes(bytes.fromhex(_key(value))) for value in values)


def _key(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise click.BadParameter(f"{text!r} is no public key: 64 hexadecimal digits, as `keygen` prints them")
    if not is_public_key(bytes.fromhex(text)):
        raise click.BadParameter(f"{text!r} is no Ed25519 public key: mistyped, or a placeholder")
    return text.lower()


def _named(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}|[0-9a-fA-F]{64}", text):
        raise click.BadParameter(f"{text!r} is neither a key (64 hexadecimal digits) nor its short name (8)")
    return text.lower()


def _retired(text: str) -> tuple[str, int]:
    named, _, day = text.partition(":")
    try:
        begins = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise click.BadParameter(f"{text!r} names no day: write HEX:2026-12-31") from None
    return _named(named), int(begins.timestamp()) + 86_399
