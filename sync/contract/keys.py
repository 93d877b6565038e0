"""How keys are named. A name only chooses among keys that are trusted."""

import base64
import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_ID_BYTES: Final = 4


def raw(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key (RFC 8032)."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_id(key: Ed25519PublicKey) -> bytes:
    """The 4 bytes that name it: the first of SHA-256 over the raw public key."""
    return hashlib.sha256(raw(key)).digest()[:KEY_ID_BYTES]


def jwk_thumbprint(x: str, y: str) -> str:
    """The name of a P-256 key by its coordinates in base64url: SHA-256 over its JWK (RFC 7638, section 3), base64url."""
    jwk = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(jwk.encode()).digest()).rstrip(b"=").decode()
