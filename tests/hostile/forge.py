"""Credentials of every kind, good and bad, made with keys that are thrown away with the test."""

import base64
import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from central.trust.certificates import signer
from gateway.config.settings import ResolverConfig
from gateway.core.moment import Moment
from gateway.core.policy import CredentialPolicy, Fact, Policy
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory, DirectoryFile
from gateway.resolve import Resolver, Trust, server
from gateway.resolve.resolver import SCHEMES
from sync.contract import cose
from sync.contract.colours import PassType
from sync.contract.keys import jwk_thumbprint, key_id, raw
from sync.contract.passes import Pass, compressed, present, sign_pass
from sync.contract.trust import Issuer, IssuerKey, PassKey, Signer, TrustList

SITE = "demo"
NOW_S = int(time.time())
NOW = Moment(mono_ms=1_000_000, at_ms=NOW_S * 1000)
DAY_S = 86_400
ISS = "https://issuer.example/shc"

OFFICE, FORGER, REVOKED = (Ed25519PrivateKey.generate() for _ in range(3))
PHONE, DSC, DSC_TESTS_ONLY, STRANGER, ISSUER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(5))
KID, KID_TESTS_ONLY, KID_RSA = b"menshen1", b"menshen2", b"menshen3"
Sign = Callable[[bytes], bytes]


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """A signer's RSA key."""
    return rsa.generate_private_key(65537, 2048)


def by(key: ec.EllipticCurvePrivateKey) -> Sign:
    """Signs with ES256: r and s, each 32 bytes."""

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return sign


def by_rsa(data: bytes) -> bytes:
    """Signs with PS256."""
    return rsa_key().sign(data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())


# what a gate believes


def trust_list() -> TrustList:
    """The list of a site that trusts all of the keys above but those of the forger and the stranger."""
    public = ISSUER.public_key().public_numbers()
    x, y = (_b64(number.to_bytes(32, "big")) for number in (public.x, public.y))
    return TrustList(
        version=1,
        issued_s=NOW_S - DAY_S,
        pass_keys=(
            PassKey(key=raw(OFFICE.public_key()).hex()),
            PassKey(key=raw(REVOKED.public_key()).hex(), revoked=True),
        ),
        signers=(
            _signer(KID, DSC.public_key()),
            _signer(KID_TESTS_ONLY, DSC_TESTS_ONLY.public_key(), usages=("test",)),
            _signer(KID_RSA, rsa_key().public_key()),
        ),
        issuers=(Issuer(iss=ISS, keys=(IssuerKey(kid=jwk_thumbprint(x, y), x=x, y=y, revoked={"gone": 0}),)),),
    )


def _signer(kid: bytes, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, usages: tuple[str, ...] = ()) -> Signer:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    begins, ends = NOW_S - 2000 * DAY_S, NOW_S + 2000 * DAY_S
    return Signer(kid=kid.hex(), key=der, not_before_s=begins, not_after_s=ends, usages=usages)


def trust(folder: Path, policy: Policy | None = None) -> Trust:
    """What the resolver checks against: the list, and a directory that lists nobody and nothing."""
    directory, anchors = Directory(folder / "directory.sqlite"), Anchors.of(trust_list())
    directory.replace(DirectoryFile(version=1))
    return Trust(site=SITE, anchors=lambda: anchors, directory=directory, hash_key=b"k" * 32, policy=policy or Policy())


def resolver(folder: Path, policy: Policy | None = None) -> Resolver:
    """A gate's resolver, with all kinds of credentials. Nobody listens where it would ask about codes."""
    *first, last = SCHEMES
    return Resolver(trust(folder, policy), [*first, *server.schemes([SERVICE]), last])


SERVICE = ResolverConfig(
    name="nobody", pattern="JKM:{code}", endpoint="http://127.0.0.1:9/", request_field="code", answer_field="state"
)


# Menshen passes


def menshen_pass(key: Ed25519PrivateKey = OFFICE, **changes: Any) -> str:
    """A pass on paper."""
    content = Pass(
        pass_id=b"\1\2\3\4\5\6\7\x08",
        pass_type=PassType.RESIDENT,
        site=SITE,
        not_before_s=NOW_S - DAY_S,
        expires_s=NOW_S + DAY_S,
        holder="h-1",
    )
    return sign_pass(replace(content, **changes), key)


def phone_pass(at_s: int = NOW_S, phone: ec.EllipticCurvePrivateKey = PHONE) -> str:
    """What the phone shows at `at_s`."""
    return present(menshen_pass(pass_id=b"phone\0\0\1", phone=compressed(phone.public_key())), phone, at_s)


def mp1(data: bytes) -> str:
    """Bytes as the text of a pass."""
    return "MP1:" + bytes(base45.b45encode(data)).decode()


def mp1_signed(claims: bytes | Mapping[int, object], headers: Mapping[int, object] | None = None) -> str:
    """A pass with whatever claims and further headers, signed all the same."""
    protected = _cbor({cose.ALG: cose.EDDSA, cose.KEY_ID: key_id(OFFICE.public_key()), **(headers or {})})
    payload = claims if isinstance(claims, bytes) else _cbor(claims)
    return mp1(cose.encode_sign1(protected, payload, OFFICE.sign(cose.to_be_signed(protected, payload))))


def mp1_parts(text: str) -> list[Any]:
    """A pass taken apart: protected, unprotected, payload, signature."""
    parts: list[Any] = list(cbor2.loads(base45.b45decode(text.removeprefix("MP1:"))))
    return parts


def _cbor(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


# EU certificates


def eu_content(**name: str) -> dict[str, Any]:
    """A vaccination that the default rule accepts."""
    given = time.strftime("%Y-%m-%d", time.gmtime(NOW_S - 60 * DAY_S))
    entry = {"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2}
    entry |= {"dt": given, "co": "AT", "is": "Ministry", "ci": "URN:UVCI:01:AT:MARK10807843F94AEE0EE5093FBC254BD813#B"}
    names = {"fn": "Musterfrau", "gn": "Gabriele", "fnt": "MUSTERFRAU", "gnt": "GABRIELE"}
    return {"ver": "1.3.0", "nam": names | name, "dob": "1998-02-26", "v": [entry]}


def eu_claims(**changes: Any) -> dict[int, Any]:
    """The CWT around it. `exp`, `iat`, `content`."""
    claims = {1: "AT", 4: NOW_S + 30 * DAY_S, 6: NOW_S - DAY_S, -260: {1: eu_content()}}
    places = {"exp": 4, "iat": 6, "hcert": -260}
    return (
        claims
        | {places[key]: value for key, value in changes.items() if key != "content"}
        | ({-260: {1: changes["content"]}} if "content" in changes else {})
    )


ES = {cose.ALG: cose.ES256, cose.KEY_ID: KID}


def hc1(
    claims: bytes | Mapping[int, object] | None = None,
    *,
    headers: bytes | Mapping[int, object] = ES,
    unprotected: Mapping[int, object] | None = None,
    sign: Sign | None = None,
) -> str:
    """An EU certificate; each part may be another than it should."""
    payload = claims if isinstance(claims, bytes) else cbor2.dumps(eu_claims() if claims is None else claims)
    protected = headers if isinstance(headers, bytes) else cbor2.dumps(headers)
    signature = (sign or by(DSC))(cose.to_be_signed(protected, payload))
    return hc1_packed(cbor2.dumps(cbor2.CBORTag(18, [protected, dict(unprotected or {}), payload, signature])))


def hc1_packed(data: bytes) -> str:
    """Bytes as the text of a certificate."""
    return hc1_text(zlib.compress(data, 9))


def hc1_text(data: bytes) -> str:
    """The same for what is compressed already."""
    return "HC1:" + bytes(base45.b45encode(data)).decode()


def hc1_unpacked(text: str) -> bytes:
    """The bytes in the text."""
    return zlib.decompress(base45.b45decode(text.removeprefix("HC1:")))


# SMART Health Cards


def shc_payload(name: str = "Anyperson", **changes: Any) -> dict[str, Any]:
    """A card with two doses."""
    doses = [
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "207"}]},
            "occurrenceDateTime": time.strftime("%Y-%m-%d", time.gmtime(NOW_S - days * DAY_S)),
        }
        for days in (100, 60)
    ]
    patient = {"resourceType": "Patient", "name": [{"family": name, "given": ["J."]}], "birthDate": "1951-01-20"}
    entries = [{"fullUrl": f"resource:{n}", "resource": each} for n, each in enumerate((patient, *doses))]
    subject = {"fhirVersion": "4.0.1", "fhirBundle": {"resourceType": "Bundle", "entry": entries}}
    credential = {"type": ["https://smarthealth.cards#health-card"], "credentialSubject": subject}
    return {"iss": ISS, "nbf": NOW_S - DAY_S, "vc": credential} | changes


def shc(
    payload: bytes | Mapping[str, object] | None = None,
    *,
    header: bytes | Mapping[str, object] | None = None,
    sign: Sign | None = None,
    deflate: Callable[[bytes], bytes] | None = None,
) -> str:
    """A SMART Health Card; each part may be another than it should."""
    kid = trust_list().issuers[0].keys[0].kid
    written = header if isinstance(header, bytes) else _json(header or {"alg": "ES256", "zip": "DEF", "kid": kid})
    content = payload if isinstance(payload, bytes) else _json(shc_payload() if payload is None else payload)
    signed = f"{_b64(written)}.{_b64((deflate or raw_deflate)(content))}"
    return shc_digits(f"{signed}.{_b64((sign or by(ISSUER))(signed.encode()))}")


def shc_header(**changes: object) -> dict[str, object]:
    """A card's header with changes; None takes a member out."""
    header = {"alg": "ES256", "zip": "DEF", "kid": trust_list().issuers[0].keys[0].kid, **changes}
    return {name: value for name, value in header.items() if value is not None}


def shc_digits(jws: str) -> str:
    """A JWS as the text of a card."""
    return "shc:/" + "".join(f"{ord(character) - 45:02d}" for character in jws)


def raw_deflate(data: bytes) -> bytes:
    """Compressed without a header."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(data) + deflater.flush()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# what the tests share besides


def keeping(*facts: str) -> Policy:
    """The default policy of a site that keeps these facts of health certificates."""
    return replace(Policy(), credentials=CredentialPolicy(keep=tuple(map(Fact, facts))))


def at_ms(clock: str) -> int:
    """Unix milliseconds of a time as ISO 8601 has it."""
    return int(datetime.fromisoformat(clock).timestamp() * 1000)


def shared_trust(folder: Path, file: Path) -> Trust:
    """What the signers of the shared attacks are trusted for."""
    known = json.loads(file.read_text("utf-8"))
    signers = [signer(base64.b64decode(each), kid, kid) for kid, certificates in known.items() for each in certificates]
    anchors = Anchors.of(TrustList(version=1, issued_s=NOW_S, signers=tuple(signers)))
    return replace(trust(folder), anchors=lambda: anchors)
