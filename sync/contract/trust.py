"""The trust list: whose signatures a gate believes, and what was revoked. One document, signed by the office (`sealed`),
JSON inside. The office has taken the issuers' certificates apart already, so a gate reads no X.509.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract.sealed import SealError, seal, unseal

WHAT: Final = "trust"
Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2})*\Z")]


class PassKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key that Menshen passes are signed with. `key`: the raw Ed25519 public key, 64 hexadecimal digits. Passes are
    believed while not revoked and, where bounds are given, when they begin (`nbf`) inside them: Unix seconds, 0 = none."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    name: str = ""
    not_before_s: int = 0
    not_after_s: int = 0
    revoked: bool = False


class Signer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who signs EU certificates (a DSC). `kid`: 16 hexadecimal digits; `key`: SubjectPublicKeyInfo (DER, P-256 or RSA);
    `usages`: of `test`, `vaccination`, `recovery`; none = all (hcert_spec, 3.3.2)."""

    kid: Hex
    key: bytes
    not_before_s: int
    not_after_s: int
    country: str = ""
    usages: tuple[str, ...] = ()


class IssuerKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key of an issuer of SMART Health Cards: P-256, `kid` = its JWK thumbprint (RFC 7638), x and y base64url. `revoked`:
    revocation ids (rid), each with the Unix seconds before which cards are revoked (0 = all)."""

    kid: str
    x: str
    y: str
    revoked: dict[str, int] = {}


class Issuer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An issuer of SMART Health Cards: its address (`iss`), which is only ever compared, and its keys."""

    iss: str
    keys: tuple[IssuerKey, ...]
    name: str = ""


class TrustList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of it. `issued_s`: when the office signed it (Unix seconds). `revoked_certificates`: EU certificates by the
    first 16 bytes of SHA-256 over their UVCI, 32 hexadecimal digits each."""

    version: Annotated[int, msgspec.Meta(ge=1)]
    issued_s: int
    pass_keys: tuple[PassKey, ...] = ()
    signers: tuple[Signer, ...] = ()
    issuers: tuple[Issuer, ...] = ()
    revoked_certificates: tuple[Hex, ...] = ()


DAY_S: Final = 86_400


def older_than(issued_s: int, days: int, now_s: int) -> bool:
    """Whether what was signed at `issued_s` is more than so many days old at `now_s`."""
    return now_s - issued_s > days * DAY_S


def day(seconds: int) -> str:
    """Unix seconds of a list as a day (UTC) for people; what is no day of ours, as the number."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def seal_trust(content: TrustList, key: Ed25519PrivateKey) -> bytes:
    """The list, signed."""
    return seal(msgspec.json.encode(content), WHAT, key)


def unseal_trust(data: bytes, keys: Sequence[Ed25519PublicKey]) -> TrustList:
    """The list in `data`, signed by one of the pinned `keys`. Raises SealError."""
    try:
        return msgspec.json.decode(unseal(data, WHAT, keys), type=TrustList)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SealError(f"signed, but no trust list: {error}") from None
