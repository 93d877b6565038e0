"""Verifications per second of every kind of credential, against the bare signature check of the same bytes.

    {"mp1_ratio": …, "dcc_ratio": …, "shc_ratio": …, "lookup_us": …, "mp1_phone_ratio": …}

The whole way of a scanned text: `Resolver.text` with every kind, a real trust list (imported, 4 pass keys, 400 signers, 700
issuers), the site's rule, the hashing, and a real directory of 100,000 holders and cards. The peer is `verify` of
`cryptography` with a key that is made already, over the same bytes. Both take turns, one by one, so that what else the
machine does hits both alike; a ratio is that of the medians. A pass on a phone has two signatures, so its peer checks both.
`lookup_us`: `Directory.card` with random UIDs, the median.

`make bench NAME=credentials BENCH=dcc` runs one kind under cProfile instead.
"""

import cProfile
import json
import pstats
import random
import shutil
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import base45
import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bench.common import progress, scratch
from gateway.core.events import Outcome
from gateway.core.moment import Moment
from gateway.credentials.eu_certificate import unpack
from gateway.directory import Card, Directory, DirectoryFile, Holder
from gateway.resolve import Resolver, Trust
from gateway.trust import TrustStore, import_trust
from sync.contract import cose, passes
from sync.contract.colours import PassType
from sync.contract.encoding import decode_base64url
from sync.contract.keys import raw
from sync.contract.trust import PassKey, TrustList, seal_trust
from tests import eu_certificates, health_cards

CARDS = 100_000
TEXTS = 50  # different ones of every kind: nothing is to be gained by remembering one
LOOK_UPS = 40_000
ROUNDS = 80  # through all of them
SITE = "bench"
NOW = Moment(mono_ms=1_000, at_ms=eu_certificates.NOW_S * 1000)
NOW_S = eu_certificates.NOW_S
_ES256 = ec.ECDSA(SHA256())
Check = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of credential: its texts, and for each the bare check of what is signed in it."""

    name: str
    texts: Sequence[str]
    checks: Sequence[Check]


def main() -> None:
    """Measure all kinds, or profile one."""
    rng, folder = random.Random(20), scratch("credentials")
    office, issuer, phone = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), _new_key()
    clinic = health_cards.CardIssuer(_new_key())
    directory = Directory(folder / "directory.sqlite")
    uids = _fill(directory, rng)
    import_trust(directory, seal_trust(_trust_list(issuer, clinic), office), [office.public_key()], NOW_S)
    trust = Trust(
        site=SITE,
        anchors=TrustStore(directory, [office.public_key()], max_age_days=30, now=lambda: NOW).anchors,
        directory=directory,
        hash_key=b"k" * 32,
    )
    resolver = Resolver(trust)
    kinds = [_passes(issuer), _phone_passes(issuer, phone), _eu_certificates(), _health_cards(clinic)]
    for kind in kinds:
        _warm_up(resolver, kind)
    if len(sys.argv) > 1:
        _profile(resolver, next(kind for kind in kinds if kind.name == sys.argv[1]))
    else:
        figures = {f"{kind.name}_ratio": _ratio(resolver, kind) for kind in kinds}
        phones = figures.pop("mp1_phone_ratio")
        print(json.dumps(figures | {"lookup_us": _lookup_us(directory, uids, rng), "mp1_phone_ratio": phones}))
    shutil.rmtree(folder)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _fill(directory: Directory, rng: random.Random) -> list[str]:
    """Load it; the UIDs of its cards."""
    uids = [f"{number:010X}" for number in rng.sample(range(16**10), CARDS)]
    directory.open()
    directory.replace(
        DirectoryFile(
            version=1,
            holders=tuple(Holder(holder=f"h-{number}", pass_type=PassType.RESIDENT) for number in range(CARDS)),
            cards=tuple(Card(uid=uid, holder=f"h-{number}") for number, uid in enumerate(uids)),
        )
    )
    return uids


def _trust_list(issuer: Ed25519PrivateKey, clinic: health_cards.CardIssuer) -> TrustList:
    """A list of the size of a real one."""
    others = [health_cards.CardIssuer(_new_key(), f"https://{number}.example/shc") for number in range(699)]
    strangers = [
        eu_certificates.signer_of(eu_certificates.OTHER, kid=number.to_bytes(8, "big").hex()) for number in range(399)
    ]
    keys = [issuer, *(Ed25519PrivateKey.generate() for _ in range(3))]
    return TrustList(
        version=1,
        issued_s=NOW_S - 60,
        pass_keys=tuple(PassKey(key=raw(key.public_key()).hex()) for key in keys),
        signers=(eu_certificates.signer_of(), *strangers),
        issuers=(clinic.issuer, *(other.issuer for other in others)),
    )


def _pass(number: int, phone: bytes = b"") -> passes.Pass:
    return passes.Pass(
        pass_id=uuid.uuid4().bytes[:8],
        pass_type=PassType.RESIDENT,
        site=SITE,
        not_before_s=NOW_S - 60,
        expires_s=NOW_S + 86_400,
        holder=f"h-{number}",
        phone=phone,
    )


def _passes(issuer: Ed25519PrivateKey) -> Kind:
    texts = [passes.sign_pass(_pass(number), issuer) for number in range(TEXTS)]
    return Kind("mp1", texts, [_ed25519(issuer, _sign1(text)) for text in texts])


def _phone_passes(issuer: Ed25519PrivateKey, phone: ec.EllipticCurvePrivateKey) -> Kind:
    public = passes.compressed(phone.public_key())
    issued = [passes.sign_pass(_pass(number, public), issuer) for number in range(TEXTS)]
    shown = [passes.present(text, phone, NOW_S) for text in issued]
    both = zip(issued, shown, strict=True)
    return Kind(
        "mp1_phone",
        shown,
        [_all(_ed25519(issuer, _sign1(inner)), _cose_es256(phone, _sign1(outer))) for inner, outer in both],
    )


def _eu_certificates() -> Kind:
    texts = [eu_certificates.certificate() for _ in range(TEXTS)]  # ECDSA signs each anew
    key = eu_certificates.KEY
    return Kind("dcc", texts, [_cose_es256(key, cose.decode_sign1(unpack(text))) for text in texts])


def _health_cards(clinic: health_cards.CardIssuer) -> Kind:
    """The specification's first example: one person, three doses."""
    content = [
        health_cards.patient("Anyperson", "John", "B."),
        *(health_cards.immunization(when, "207") for when in ("2021-04-01", "2021-04-29", "2021-12-05")),
    ]
    jws = [clinic.jws(*content, nbf=NOW_S - number) for number in range(1, TEXTS + 1)]
    return Kind("shc", [health_cards.digits(each) for each in jws], [_jws_es256(clinic.key, each) for each in jws])


def _sign1(text: str) -> cose.Sign1:
    return cose.as_sign1(cbor2.loads(base45.b45decode(text.removeprefix(passes.PREFIX))))


def _ed25519(key: Ed25519PrivateKey, sign1: cose.Sign1) -> Check:
    public, signature, signed = key.public_key(), sign1.signature, sign1.signed
    return lambda: public.verify(signature, signed)


def _cose_es256(key: ec.EllipticCurvePrivateKey, sign1: cose.Sign1) -> Check:
    return _es256(key, sign1.signature, sign1.signed)


def _jws_es256(key: ec.EllipticCurvePrivateKey, jws: str) -> Check:
    signed, _, signature = jws.rpartition(".")
    return _es256(key, decode_base64url(signature), signed.encode())


def _es256(key: ec.EllipticCurvePrivateKey, signature: bytes, signed: bytes) -> Check:
    public = key.public_key()
    der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    return lambda: public.verify(der, signed, _ES256)


def _all(*checks: Check) -> Check:
    return lambda: [check() for check in checks]


def _warm_up(resolver: Resolver, kind: Kind) -> None:
    """Once each, and all of them good."""
    for text, check in zip(kind.texts, kind.checks, strict=True):
        verdict = resolver.text(text, NOW)
        assert verdict.outcome is Outcome.VALID, f"{kind.name}: {verdict.reason}"
        check()


def _ratio(resolver: Resolver, kind: Kind) -> float:
    """How many verifications are made in the time of one bare check."""
    wholes, bares = [], []
    for _ in progress(range(ROUNDS), kind.name):
        for text, check in zip(kind.texts, kind.checks, strict=True):
            began = time.perf_counter()
            resolver.text(text, NOW)
            between = time.perf_counter()
            check()
            bares.append(time.perf_counter() - between)
            wholes.append(between - began)
    whole, bare = statistics.median(wholes), statistics.median(bares)
    print(f"{kind.name}: {1 / whole:,.0f}/s, the bare check {1 / bare:,.0f}/s", file=sys.stderr)
    return round(bare / whole, 3)


def _lookup_us(directory: Directory, uids: Sequence[str], rng: random.Random) -> float:
    """One look-up among all cards, each time of another one."""
    times = []
    for uid in progress(rng.sample(uids, LOOK_UPS), "look-up"):
        began = time.perf_counter()
        known = directory.card(uid)
        times.append(time.perf_counter() - began)
        assert known is not None
    return round(statistics.median(times) * 1e6, 1)


def _profile(resolver: Resolver, kind: Kind) -> None:
    profile = cProfile.Profile()
    with profile:
        for _ in range(20):
            for text in kind.texts:
                resolver.text(text, NOW)
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
