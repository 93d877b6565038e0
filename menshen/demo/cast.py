"""Whom the demo's gate knows: keys, cards, passes and health codes made anew for each demo. Nobody is real."""

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from menshen.demo.certificates import EuSigner, SmartIssuer
from menshen.keys import make_key_file, public_hex
from sync.contract.colours import PassType
from sync.contract.passes import Pass, compressed, sign_pass
from sync.contract.sealed import seal
from sync.contract.trust import PassKey, TrustList, seal_trust

DAY_S = 86_400
VALID_DAYS = 400  # the scripted day may run on for a year
CARDS = {"resident": "000414CD7E", "resident-2": "1F00644BB6"}
HOLDERS = {
    "resident": ("h-0101", PassType.RESIDENT),
    "resident-2": ("h-0102", PassType.RESIDENT),
    "tenant": ("h-0201", PassType.TENANT),
    "phone": ("h-0202", PassType.TENANT),
    "returnee": ("h-0301", PassType.RETURNEE),
    "returnee-2": ("h-0302", PassType.RETURNEE),
    "visitor": ("h-0401", PassType.VISITOR),
    "visitor-2": ("h-0402", PassType.VISITOR),
}
ON_PAPER = ("tenant", "returnee", "returnee-2", "visitor", "visitor-2")
CODES = {"green-code": "green", "green-code-2": "green", "red-code": "red"}


@dataclass(frozen=True, slots=True)
class CastFiles:
    """What the gate gets: the office's public key in hexadecimal, the signed directory and trust list, and the file of what the
    people carry; and the office: the file of its private key."""

    office_key: str
    office: Path
    directory: Path
    trust: Path
    cast: Path


def make_cast(folder: Path, site: str) -> CastFiles:
    """Make the demo's holders and write their files into `folder`; the private keys too, to try `menshen trust` with."""
    office, passes = (_new_key(folder / name) for name in ("office.pem", "passes.pem"))
    eu, smart, phone = EuSigner(), SmartIssuer(), generate_private_key(SECP256R1())
    codes = {name: f"JKM:{secrets.token_urlsafe(18)}" for name in CODES}
    texts = {name: _pass(name, site, passes) for name in ON_PAPER}
    texts["forged"] = _pass("visitor", site, Ed25519PrivateKey.generate())
    texts |= {"eu-certificate": eu.certificate(), "smart-card": smart.card()}
    carried = {
        "cards": CARDS,
        "codes": {**texts, **codes},
        "phones": {"phone": {"pass_text": _pass("phone", site, passes, phone), "key": _pem(phone)}},
    }
    files = CastFiles(
        public_hex(office),
        folder / "office.pem",
        folder / "directory.sealed",
        folder / "site.trust",
        folder / "cast.json",
    )
    listed = TrustList(
        version=1,
        issued_s=int(time.time()),
        pass_keys=(PassKey(key=public_hex(passes), name="demo"),),
        signers=(eu.signer,),
        issuers=(smart.issuer,),
    )
    files.directory.write_bytes(seal(json.dumps(_directory(codes)).encode(), "directory", office))
    files.trust.write_bytes(seal_trust(listed, office))
    files.cast.write_text(json.dumps(carried, indent=1))
    return files


def _new_key(path: Path) -> Ed25519PrivateKey:
    path.unlink(missing_ok=True)
    return make_key_file(path)


def _pass(name: str, site: str, key: Ed25519PrivateKey, phone: EllipticCurvePrivateKey | None = None) -> str:
    holder, pass_type = HOLDERS[name]
    now = int(time.time())
    content = Pass(
        pass_id=secrets.token_bytes(8),
        pass_type=pass_type,
        site=site,
        not_before_s=now - DAY_S,
        expires_s=now + VALID_DAYS * DAY_S,
        holder=holder,
        phone=b"" if phone is None else compressed(phone.public_key()),
    )
    return sign_pass(content, key)


def _pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _directory(texts: Mapping[str, str]) -> dict[str, object]:
    return {
        "version": 1,
        "issued_s": int(time.time()),
        "holders": [{"holder": holder, "pass_type": kind} for holder, kind in HOLDERS.values()],
        "cards": [{"uid": uid, "holder": HOLDERS[name][0]} for name, uid in CARDS.items()],
        "codes": [
            {"sha256": hashlib.sha256(text.encode()).hexdigest(), "health_code": CODES[name]}
            for name, text in texts.items()
        ],
    }
