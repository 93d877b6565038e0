"""Health certificates for the demo's people, each made with a key that was made a moment before. Nobody is real.

The forms are those of hcert_spec 1.0.8 and of https://spec.smarthealth.cards; who reads them is `gateway.credentials`.
"""

import base64
import json
import time
import zlib
from datetime import UTC, datetime, timedelta

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.contract import cose
from sync.contract.keys import jwk_thumbprint
from sync.contract.trust import Issuer, IssuerKey, Signer

DAY_S = 86_400
VALID_DAYS = 400
VACCINATED_DAYS_AGO = 30
COUNTRY = "XX"  # ISO 3166: nobody's
_ISS = "https://demo.invalid/issuer"  # RFC 2606: never anybody's


class EuSigner:
    """Signs EU certificates."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        now = int(time.time())
        self.signer = Signer(
            kid="64656d6f2d647363",
            key=self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            not_before_s=now - DAY_S,
            not_after_s=now + VALID_DAYS * DAY_S,
            country=COUNTRY,
        )

    def certificate(self) -> str:
        """Of a full course of vaccination, as text for a QR."""
        dose = {"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2}
        dose |= {"dt": _day(), "co": COUNTRY, "is": "Demo", "ci": "URN:UVCI:01:XX:DEMO0001"}
        name = {"fn": "Demo", "fnt": "DEMO", "gn": "Dora", "gnt": "DORA"}
        content = {"ver": "1.3.0", "nam": name, "dob": "1980-01-01", "v": [dose]}
        now = int(time.time())
        claims = {1: COUNTRY, 4: now + (VALID_DAYS - 1) * DAY_S, 6: now, -260: {1: content}}
        headers = {cose.ALG: cose.ES256, cose.KEY_ID: bytes.fromhex(self.signer.kid)}
        protected, payload = cbor2.dumps(headers), cbor2.dumps(claims)
        signature = _sign(self._key, cose.to_be_signed(protected, payload))
        signed = cbor2.dumps(cbor2.CBORTag(cose.TAG, [protected, {}, payload, signature]))
        encoded: bytes = base45.b45encode(zlib.compress(signed, 9))
        return "HC1:" + encoded.decode("ascii")


class SmartIssuer:
    """Signs SMART Health Cards."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        point = self._key.public_key().public_numbers()
        x, y = (_base64url(number.to_bytes(32, "big")) for number in (point.x, point.y))
        self._kid = jwk_thumbprint(x, y)
        self.issuer = Issuer(iss=_ISS, name="Demo", keys=(IssuerKey(kid=self._kid, x=x, y=y),))

    def card(self) -> str:
        """Of a vaccine that one dose of is a full course, as text for a QR."""
        patient = {
            "resourceType": "Patient",
            "name": [{"family": "Demo", "given": ["Vera"]}],
            "birthDate": "1990-01-01",
        }
        dose = {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "212"}]},
            "patient": {"reference": "resource:0"},
            "occurrenceDateTime": _day(),
        }
        entries = [{"fullUrl": f"resource:{at}", "resource": each} for at, each in enumerate((patient, dose))]
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        types = [f"https://smarthealth.cards#{name}" for name in ("health-card", "immunization", "covid19")]
        subject = {"fhirVersion": "4.0.1", "fhirBundle": bundle}
        claims = {"iss": _ISS, "nbf": int(time.time()), "vc": {"type": types, "credentialSubject": subject}}
        deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
        payload = deflated.compress(_json(claims)) + deflated.flush()
        header = _json({"zip": "DEF", "alg": "ES256", "kid": self._kid})
        signed = f"{_base64url(header)}.{_base64url(payload)}"
        jws = f"{signed}.{_base64url(_sign(self._key, signed.encode()))}"
        return "shc:/" + "".join(f"{ord(character) - 45:02}" for character in jws)


def _day() -> str:
    return f"{datetime.now(UTC) - timedelta(days=VACCINATED_DAYS_AGO):%Y-%m-%d}"


def _sign(key: EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
