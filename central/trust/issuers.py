"""Issuers of SMART Health Cards, from what they and the VCI publish. Nothing is fetched: files come in, `Issuer`s go out.

- a key set (JWKS) as at `<iss>/.well-known/jwks.json`, and one file of revocations for each key as at
  `<iss>/.well-known/crl/<kid>.json` (https://spec.smarthealth.cards, "Determining keys", "Revocation")
- the VCI directory's snapshot, `vci_snapshot.json`: `{"issuerInfo": [{"issuer": {"iss", "name"}, "keys": […], "crls": […]}]}`
  (https://github.com/the-commons-project/vci-directory)

One bad key among hundreds is no reason to believe none: what cannot be used is left out and said.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from sync.contract.encoding import decode_base64url, decode_json
from sync.contract.keys import jwk_thumbprint
from sync.contract.trust import Issuer, IssuerKey
from sync.errors import CredentialRefused

EXAMPLE_ISSUERS: Final = frozenset(
    {"https://spec.smarthealth.cards/examples/issuer", "https://smarthealth.cards/examples/issuer"}
)
EXAMPLE_KEYS: Final = frozenset(
    {"3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s", "EBKOr72QQDcTBUuVzAzkfBTGew0ZA16GuWty64nS-sw"}
)
"""The specification's own. Their private keys are published with it: whoever likes makes cards of them."""
_EXAMPLE: Final = "the specification's example, whose private key is public"

_ISS: Final = re.compile(r"https://[!-~]*[!-.0-~]")
_RID: Final = re.compile(r"([A-Za-z0-9_-]{1,24})(?:\.([0-9]{1,11}))?")
_EXPECTED: Final = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256"}
_MAY_BE_MISSING: Final = frozenset({"use", "alg"})


class IssuersUnreadable(Exception):
    """A file that is none of these at all: which, and why."""


@dataclass(slots=True)
class Reading:
    """What was found, and what was left out: each a sentence that names the key and the reason."""

    issuers: list[Issuer] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Revocations:
    """One revocation file: ids, each with the Unix seconds before which cards are revoked (0 = all)."""

    kid: str
    counter: int
    revoked: Mapping[str, int]


def read_files(jwks: Path, iss: str, *, allow_example: bool = False) -> Reading:
    """The issuer whose key set is `jwks`; its revocations are the files in `crl` beside it. Raises IssuersUnreadable, OSError."""
    folder = jwks.parent / "crl"
    revocations = [path.read_bytes() for path in sorted(folder.glob("*.json"))]
    return read_jwks(jwks.read_bytes(), iss, revocations, allow_example=allow_example)


def read_jwks(data: bytes, iss: str, revocations: Iterable[bytes] = (), *, allow_example: bool = False) -> Reading:
    """The issuer `iss` by its key set. `allow_example`: believe the specification's example issuer. Raises
    IssuersUnreadable."""
    keys = _members(data, "a key set (JWKS)").get("keys")
    if not isinstance(keys, list):
        raise IssuersUnreadable("not a key set (JWKS): no list `keys`")
    reading = Reading()
    _add_issuer(reading, {"iss": iss}, keys, [_decoded(each) for each in revocations], allow_example)
    return reading


def read_snapshot(data: bytes, *, allow_example: bool = False) -> Reading:
    """The issuers of a VCI snapshot. Raises IssuersUnreadable."""
    entries = _members(data, "a VCI snapshot").get("issuerInfo")
    if not isinstance(entries, list):
        raise IssuersUnreadable("not a VCI snapshot: no list `issuerInfo`")
    reading = Reading()
    for number, entry in enumerate(entries, start=1):
        issuer = entry.get("issuer") if isinstance(entry, dict) else None
        if isinstance(issuer, dict):
            _add_issuer(reading, issuer, _list(entry.get("keys")), _list(entry.get("crls")), allow_example)
        else:
            reading.left_out.append(f"entry {number} names no issuer")
    return reading


def _add_issuer(
    reading: Reading, issuer: Mapping[str, object], keys: Sequence[object], crls: Sequence[object], allow_example: bool
) -> None:
    iss, name = issuer.get("iss"), issuer.get("name")
    fault = _fault_of_address(iss, [each.iss for each in reading.issuers], allow_example)
    if fault:
        reading.left_out.append(f"issuer {iss}: {fault}")
        return
    usable: dict[str, IssuerKey] = {}
    versions: dict[str, object] = {}
    for number, key in enumerate(keys, start=1):
        fault = _fault_of_key(key, allow_example)
        if fault:
            reading.left_out.append(f"issuer {iss}, key {_named(key, number)}: {fault}")
        elif isinstance(key, dict):
            kid = str(key["kid"])
            usable.setdefault(kid, IssuerKey(kid=kid, x=str(key["x"]), y=str(key["y"])))
            versions[kid] = key.get("crlVersion")
    for kid, revoked in _revocations(reading, str(iss), versions, crls).items():
        usable[kid] = IssuerKey(kid=kid, x=usable[kid].x, y=usable[kid].y, revoked=revoked)
    if not usable:
        reading.left_out.append(f"issuer {iss}: it has no usable key")
        return
    reading.issuers.append(
        Issuer(iss=str(iss), name=name if isinstance(name, str) else "", keys=tuple(usable.values()))
    )


def _fault_of_address(iss: object, known: Sequence[str], allow_example: bool) -> str:
    if not (isinstance(iss, str) and _ISS.fullmatch(iss)):
        return "an issuer's address begins with https:// and does not end in /"
    if iss in EXAMPLE_ISSUERS and not allow_example:
        return _EXAMPLE
    return "listed twice" if iss in known else ""


def _named(key: object, number: int) -> str:
    kid = key.get("kid") if isinstance(key, dict) else None
    return kid if isinstance(kid, str) else f"number {number}"


def _fault_of_key(key: object, allow_example: bool) -> str:
    if not isinstance(key, dict):
        return "not a key (JWK)"
    for member, expected in _EXPECTED.items():
        missing = member not in key and member in _MAY_BE_MISSING
        if not missing and key.get(member) != expected:
            return f"its {member} is {key.get(member)!r} where {expected!r} belongs"
    if "d" in key:
        return "its private key is in the file: it signs for anybody who has read it"
    kid, x, y = (key.get(member) for member in ("kid", "x", "y"))
    if not (isinstance(x, str) and isinstance(y, str) and _is_point(x, y)):
        return "its x and y are no point of P-256"
    if kid != jwk_thumbprint(x, y):
        return "its kid is not its thumbprint (RFC 7638)"
    return "" if allow_example or kid not in EXAMPLE_KEYS else _EXAMPLE


def _is_point(x: str, y: str) -> bool:
    try:
        point = decode_base64url(x) + decode_base64url(y)
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + point)
    except (CredentialRefused, ValueError):
        return False
    return len(decode_base64url(x)) == 32


def _revocations(
    reading: Reading, iss: str, versions: Mapping[str, object], crls: Sequence[object]
) -> Mapping[str, dict[str, int]]:
    """By key id. `versions`: how often each key says that its list was changed."""
    found: dict[str, dict[str, int]] = {}
    for number, each in enumerate(crls, start=1):
        crl, faults = _read_crl(each)
        where = f"issuer {iss}, revocations {number if crl is None else 'of key ' + crl.kid}"
        reading.left_out.extend(f"{where}: {fault}" for fault in faults)
        if crl is None:
            continue
        if crl.kid not in versions:
            reading.left_out.append(f"{where}: no such key is believed")
            continue
        version = versions[crl.kid]
        if isinstance(version, int) and crl.counter < version:
            reading.left_out.append(f"{where}: edition {crl.counter}, and the key says that there is a {version}")
        _merge(found.setdefault(crl.kid, {}), crl.revoked)
    for kid in versions.keys() - found.keys():
        if versions[kid]:
            reading.left_out.append(f"issuer {iss}, key {kid}: it has revocations (crlVersion), and none were given")
    return found


def _read_crl(value: object) -> tuple[Revocations | None, Sequence[str]]:
    """The list, and what in it cannot be used."""
    if not isinstance(value, dict) or not isinstance(value.get("kid"), str):
        return None, ["not a revocation list: no `kid`"]
    if value.get("method") != "rid" or not isinstance(value.get("rids"), list):
        return None, [f"of key {value['kid']}: its method is {value.get('method')!r} where 'rid' belongs, with `rids`"]
    counter = value.get("ctr")
    revoked: dict[str, int] = {}
    faults = []
    for each in value["rids"]:
        match = _RID.fullmatch(each) if isinstance(each, str) else None
        if match is None:
            faults.append(f"{each!r} is no revocation id")
        else:
            _merge(revoked, {match[1]: int(match[2] or 0)})
    return Revocations(value["kid"], counter if isinstance(counter, int) else 0, revoked), faults


def _merge(revoked: dict[str, int], more: Mapping[str, int]) -> None:
    """Of two bounds for one id the later one; none at all revokes all."""
    for rid, before_s in more.items():
        known = revoked.get(rid, before_s)
        revoked[rid] = max(known, before_s) if known and before_s else 0


def _members(data: bytes, what: str) -> Mapping[str, object]:
    value = _decoded(data)
    if not isinstance(value, dict):
        raise IssuersUnreadable(f"not {what}: no JSON object")
    return value


def _decoded(data: bytes) -> object:
    try:
        return decode_json(data.removeprefix(b"\xef\xbb\xbf"))
    except CredentialRefused as error:
        raise IssuersUnreadable(f"no JSON that could be taken: {error.reason}") from None


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
