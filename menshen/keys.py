"""Files with a private key, for whoever signs: PEM (PKCS #8), for their owner's eyes only."""

import os
from pathlib import Path

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from sync.contract.keys import raw


def make_key_file(path: Path) -> Ed25519PrivateKey:
    """A new key in a new file. Raises click.ClickException as `write_key_file`."""
    key = Ed25519PrivateKey.generate()
    write_key_file(path, key)
    return key


def write_key_file(path: Path, key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> None:
    """The key in a new file, mode 0600. Raises click.ClickException where something is there already, or cannot be."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise click.ClickException(f"{path} is there already: a key is never written over; give another name") from None
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror}") from error


def read_key_file(path: Path) -> Ed25519PrivateKey:
    """The key in such a file. Raises click.ClickException when there is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be read: {error.strerror}") from error
    except TypeError:
        raise click.ClickException(f"{path}: is encrypted: give a key without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise click.ClickException(
            f"{path}: holds no private key in PEM: make one with `menshen trust keygen`"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise click.ClickException(
            f"{path}: holds another kind of key: Ed25519 is needed, as `menshen trust keygen` makes it"
        )
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """Its public half as the configuration and a trust list have it: 64 hexadecimal digits."""
    return raw(key.public_key()).hex()
