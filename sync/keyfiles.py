"""Files with a private key, for whoever signs: PEM (PKCS #8), for their owner's eyes only."""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from sync.contract.keys import raw
from sync.errors import SyncError

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


class KeyFileError(SyncError):
    """A key's file cannot be written, read or used: which, why, and what to do."""


def key_pem(key: PrivateKey) -> bytes:
    """The key as such a file has it. Secret."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_key_file(path: Path, key: PrivateKey) -> None:
    """The key in a new file, mode 0600, on disk. Raises KeyFileError where something is there already, or cannot be."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key_pem(key))
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise KeyFileError(f"{path} is there already: a key is never written over; give another name") from None
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written: {error.strerror}") from error


def read_key_file(path: Path) -> Ed25519PrivateKey:
    """The key to sign with in such a file. Raises KeyFileError when there is none."""
    key = read_private_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: holds another kind of key: Ed25519 is needed, as `menshen trust keygen` makes it")
    return key


def read_private_key(path: Path) -> object:
    """A key of whatever kind. Raises KeyFileError when there is none."""
    try:
        return load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}") from error
    except TypeError:
        raise KeyFileError(f"{path}: is encrypted: give a key without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(f"{path}: holds no private key in PEM: make one with `menshen trust keygen`") from None


def public_hex(key: Ed25519PrivateKey) -> str:
    """Its public half as the configuration and a trust list have it: 64 hexadecimal digits."""
    return raw(key.public_key()).hex()
