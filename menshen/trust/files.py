"""Reading and writing for the commands: what fails is told in one line."""

import secrets
from pathlib import Path

import click


def read(path: Path) -> bytes:
    """A file's bytes. Raises click.ClickException."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be read: {error.strerror}") from error


def write(path: Path, data: bytes) -> None:
    """Written aside and renamed: there is either the old file or the whole new one. Raises click.ClickException."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise click.ClickException(f"{path}: cannot be written: {error.strerror}") from error
