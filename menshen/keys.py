"""Files with a private key (`sync.keyfiles`), for the commands: what fails is told in one line, click.ClickException."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import keyfiles
from sync.keyfiles import public_hex

__all__ = ["make_key_file", "public_hex", "read_key_file", "write_key_file"]
P = ParamSpec("P")
R = TypeVar("R")


def _told(function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except keyfiles.KeyFileError as error:
            raise click.ClickException(str(error)) from error

    return told


read_key_file = _told(keyfiles.read_key_file)
write_key_file = _told(keyfiles.write_key_file)


def make_key_file(path: Path) -> Ed25519PrivateKey:
    """A new key in a new file."""
    key = Ed25519PrivateKey.generate()
    write_key_file(path, key)
    return key
