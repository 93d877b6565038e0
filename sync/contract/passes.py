"""The Menshen pass: `MP1:` + base45 of a CWT (RFC 8392) in an untagged COSE_Sign1 (RFC 9052), signed with Ed25519.

    [ protected {1: -8, 4: key id}, {}, claims, signature ]
    claims = {2: holder, 3: site, 4: expiry, 5: not before, 7: pass id, 9: pass type}

A pass for a phone also names that phone's public key, `8: {1: COSE_Key}` (cnf, RFC 8747). What the phone shows is the pass
inside a second COSE_Sign1 of that key, new every 30 s (13: kcwt, RFC 9528); neither can be made of what a gate holds:

    [ protected {1: -7, 13: the pass}, {}, {6: counter * 30}, signature ]

It carries no name. The algorithm is fixed by the place, never taken from the message, and there is exactly one way to
write a pass. ASCII only, in QR's alphanumeric set, since some decoders guess at other bytes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import base45
import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync.contract import cose
from sync.contract.colours import PassType
from sync.contract.encoding import decode_base45, decode_map
from sync.contract.keys import KEY_ID_BYTES, key_id
from sync.contract.sealed import verifies
from sync.contract.trust import PassKey
from sync.errors import CredentialRefused

PREFIX: Final = "MP1:"
MAX_TEXT: Final = 600  # characters; the longest that can be issued is shown in some 480
STEP_S: Final = 30  # RFC 6238's X: how long what a phone shows is new
DRIFT: Final = 1  # steps by which a phone's clock may differ
_KCWT: Final = 13  # RFC 9528, section 9.8
_SUBJECT, _AUDIENCE, _EXPIRY, _NOT_BEFORE, _ISSUED_AT, _ID, _CONFIRMATION, _SCOPE = 2, 3, 4, 5, 6, 7, 8, 9
_KEY, _KTY, _CRV, _X, _Y, _EC2, _P256 = 1, 1, -1, -2, -3, 2, 1  # RFC 8747, section 3.2; RFC 9053, section 7.1.1
_TYPES: Final = {b"\0": PassType.RESIDENT, b"\1": PassType.TENANT, b"\2": PassType.RETURNEE, b"\3": PassType.VISITOR}
"""In the claim `scope`, one byte: no private claim is as short (RFC 9200, section 5.8.1)."""
_SCOPES: Final = {pass_type: scope for scope, pass_type in _TYPES.items()}
SITE: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_HOLDER: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_END_OF_TIME: Final = 2**32  # seconds, in the year 2106: times take 4 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a pass says. Times are Unix seconds; `pass_id` 8 bytes; `holder` a reference without a name; `phone`: the public
    key of the phone it is for, compressed (SEC 1, 33 bytes), none for one on paper."""

    pass_id: bytes
    pass_type: PassType
    site: str
    not_before_s: int
    expires_s: int
    holder: str
    phone: bytes = b""


@dataclass(frozen=True, slots=True)
class Shown:
    """A pass as it was held up. `counter`: the number of the 30 s since 1970 that the phone signed; 0: no phone signed."""

    content: Pass
    counter: int = 0

    def why_not(self, *, site: str, at_s: int, clock_trusted: bool = True) -> str:
        """Why it does not count at `site` at `at_s` (Unix seconds), "" when it does. By a clock that is not trusted a phone's
        counter is not judged. Answers: `wrong-site`, `not-yet-valid`, `expired`, `proof-missing` (of a phone, and shown
        without it), `screenshot` (signed too long ago), `phone-clock` (signed in the future)."""
        content = self.content
        if content.site != site:
            return "wrong-site"
        if at_s < content.not_before_s:
            return "not-yet-valid"
        if at_s >= content.expires_s:
            return "expired"
        return self._phone_fault(at_s, clock_trusted) if content.phone else ""

    def _phone_fault(self, at_s: int, clock_trusted: bool) -> str:
        if not self.counter:
            return "proof-missing"
        ahead = self.counter - at_s // STEP_S
        if abs(ahead) <= DRIFT or not clock_trusted:
            return ""
        return "screenshot" if ahead < 0 else "phone-clock"


@dataclass(frozen=True, slots=True)
class PassKeys:
    """The keys that passes are signed with, by their ids."""

    _by_id: Mapping[bytes, Sequence[tuple[PassKey, Ed25519PublicKey]]]

    @classmethod
    def of(cls, keys: Sequence[PassKey]) -> "PassKeys":
        """The keys of a trust list."""
        by_id: dict[bytes, list[tuple[PassKey, Ed25519PublicKey]]] = {}
        for key in sorted(keys, key=lambda each: not each.revoked):  # one that is there twice is revoked if it is once
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.key))
            by_id.setdefault(key_id(public), []).append((key, public))
        return cls(by_id)

    def signer(self, name: bytes, signature: bytes, signed: bytes) -> PassKey:
        """The key called `name` that signed. Raises CredentialRefused: `unknown-key`, `bad-signature`, `key-revoked`."""
        candidates = self._by_id.get(name)
        if candidates is None:
            raise CredentialRefused("unknown-key")
        for key, public in candidates:
            if verifies(public, signature, signed):
                if key.revoked:
                    raise CredentialRefused("key-revoked")
                return key
        raise CredentialRefused("bad-signature")


def _why_unfit(content: Pass) -> str:
    if not SITE.fullmatch(content.site):
        return f"{content.site!r} is no site: 1 to 32 letters, digits, . _ -"
    if not _HOLDER.fullmatch(content.holder):
        return f"{content.holder!r} is no reference of a holder: 1 to 40 letters, digits, . _ -"
    return "a pass ends after it begins and before the year 2106, and a phone's key has 33 bytes"


def sign_pass(content: Pass, key: Ed25519PrivateKey) -> str:
    """The pass as text for a QR. Raises ValueError for what no gate would take."""
    payload = _encoded_claims(content)
    try:
        if _claims(payload) != content:
            raise ValueError("a pass has whole seconds and 8 bytes of id")
    except CredentialRefused:
        raise ValueError(_why_unfit(content)) from None
    protected = _ISSUED_HEADER + key_id(key.public_key())
    return _text(cose.encode_sign1(protected, payload, key.sign(cose.to_be_signed(protected, payload))))


def present(pass_text: str, phone: EllipticCurvePrivateKey, at_s: int) -> str:
    """What a phone shows of its pass at `at_s` (Unix seconds). Raises CredentialRefused when `pass_text` is no pass as it was
    issued, ValueError when it is not for this phone."""
    issued, proof = _taken_apart(pass_text)
    if proof is not None or _claims(issued.payload).phone != compressed(phone.public_key()):
        raise ValueError("this pass was not issued for this phone")
    protected, payload = _shown_header(issued), _canonical({_ISSUED_AT: at_s // STEP_S * STEP_S})
    algorithm = ECDSA(SHA256(), deterministic_signing=True)  # RFC 6979
    r, s = decode_dss_signature(phone.sign(cose.to_be_signed(protected, payload), algorithm))
    return _text(cose.encode_sign1(protected, payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")))


def compressed(key: EllipticCurvePublicKey) -> bytes:
    """A phone's public key, as `Pass.phone` has it. Raises ValueError when it is not of P-256."""
    if key.curve.name != SECP256R1.name:
        raise ValueError(f"a phone's key is of the curve P-256, not {key.curve.name}")
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def verify_pass(text: str, keys: PassKeys) -> Shown:
    """The pass in `text`: signed by one of `keys`, and by its phone where one has signed. `Shown.why_not` judges place and time.

    Raises CredentialRefused: `not-a-pass`, `too-long`, `not-base45`, `not-cbor`, `too-deep`, `duplicate-key`, `trailing-bytes`,
    `not-cose`, `not-canonical`, `algorithm`, `bad-headers`, `unknown-key`, `bad-signature`, `key-revoked`, `bad-claims`,
    `key-not-in-force` (the pass begins outside its key's bounds), `no-phone-key`, `bad-proof`, `bad-counter`."""
    issued, proof = _taken_apart(text)
    key = keys.signer(_key_name(issued), issued.signature, issued.signed)
    content = _claims(issued.payload)
    if content.not_before_s < key.not_before_s or content.not_before_s > (key.not_after_s or _END_OF_TIME):
        raise CredentialRefused("key-not-in-force")
    if proof is None:
        return Shown(content)
    _check_proof(content.phone, proof)
    return Shown(content, _counter(proof.payload))


def read_pass(text: str) -> Shown:
    """What a text says of itself, with nothing verified: for looking at. Raises CredentialRefused as `verify_pass`."""
    issued, proof = _taken_apart(text)
    _key_name(issued)
    return Shown(_claims(issued.payload), 0 if proof is None else _counter(proof.payload))


def _text(data: bytes) -> str:
    encoded: bytes = base45.b45encode(data)
    return PREFIX + encoded.decode("ascii")


def _canonical(value: object) -> bytes:
    return cbor2.dumps(value, canonical=True)


_ISSUED_HEADER: Final = _canonical({cose.ALG: cose.EDDSA, cose.KEY_ID: bytes(KEY_ID_BYTES)})[:-KEY_ID_BYTES]


def _shown_header(issued: cose.Sign1) -> bytes:
    inside = [issued.protected, {}, issued.payload, issued.signature]
    return _canonical({cose.ALG: cose.ES256, _KCWT: inside})


def _taken_apart(text: str) -> tuple[cose.Sign1, cose.Sign1 | None]:
    """The pass as it was issued, and the phone's object around it."""
    if not text.startswith(PREFIX):
        raise CredentialRefused("not-a-pass")
    if len(text) > MAX_TEXT:
        raise CredentialRefused("too-long")
    data = decode_base45(text[len(PREFIX) :])
    outer = cose.decode_sign1(data)
    if data != cose.encode_sign1(outer.protected, outer.payload, outer.signature):
        raise CredentialRefused("not-canonical")
    if _KCWT not in outer.headers:
        return outer, None
    if outer.headers.get(cose.ALG) != cose.ES256:
        raise CredentialRefused("algorithm")
    issued = cose.as_sign1(outer.headers[_KCWT])
    if outer.protected != _shown_header(issued):
        raise CredentialRefused("bad-headers")
    return issued, outer


def _key_name(issued: cose.Sign1) -> bytes:
    """The id of the office's key: all that the header has to say, beside the algorithm."""
    if issued.headers.get(cose.ALG) != cose.EDDSA:
        raise CredentialRefused("algorithm")
    name = issued.protected[-KEY_ID_BYTES:]
    if issued.protected != _ISSUED_HEADER + name:
        raise CredentialRefused("bad-headers")
    return name


def _encoded_claims(content: Pass) -> bytes:
    claims: dict[int, object] = {
        _SUBJECT: content.holder,
        _AUDIENCE: content.site,
        _EXPIRY: content.expires_s,
        _NOT_BEFORE: content.not_before_s,
        _ID: content.pass_id,
        _SCOPE: _SCOPES[content.pass_type],
    }
    if content.phone:
        point = {_KTY: _EC2, _CRV: _P256, _X: content.phone[1:], _Y: content.phone[0] == 3}
        claims[_CONFIRMATION] = {_KEY: point}
    return _canonical(claims)


def _claims(payload: bytes) -> Pass:
    claims = decode_map(payload)
    holder, site, scope = claims.get(_SUBJECT), claims.get(_AUDIENCE), claims.get(_SCOPE)
    begins, ends, pass_id = claims.get(_NOT_BEFORE), claims.get(_EXPIRY), claims.get(_ID)
    if not (isinstance(holder, str) and _HOLDER.fullmatch(holder) and isinstance(site, str) and SITE.fullmatch(site)):
        raise CredentialRefused("bad-claims")
    if not (isinstance(pass_id, bytes) and len(pass_id) == 8 and isinstance(scope, bytes) and scope in _TYPES):
        raise CredentialRefused("bad-claims")
    if not (type(begins) is int and type(ends) is int and 0 < begins <= ends < _END_OF_TIME):
        raise CredentialRefused("bad-claims")
    return Pass(
        pass_id=pass_id,
        pass_type=_TYPES[scope],
        site=site,
        not_before_s=begins,
        expires_s=ends,
        holder=holder,
        phone=_phone(claims[_CONFIRMATION]) if _CONFIRMATION in claims else b"",
    )


def _phone(confirmation: object) -> bytes:
    """The compressed point in `cnf`."""
    point = confirmation.get(_KEY) if isinstance(confirmation, Mapping) else None
    if not isinstance(point, Mapping) or (point.get(_KTY), point.get(_CRV)) != (_EC2, _P256):
        raise CredentialRefused("bad-claims")
    x, odd = point.get(_X), point.get(_Y)
    if not (isinstance(x, bytes) and len(x) == 32 and isinstance(odd, bool)):
        raise CredentialRefused("bad-claims")
    return (b"\3" if odd else b"\2") + x


def _check_proof(phone: bytes, proof: cose.Sign1) -> None:
    if not phone:
        raise CredentialRefused("no-phone-key")
    if len(proof.signature) != 64:
        raise CredentialRefused("bad-proof")
    r, s = int.from_bytes(proof.signature[:32], "big"), int.from_bytes(proof.signature[32:], "big")
    try:
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), phone)
        key.verify(encode_dss_signature(r, s), proof.signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):  # ValueError: no point of the curve
        raise CredentialRefused("bad-proof") from None


def _counter(payload: bytes) -> int:
    at_s = decode_map(payload).get(_ISSUED_AT)
    if not (type(at_s) is int and 0 < at_s < _END_OF_TIME and at_s % STEP_S == 0):
        raise CredentialRefused("bad-counter")
    return at_s // STEP_S
