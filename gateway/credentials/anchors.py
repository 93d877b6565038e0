"""Whose signatures are believed: a trust list, made ready for looking up."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchors:
    """All of them. `version` 0: no trust list was ever imported. `issued_s`: when the office signed it."""

    version: int = 0
    issued_s: int = 0
    pass_keys: Sequence[Ed25519PublicKey] = ()
