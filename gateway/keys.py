"""Secrets that a gate makes for itself: files of its data folder that only its owner reads."""

import os
import secrets
from pathlib import Path

from gateway.errors import GatewayError

HASH_KEY_BYTES = 32


def hash_key(data_dir: Path) -> bytes:
    """The key of this gate's references to scanned texts and cards, made once. Raises GatewayError when unusable."""
    path = data_dir / "hash-key"
    try:
        if not path.exists():
            _create(path, secrets.token_bytes(HASH_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise GatewayError(f"{path}: cannot be made or read: {error.strerror}; check the folder's owner") from error
    if len(key) != HASH_KEY_BYTES:
        raise GatewayError(
            f"{path}: has {len(key)} bytes where {HASH_KEY_BYTES} are needed; move it away to get a new one"
        )
    return key


def _create(path: Path, data: bytes) -> None:
    # written aside and renamed: a power cut leaves either no key or a whole one
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
