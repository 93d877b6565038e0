"""Targets: what people hold up, from the first look on.

A signature keeps noise away from what lies behind it. So the decoders of content have targets of their own, in which the
noise is signed by a key that is trusted: what an issuer gone bad, or a key stolen, could send.
"""

import atexit
import base64
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import base45
import cbor2
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from central.trust import issuers
from central.trust.certificates import CertificateUnusable, signer
from gateway.config.settings import RequestFormat, ResolverConfig
from gateway.core.events import Outcome
from gateway.core.policy import CertificatePolicy
from gateway.credentials import eu_certificate, smart_health_card
from gateway.credentials.anchors import Anchors
from gateway.credentials.certificate import Certificate
from gateway.credentials.eu_content import read_content
from gateway.credentials.rules import judge
from gateway.resolve import Resolver
from gateway.resolve.first_look import find_fault
from gateway.resolve.resolver import SCHEMES
from gateway.resolve.server_code import NOT_UNDERSTOOD, ServerCodes
from sync.contract import cose, passes
from sync.contract.colours import HealthCode, PassType
from sync.contract.encoding import decode_base45, decode_base64url, decode_cbor, decode_json, decode_map
from sync.contract.keys import key_id, raw
from sync.contract.sealed import SealError, seal
from sync.contract.text import harmless
from sync.contract.trust import Issuer, IssuerKey, PassKey, Signer, TrustList, seal_trust, unseal_trust
from sync.errors import CredentialRefused
from tests.fuzz.target import Target, as_text, assert_bounded
from tests.hostile import forge
from tests.hostile.attacks import attacks, good
from tests.hostile.forge import DAY_S, NOW_S

OFFICE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PHONE = ec.derive_private_key(7, ec.SECP256R1())
PASS_KEYS = passes.PassKeys.of([PassKey(key=raw(OFFICE.public_key()).hex())])
BEGINNINGS = [scheme.beginning for scheme in SCHEMES if scheme.beginning]
ANCHORS = Anchors.of(forge.trust_list())
SERVICES = [
    (ServerCodes(service), service)
    for service in (
        ResolverConfig(
            name=str(form),
            pattern="JKM:{code}#",
            endpoint="https://service.example/",
            request_format=form,
            request_field="code",
            request={"app": "gate"},
            answer_field="data.0.state",
        )
        for form in RequestFormat
    )
]
ANSWERS = {*HealthCode, "expired", "code-not-found", "check-failed", NOT_UNDERSTOOD}
MAX_SEED = 1500  # characters: longer ones only make it slow
GOOD = tuple(good().values())
FAULTS = {"empty", "too-long", "control-characters", "look-alike", None}


def refusing(decode: Callable[[], object]) -> None:
    """Decode; CredentialRefused is the one answer besides a value."""
    try:
        value = decode()
    except CredentialRefused as refused:
        assert refused.reason
        return
    assert_bounded(value)


def first_look(data: bytes) -> None:
    """The first look."""
    assert find_fault(as_text(data), BEGINNINGS) in FAULTS


def whole_resolver(data: bytes) -> None:
    """All of it, from a text to a verdict. Nothing raises, and nothing is good but what was good before."""
    resolver, good = _resolver()
    verdict = resolver.text(as_text(data), forge.NOW)
    assert verdict.reason and verdict.credential
    assert verdict.outcome is not Outcome.VALID or verdict.credential in good
    assert verdict.outcome is Outcome.VALID or not (verdict.serves or verdict.facts)


@cache
def _resolver() -> tuple[Resolver, frozenset[str]]:
    folder = tempfile.TemporaryDirectory(dir="/dev/shm")
    atexit.register(folder.cleanup)
    resolver = Resolver(forge.trust(Path(folder.name)))
    return resolver, frozenset(resolver.text(text, forge.NOW).credential for text in GOOD)


def base45_text(data: bytes) -> None:
    """Base45: only what the library would have written is read."""
    text = as_text(data)

    def decode() -> bytes:
        decoded = decode_base45(text)
        assert base45.b45encode(decoded).decode() == text
        return decoded

    refusing(decode)


def base64url_text(data: bytes) -> None:
    """Base64url."""
    refusing(lambda: decode_base64url(as_text(data)))


def cbor(data: bytes) -> None:
    """CBOR."""
    refusing(lambda: decode_cbor(data))


def json_text(data: bytes) -> None:
    """JSON."""
    refusing(lambda: decode_json(data))


def cose_object(data: bytes) -> None:
    """COSE_Sign1."""
    refusing(lambda: cose.decode_sign1(data).payload)


def pass_text(data: bytes) -> None:
    """A Menshen pass, as a text."""
    refusing(lambda: passes.verify_pass("MP1:" + as_text(data), PASS_KEYS).content.holder)


def pass_object(data: bytes) -> None:
    """A Menshen pass, as the bytes in its text."""
    pass_text(base45.b45encode(data))


def pass_claims(data: bytes) -> None:
    """What a Menshen pass says, signed."""
    header = cbor2.dumps({cose.ALG: cose.EDDSA, cose.KEY_ID: key_id(OFFICE.public_key())}, canonical=True)
    pass_object(cose.encode_sign1(header, data, OFFICE.sign(cose.to_be_signed(header, data))))


def eu_text(data: bytes) -> None:
    """An EU certificate, as a text."""
    _certificate(lambda: eu_certificate.verify("HC1:" + as_text(data), ANCHORS.signers, NOW_S))


def eu_object(data: bytes) -> None:
    """An EU certificate, as the bytes in its text."""
    _certificate(lambda: eu_certificate.verify(forge.hc1_packed(data), ANCHORS.signers, NOW_S))


def eu_claims(data: bytes) -> None:
    """What an EU certificate says, signed."""
    _certificate(lambda: eu_certificate.verify(forge.hc1(data), ANCHORS.signers, NOW_S))


def eu_content(data: bytes) -> None:
    """The health certificate inside, read and judged, whatever signed it."""

    def read() -> Certificate:
        return read_content(decode_map(data)).certificate

    _certificate(read)


def smart_text(data: bytes) -> None:
    """A SMART Health Card, as a text."""
    _certificate(lambda: smart_health_card.verify("shc:/" + as_text(data), ANCHORS.issuers, NOW_S))


def smart_jws(data: bytes) -> None:
    """A SMART Health Card, as the JWS in its text."""
    _certificate(lambda: smart_health_card.verify_jws(data, ANCHORS.issuers, NOW_S))


def smart_payload(data: bytes) -> None:
    """What a SMART Health Card says, signed."""
    _certificate(lambda: smart_health_card.verify(forge.shc(data), ANCHORS.issuers, NOW_S))


def _certificate(verify: Callable[[], Certificate]) -> None:
    """Verify and judge, with dates that stand for today, the year 1 and the year 9999."""
    try:
        certificate = verify()
    except CredentialRefused as refused:
        assert refused.reason
        return
    for policy in (CertificatePolicy(), CertificatePolicy(accepted=())):
        assert judge(certificate.statements, policy, NOW_S).reason
    assert_bounded([certificate.identity, *certificate.facts.values()])
    assert all(harmless(fact, 80).isprintable() for fact in certificate.facts.values())


def server_code(data: bytes) -> None:
    """A text that may be a service's code: what is sent has the code in its one place, and nothing else of the text."""
    text = as_text(data)
    for codes, service in SERVICES:
        code = codes.code(text)
        if code is None:
            continue
        before, behind = service.around
        assert text == before + code + behind
        question = codes.question(code).decode("ascii")
        read = dict(parse_qsl(question)) if service.request_format is RequestFormat.FORM else json.loads(question)
        assert read == {"app": "gate", "code": code}


def server_answer(data: bytes) -> None:
    """A service's answer."""
    for codes, _ in SERVICES:
        assert codes.meaning(data) in ANSWERS


def signer_certificate(data: bytes) -> None:
    """An X.509 certificate that the office imports."""
    try:
        found = signer(data, "this one")
    except CertificateUnusable:
        return
    assert_bounded(msgspec.to_builtins(found, builtin_types=(bytes,)))


def issuer_keys(data: bytes) -> None:
    """A key set or a list of issuers that the office imports."""
    for read in (_key_set, issuers.read_snapshot):
        try:
            reading = read(data)
        except issuers.IssuersUnreadable:
            continue
        assert_bounded(msgspec.to_builtins(reading.issuers))


def _key_set(data: bytes) -> issuers.Reading:
    return issuers.read_jwks(data, "https://issuer.example", [data])


def trust_list(data: bytes) -> None:
    """A trust list as it comes."""
    _unsealed(data)


def trust_content(data: bytes) -> None:
    """What a trust list says, signed."""
    _unsealed(seal(data, "trust", OFFICE))


def _unsealed(data: bytes) -> None:
    try:
        content = unseal_trust(data, [OFFICE.public_key()])
    except SealError:
        return
    assert Anchors.of(content).version == content.version >= 1


def _eu_texts() -> Iterable[bytes]:
    yield from (text.encode()[4:] for text in (forge.hc1(), forge.hc1(forge.eu_claims(exp=NOW_S - DAY_S))))


def _eu_objects() -> Iterable[bytes]:
    return (forge.hc1_unpacked("HC1:" + text.decode()) for text in _eu_texts())


def _eu_contents() -> Iterable[bytes]:
    entry = {"tg": "840539006", "co": "AT", "is": "M", "ci": "URN:UVCI:01"}
    test = entry | {"tt": "LP6464-4", "sc": "2026-11-20T10:00:00Z", "tr": "260415000", "tc": "x"}
    recovery = entry | {"fr": "0001-01-01", "df": "9999-12-31", "du": "9999-12-31"}
    base = forge.eu_content()
    for group, stated in (("v", base["v"][0]), ("t", test), ("r", recovery)):
        yield cbor2.dumps({"ver": "1.3.0", "nam": base["nam"], "dob": base["dob"], group: [stated]})


def _eu_claims() -> Iterable[bytes]:
    for content in _eu_contents():
        yield cbor2.dumps(forge.eu_claims(content=cbor2.loads(content)))


def _smart_payloads() -> Iterable[bytes]:
    test = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94558-4"}]},
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "260415000"}]},
        "effectiveDateTime": "0001-01-01T00:00:00+14:00",
    }
    payload = forge.shc_payload()
    yield json.dumps(payload).encode()
    payload["vc"]["credentialSubject"]["fhirBundle"]["entry"].append({"resource": test})
    yield json.dumps(payload).encode()


def _smart_texts() -> Iterable[bytes]:
    yield forge.shc().encode()[5:]
    yield forge.shc().encode()[5:].join((b"1/1/", b""))


def _smart_jwss() -> Iterable[bytes]:
    for text in _smart_texts():
        yield smart_health_card.decode_digits("shc:/" + text.decode())


def _certificates() -> Iterable[bytes]:
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "AT")])
    begins = datetime.fromtimestamp(NOW_S, UTC)
    usages = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.4.1.1847.2021.1.1")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(PHONE.public_key()).serial_number(1)
    )
    made = made.not_valid_before(begins).not_valid_after(begins + timedelta(days=1))
    certificate = made.add_extension(usages, critical=False).sign(PHONE, SHA256())
    der = certificate.public_bytes(Encoding.DER)
    yield from (der, certificate.public_bytes(Encoding.PEM))
    yield der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x22")  # found: of version 35
    yield der.replace(b"\x13\x02AT", b"\x03\x02AT")  # found: a country that is a string of bits


def _issuer_keys() -> Iterable[bytes]:
    key = msgspec.to_builtins(forge.trust_list().issuers[0].keys[0]) | {"kty": "EC", "crv": "P-256", "use": "sig"}
    issuer = {"iss": forge.ISS, "name": "An issuer"}
    crl = {"kid": key["kid"], "method": "rid", "ctr": 1, "rids": ["a", "b.17"]}
    yield json.dumps({"keys": [key]}).encode()
    yield json.dumps({"issuerInfo": [{"issuer": issuer, "keys": [key], "crls": [crl]}], **crl}).encode()


def _texts() -> Iterable[bytes]:
    yield from (
        b"",
        b"HC1:6BF",
        b"MP1:6BF",
        b"shc:/56",
        b"hc1:6BF",
        b"\xef\xbc\xa8\xef\xbc\xa3\xef\xbc\x91:",
        b"a\x1b[2J",
    )
    yield from ("粤康码 7".encode(), b"]C1\x1d17", "НС1:".encode(), b"\xed\xa0\x80", b"https://example.org/?q=1")


def _held_up() -> Iterable[bytes]:
    yield from (text.encode("utf-8", "surrogateescape") for text in GOOD)
    yield from (attack.text.encode("utf-8", "surrogatepass") for attack in attacks() if len(attack.text) < MAX_SEED)


def _passes() -> Iterable[bytes]:
    paper = passes.Pass(
        pass_id=b"12345678",
        pass_type=PassType.TENANT,
        site="demo",
        not_before_s=NOW_S,
        expires_s=NOW_S + 60,
        holder="h-1",
    )
    yield passes.sign_pass(paper, OFFICE).encode()
    phone = passes.sign_pass(replace(paper, phone=passes.compressed(PHONE.public_key())), OFFICE)
    yield passes.present(phone, PHONE, NOW_S).encode()


def _bare_passes() -> Iterable[bytes]:
    return (text[4:] for text in _passes())


def _pass_objects() -> Iterable[bytes]:
    return (decode_base45(text.decode()) for text in _bare_passes())


def _claims() -> Iterable[bytes]:
    yield cose.decode_sign1(next(iter(_pass_objects()))).payload


def _cbor_seeds() -> Iterable[bytes]:
    yield from _pass_objects()
    yield from (b"\x5b\0\0\1\0\0\0\0\0", b"\x81" * 40, cbor2.dumps({1: 2.5, "a": [True, None, 2**70]}), b"\xa2\1\1\1\2")


def _json_seeds() -> Iterable[bytes]:
    yield from (b'{"a": [1, 2.5e3, "\\u4e2d\\"", null, true], "b": {}}', b"[" * 40, b"9" * 40, b'{"a":1,"a":2}', b"NaN")


def _trust() -> TrustList:
    public = PHONE.public_key().public_numbers()
    key = IssuerKey(kid="k", x=_b64(public.x), y=_b64(public.y), revoked={"r": 0})
    return TrustList(
        version=1,
        issued_s=NOW_S,
        pass_keys=(PassKey(key=raw(OFFICE.public_key()).hex()),),
        signers=(Signer(kid="0" * 16, key=b"der", not_before_s=0, not_after_s=NOW_S),),
        issuers=(Issuer(iss="https://issuer.example", keys=(key,)),),
        revoked_certificates=("0" * 32,),
    )


def _trust_contents() -> Iterable[bytes]:
    written = msgspec.json.encode(_trust())
    yield written
    yield written.replace(b"https", b"http\x80")  # found: not UTF-8
    yield b'{"version":1,"issued_s":1,"more":' + b"[" * 5000  # found: deeper than Python's stack


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


TARGETS = (
    Target("first-look", first_look, _texts),
    Target("resolver", whole_resolver, _held_up),
    Target("base45", base45_text, _bare_passes),
    Target("base64url", base64url_text, lambda: [b"", b"YWI", b"eyJhIjoxfQ"]),
    Target("cbor", cbor, _cbor_seeds),
    Target("json", json_text, _json_seeds),
    Target("cose", cose_object, _pass_objects),
    Target("pass", pass_text, _bare_passes),
    Target("pass-object", pass_object, _pass_objects),
    Target("pass-claims", pass_claims, _claims),
    Target("eu", eu_text, _eu_texts),
    Target("eu-object", eu_object, _eu_objects),
    Target("eu-claims", eu_claims, _eu_claims),
    Target("eu-content", eu_content, _eu_contents),
    Target("smart", smart_text, _smart_texts),
    Target("smart-jws", smart_jws, _smart_jwss),
    Target("smart-payload", smart_payload, _smart_payloads),
    Target("server-code", server_code, lambda: [b"JKM:abc-1#", b"JKM:a&b=c#", "JKM:１#".encode()]),
    Target("server-answer", server_answer, lambda: [b'{"data":[{"state":"green"}]}', b'{"data":"[{\\"state\\":1}]"}']),
    Target("signer-certificate", signer_certificate, _certificates),
    Target("issuer-keys", issuer_keys, _issuer_keys),
    Target("trust", trust_list, lambda: [seal_trust(_trust(), OFFICE)]),
    Target("trust-content", trust_content, _trust_contents),
)
