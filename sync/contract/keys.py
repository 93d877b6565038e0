"""How keys are named: the first 4 bytes of SHA-256 over the raw public key. It only chooses among keys that are trusted."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def raw(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key (RFC 8032)."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(key: Ed25519PublicKey) -> bytes:
    """The 4 bytes that name it."""
    return hashlib.sha256(raw(key)).digest()[:4]
