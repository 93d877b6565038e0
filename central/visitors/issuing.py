"""The key that the office signs visitors' passes with, and signing them. The key's public half stands in the gates' trust list."""

import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.home import office_dir
from sync.contract.colours import PassType
from sync.contract.passes import Pass, sign_pass
from sync.keyfiles import read_key_file

EARLIER: Final = timedelta(minutes=1)  # a gate's clock may be a little behind


def key_path() -> Path:
    """Where the key is. Not made here."""
    return office_dir() / "passes.key"


def has_key() -> bool:
    """Whether there is one."""
    return key_path().exists()


def pass_key() -> Ed25519PrivateKey:
    """The key. Raises KeyFileError when there is none that can be used."""
    return read_key_file(key_path())


def visitor_pass(site: str, holder: str, begins: datetime, ends: datetime) -> tuple[str, str]:
    """A pink pass from `begins` to `ends`: its id and its text for a QR. Raises KeyFileError."""
    content = Pass(
        pass_id=secrets.token_bytes(8),
        pass_type=PassType.VISITOR,
        site=site,
        not_before_s=int((begins - EARLIER).timestamp()),
        expires_s=int(ends.timestamp()),
        holder=holder,
    )
    return content.pass_id.hex(), sign_pass(content, pass_key())
