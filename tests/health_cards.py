"""SMART Health Cards of our own, made with throw-away keys: good ones, and bad ones for every reason."""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.credentials.fhir import CVX, LOINC, SNOMED
from sync.contract.keys import jwk_thumbprint
from sync.contract.trust import Issuer, IssuerKey

ISS = "https://clinic.example/shc"
NOW_S = 1_800_000_000
HEALTH_CARD = "https://smarthealth.cards#health-card"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256: FIPS 186-4, D.1.2.3


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digits(jws: str) -> str:
    """A JWS as its QR has it."""
    return "shc:/" + "".join(f"{ord(each) - 45:02d}" for each in jws)


def deflate(data: bytes) -> bytes:
    """Raw DEFLATE."""
    compressor = zlib.compressobj(9, wbits=-15)
    return compressor.compress(data) + compressor.flush()


def compact(value: object) -> bytes:
    """Minified JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class CardIssuer:
    """Somebody who issues cards."""

    key: ec.EllipticCurvePrivateKey
    iss: str = ISS

    @property
    def listed(self) -> IssuerKey:
        """Its public key, as a trust list has it."""
        numbers = self.key.public_key().public_numbers()
        x, y = (base64url(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
        return IssuerKey(kid=jwk_thumbprint(x, y), x=x, y=y)

    @property
    def issuer(self) -> Issuer:
        """The issuer, as a trust list has it."""
        return Issuer(iss=self.iss, keys=(self.listed,), name="Clinic")

    @property
    def header(self) -> dict[str, object]:
        """The header of its cards."""
        return {"zip": "DEF", "alg": "ES256", "kid": self.listed.kid}

    def claims(self, *resources: object, **changes: object) -> dict[str, Any]:
        """What a card of its claims. `changes`: of the claims, where those of `vc` begin with vc_; None leaves one out."""
        subject = {"fhirVersion": "4.0.1", "fhirBundle": bundle(*resources)}
        vc = {"type": [HEALTH_CARD], "credentialSubject": subject} | _part(changes, vc=True)
        claims = {"iss": self.iss, "nbf": NOW_S - 60, "vc": vc} | _part(changes, vc=False)
        for members in (vc, claims):
            for gone in [name for name, value in members.items() if value is None]:
                del members[gone]
        return claims

    def jws(self, *resources: object, **changes: object) -> str:
        """A card that is signed as it should be."""
        return self.sign(compact(self.header), deflate(compact(self.claims(*resources, **changes))))

    def card(self, *resources: object, **changes: object) -> str:
        """The same as the text of a QR."""
        return digits(self.jws(*resources, **changes))

    def sign(self, header: bytes, payload: bytes) -> str:
        """Whatever it may be, signed."""
        signed = f"{base64url(header)}.{base64url(payload)}"
        return f"{signed}.{base64url(self.signature(signed.encode()))}"

    def signature(self, signed: bytes) -> bytes:
        """r and s, 32 bytes each."""
        r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _part(changes: Mapping[str, object], *, vc: bool) -> dict[str, object]:
    return {name.removeprefix("vc_"): value for name, value in changes.items() if name.startswith("vc_") is vc}


def mirrored(jws: str) -> str:
    """The same with the other signature that everybody can make of one: n - s."""
    signed, _, signature = jws.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    s = (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    return f"{signed}.{base64url(raw[:32] + s)}"


def bundle(*resources: object) -> dict[str, Any]:
    """A bundle of resources."""
    entries = [{"fullUrl": f"resource:{number}", "resource": each} for number, each in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def patient(family: str = "Anyperson", *given: str, born: str = "1951-01-20") -> dict[str, Any]:
    """Whose card it is."""
    return {"resourceType": "Patient", "name": [{"family": family, "given": list(given)}], "birthDate": born}


def immunization(when: str, cvx: str = "208", **changes: object) -> dict[str, Any]:
    """A dose."""
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX, "code": cvx}]},
        "patient": {"reference": "resource:0"},
        "occurrenceDateTime": when,
        "performer": [{"actor": {"display": "ABC General Hospital"}}],
        "lotNumber": "0000001",
    } | changes


def observation(when: str, loinc: str = "94500-6", snomed: str = "260415000", **changes: object) -> dict[str, Any]:
    """A test; not detected, by default."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "resource:0"},
        "effectiveDateTime": when,
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": snomed}]},
    } | changes


CLINIC = CardIssuer(ec.derive_private_key(41, ec.SECP256R1()))
STRANGER = CardIssuer(ec.derive_private_key(42, ec.SECP256R1()))
