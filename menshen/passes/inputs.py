"""What a command is given: passes, keys, times. Whatever is no good is `click.BadParameter`: exit code 2."""

import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from menshen.keys import read_key_file
from menshen.passes.times import BadTime, find_zone
from sync.contract.ed25519 import is_public_key
from sync.contract.passes import MAX_TEXT, PREFIX, PassKeys, compressed
from sync.contract.sealed import SealError
from sync.contract.trust import PassKey, unseal_trust


def read_text(source: str) -> str:
    """The pass in TEXT|-|FILE: the first line, without its end."""
    if source.startswith(PREFIX):
        return source
    try:
        data = sys.stdin.buffer.read(MAX_TEXT + 3) if source == "-" else _head(Path(source))
        return data.split(b"\n", 1)[0].removesuffix(b"\r").decode("ascii")
    except OSError as error:
        raise click.BadParameter(
            f"{source!r} is neither a pass (which begins with {PREFIX}), nor - for standard input, nor a file that can be "
            f"read: {error.strerror}"
        ) from None
    except ValueError:  # other than ASCII, or a path with a NUL in it
        raise click.BadParameter(f"{source!r} holds no text of a pass") from None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_TEXT + 3)


def read_office_key(path: Path) -> Ed25519PrivateKey:
    """The private key that passes are signed with."""
    try:
        return read_key_file(path)
    except click.ClickException as error:
        raise click.BadParameter(error.message) from None


def read_phone_key(path: Path) -> EllipticCurvePrivateKey:
    """A phone's private key, as `menshen pass keygen --phone` makes one to try things with."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise click.BadParameter(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise click.BadParameter(f"{path}: holds no private key in PEM without a password") from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise click.BadParameter(f"{path}: holds another kind of key: P-256 is needed")
    return key


def read_phone(path: Path) -> bytes:
    """A phone's public key, as a pass has it."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise click.BadParameter(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise click.BadParameter(f"{path}: holds no public key in PEM (BEGIN PUBLIC KEY)") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise click.BadParameter(f"{path}: holds another kind of key: P-256 is needed")
    try:
        return compressed(key)
    except ValueError as error:
        raise click.BadParameter(f"{path}: {error}") from None


def pass_keys(digits: Sequence[str], trust_list: Path | None, office_keys: Sequence[str]) -> PassKeys | None:
    """The keys to believe: those named, and those of a trust list; None when nothing was given."""
    named = [PassKey(key=each.lower()) for each in digits if public_key(each, "--key")]
    if trust_list is not None:
        named += _listed(trust_list, [public_key(each, "--office-key") for each in office_keys])
    return PassKeys.of(named) if digits or trust_list is not None else None


def _listed(path: Path, office: Sequence[Ed25519PublicKey]) -> tuple[PassKey, ...]:
    if not office:
        raise click.BadParameter(
            f"{path}: who signed it? Give the office's public key: --office-key", param_hint="--trust"
        )
    try:
        return unseal_trust(path.read_bytes(), office).pass_keys
    except OSError as error:
        raise click.BadParameter(f"{path}: cannot be read: {error.strerror}", param_hint="--trust") from None
    except SealError as error:
        raise click.BadParameter(f"{path}: is not to be believed: {error}", param_hint="--trust") from None


def public_key(digits: str, option: str) -> Ed25519PublicKey:
    """A public Ed25519 key of 64 hexadecimal digits."""
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        data = b""
    if not is_public_key(data):
        raise click.BadParameter(
            f"{digits!r} is no public Ed25519 key of 64 hexadecimal digits, as `menshen pass keygen` prints it",
            param_hint=option,
        )
    return Ed25519PublicKey.from_public_bytes(data)


def zone(_ctx: click.Context, _option: click.Parameter, name: str) -> ZoneInfo:
    """The time zone of an option."""
    try:
        return find_zone(name)
    except BadTime as error:
        raise click.BadParameter(str(error)) from None
