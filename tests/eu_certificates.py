"""EU certificates of our own, made with throw-away keys: what a member state's issuer would do, and what a forger would."""

import base64
import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import base45
import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.contract.cose import ALG, ES256, KEY_ID, PS256, to_be_signed
from sync.contract.trust import Signer

DATA = Path(__file__).parents[2] / "shared" / "data" / "dcc"
NOW_S = int(datetime(2022, 3, 1, 12, tzinfo=UTC).timestamp())
DAY_S = 86_400
KID = bytes.fromhex("0102030405060708")
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # n of P-256 (SEC 2)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())

VACCINATION = {
    "tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2,
    "dt": "2021-12-01", "co": "AT", "is": "Ministry of Health, Austria", "ci": "URN:UVCI:01:AT:10807843F94AEE0EE509#B",
}  # fmt: skip
TEST = {
    "tg": "840539006", "tt": "LP6464-4", "nm": "Roche LightCycler qPCR", "sc": "2022-03-01T02:00:00Z", "tr": "260415000",
    "tc": "Testing center Vienna 1", "co": "AT", "is": "Ministry of Health, Austria", "ci": "URN:UVCI:01:AT:71EE2559DE38#O",
}  # fmt: skip
RECOVERY = {
    "tg": "840539006", "fr": "2022-01-10", "co": "AT", "is": "Ministry of Health, Austria", "df": "2022-01-21",
    "du": "2022-07-09", "ci": "URN:UVCI:01:AT:858CC18CFCF5965EF82F#5",
}  # fmt: skip


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key that is made once: it takes a moment."""
    return rsa.generate_private_key(65537, bits)


def signer_of(key: Key = KEY, **changes: Any) -> Signer:
    """The signer with this key, for all kinds, from a year before `NOW_S` to three after it."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    of = {"kid": KID.hex(), "key": public, "not_before_s": NOW_S - 365 * DAY_S, "not_after_s": NOW_S + 1095 * DAY_S}
    return Signer(**(of | changes))


def content(group: str = "v", entry: object = None, **changes: object) -> dict[str, object]:
    """A health certificate with one entry in `group`; a change to None leaves a member out."""
    usual = {"v": VACCINATION, "t": TEST, "r": RECOVERY}.get(group)
    name = {"fn": "Musterfrau-Gößinger", "gn": "Gabriele", "fnt": "MUSTERFRAU<GOESSINGER", "gnt": "GABRIELE"}
    whole = {"ver": "1.3.0", "nam": name, "dob": "1998-02-26", group: [usual if entry is None else entry]} | changes
    return {key: value for key, value in whole.items() if value is not None}


def claims(health: object = None, **changes: object) -> dict[object, object]:
    """The claims around it: issued yesterday, for a year. `iat` and `exp` change them; None leaves one out."""
    times = {6: changes.get("iat", NOW_S - DAY_S), 4: changes.get("exp", NOW_S + 364 * DAY_S)}
    whole = {1: "AT", **times, -260: {1: content() if health is None else health}}
    return {key: value for key, value in whole.items() if value is not None}


def sign(data: bytes, key: Key) -> bytes:
    """As COSE wants it: r‖s, or PSS."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    size = (key.curve.key_size + 7) // 8
    return b"".join(part.to_bytes(size) for part in decode_dss_signature(key.sign(data, ec.ECDSA(SHA256()))))


def cose_object(
    payload: bytes | None = None,
    key: Key = KEY,
    protected: Mapping[object, object] | None = None,
    unprotected: Mapping[object, object] | None = None,
    signature: bytes | None = None,
) -> bytes:
    """A COSE_Sign1, tagged."""
    algorithm = PS256 if isinstance(key, rsa.RSAPrivateKey) else ES256
    payload = cbor2.dumps(claims()) if payload is None else payload
    header = cbor2.dumps({KEY_ID: KID, ALG: algorithm} if protected is None else protected) if protected != {} else b""
    signed = sign(to_be_signed(header, payload), key) if signature is None else signature
    return cbor2.dumps(cbor2.CBORTag(18, [header, unprotected or {}, payload, signed]))


def pack(data: bytes, level: int = 9) -> str:
    """As a text."""
    return packed(zlib.compress(data, level))


def packed(compressed: bytes) -> str:
    """The same for what is compressed already."""
    return f"HC1:{base45.b45encode(compressed).decode()}"


def certificate(health: object = None, key: Key = KEY, **changes: object) -> str:
    """A whole certificate, as a text."""
    return pack(cose_object(cbor2.dumps(claims(health, **changes)), key))


def twin(text: str) -> str:
    """The same certificate with the signature's other form (n − s), and packed anew."""
    parts = cbor2.loads(zlib.decompress(base45.b45decode(text[4:]))).value
    r, s = parts[3][:32], int.from_bytes(parts[3][32:])
    return pack(cbor2.dumps([*parts[:3], r + (ORDER - s).to_bytes(32)]), 1)


def real(path: str) -> tuple[str, bytes]:
    """The text and the signer's certificate of one of the member states' files; skips the test where they are not here."""
    file = DATA / path
    if not file.exists():
        pytest.skip(f"{file} is not here")
    read = json.loads(file.read_text())
    return read["PREFIX"], base64.b64decode(read["TESTCTX"]["CERTIFICATE"])
