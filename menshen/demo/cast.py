"""Whom the demo's gate knows: keys, cards, passes and health codes made anew for each demo. Nobody is real."""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.contract.colours import PassType
from sync.contract.passes import Pass, sign_pass

DAY_S = 86_400
VALID_DAYS = 400  # the scripted day may run on for a year
CARDS = {"resident": "000414CD7E", "resident-2": "1F00644BB6"}
HOLDERS = {
    "resident": ("h-0101", PassType.RESIDENT),
    "resident-2": ("h-0102", PassType.RESIDENT),
    "tenant": ("h-0201", PassType.TENANT),
    "returnee": ("h-0301", PassType.RETURNEE),
    "visitor": ("h-0401", PassType.VISITOR),
}
CODES = {"green-code": "green", "green-code-2": "green", "red-code": "red"}


@dataclass(frozen=True, slots=True)
class CastFiles:
    """What the gate gets: the public key in hexadecimal, the directory file, the file of what the people carry."""

    pass_key: str
    directory: Path
    cast: Path


def make_cast(folder: Path, site: str) -> CastFiles:
    """Make the demo's holders and write their files into `folder`."""
    key, forger = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    texts = {name: f"JKM:{secrets.token_urlsafe(18)}" for name in CODES}
    passes = {name: _pass(name, site, key) for name in ("tenant", "returnee", "visitor")}
    passes["forged"] = _pass("visitor", site, forger)
    directory, cast = folder / "directory.json", folder / "cast.json"
    directory.write_text(json.dumps(_directory(texts), indent=1))
    cast.write_text(json.dumps({"cards": CARDS, "codes": {**passes, **texts}}, indent=1))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    return CastFiles(public, directory, cast)


def _pass(name: str, site: str, key: Ed25519PrivateKey) -> str:
    holder, pass_type = HOLDERS[name]
    now = int(time.time())
    content = Pass(
        pass_id=secrets.token_bytes(8),
        pass_type=pass_type,
        site=site,
        not_before_s=now - DAY_S,
        expires_s=now + VALID_DAYS * DAY_S,
        holder=holder,
    )
    return sign_pass(content, key)


def _directory(texts: dict[str, str]) -> dict[str, object]:
    return {
        "version": 1,
        "holders": [{"holder": holder, "pass_type": kind} for holder, kind in HOLDERS.values()],
        "cards": [{"uid": uid, "holder": HOLDERS[name][0]} for name, uid in CARDS.items()],
        "codes": [
            {"sha256": hashlib.sha256(text.encode()).hexdigest(), "health_code": CODES[name]}
            for name, text in texts.items()
        ],
    }
