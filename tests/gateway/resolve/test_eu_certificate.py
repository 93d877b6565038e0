"""EU certificates at the gate: colour, reference, and how little is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import CertificatePolicy, CredentialPolicy, Fact, Policy, Statement
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory
from gateway.resolve import Resolver, Trust
from sync.contract.colours import HealthCode
from sync.contract.records import Step
from sync.contract.trust import TrustList
from tests.eu_certificates import NOW_S, OTHER, TEST, VACCINATION, certificate, content, signer_of, twin

NOW = Moment(mono_ms=1_000, at_ms=NOW_S * 1000)
ANCHORS = Anchors.of(TrustList(version=1, issued_s=NOW_S, signers=(signer_of(),)))


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    """No directory was ever loaded: a certificate needs none."""
    directory = Directory(tmp_path / "directory.sqlite")
    return Trust(site="demo", anchors=lambda: ANCHORS, directory=directory, hash_key=b"k" * 32)


def keeping(trust: Trust, *keep: Fact) -> Trust:
    return replace(trust, policy=Policy(credentials=CredentialPolicy(keep=keep)))


def resolved(trust: Trust, text: str) -> Verdict:
    return Resolver(trust).text(text, NOW)


def test_a_good_one_is_a_green_health_code(trust: Trust) -> None:
    verdict = resolved(trust, certificate())
    assert (verdict.outcome, verdict.reason, verdict.kind) == (Outcome.VALID, "ok", "eu-certificate")
    assert (verdict.health_code, verdict.serves) == (HealthCode.GREEN, {Step.HEALTH_CODE})
    assert (verdict.holder, verdict.pass_type) == ("", None)


def test_a_test_that_found_the_virus_is_red(trust: Trust) -> None:
    verdict = resolved(trust, certificate(content("t", TEST | {"tr": "260373001"})))
    assert (verdict.outcome, verdict.health_code, verdict.serves) == (Outcome.VALID, HealthCode.RED, {Step.HEALTH_CODE})


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        (certificate(content(entry=VACCINATION | {"dt": "2021-01-01"})), Outcome.EXPIRED, "vaccination-too-old"),
        (certificate(content("t", TEST | {"sc": "2022-02-01T00:00:00Z"})), Outcome.EXPIRED, "test-too-old"),
        (certificate(content(entry=VACCINATION | {"dn": 1})), Outcome.INVALID, "vaccination-incomplete"),
        (certificate(exp=NOW_S - 1), Outcome.EXPIRED, "expired"),
        (certificate(key=OTHER), Outcome.INVALID, "bad-signature"),
        ("HC1:", Outcome.INVALID, "not-zlib"),
        ("HC1:" + "0" * 4292, Outcome.INVALID, "not-zlib"),
        ("HC1:" + ":" * 4292, Outcome.INVALID, "not-base45"),
    ],
)
def test_what_is_refused_serves_nothing(trust: Trust, text: str, outcome: Outcome, reason: str) -> None:
    verdict = resolved(keeping(trust, *Fact), text)
    assert (verdict.outcome, verdict.reason, verdict.kind) == (outcome, reason, "eu-certificate")
    assert verdict.health_code is None and not verdict.serves and not verdict.facts
    assert len(verdict.credential) == 16


def test_the_sites_own_rule_decides(trust: Trust) -> None:
    tests_only = replace(trust, policy=Policy(certificates=CertificatePolicy(accepted=(Statement.TEST,))))
    assert resolved(tests_only, certificate()).reason == "vaccination-not-accepted"
    assert resolved(tests_only, certificate(content("t"))).health_code is HealthCode.GREEN


def test_a_signer_nobody_listed(trust: Trust) -> None:
    none = replace(trust, anchors=lambda: Anchors.of(TrustList(version=1, issued_s=NOW_S)))
    assert (resolved(none, certificate()).outcome, resolved(none, certificate()).reason) == (
        Outcome.UNKNOWN,
        "unknown-key",
    )
    never = replace(trust, anchors=Anchors)
    assert (resolved(never, certificate()).outcome, resolved(never, certificate()).reason) == (
        Outcome.UNCHECKED,
        "trust-empty",
    )


def test_copies_are_one_and_certificates_are_several(trust: Trust) -> None:
    text = certificate()
    assert resolved(trust, twin(text)).credential == resolved(trust, text).credential
    assert resolved(trust, certificate(iat=NOW_S - 5)).credential == resolved(trust, text).credential  # issued anew
    assert resolved(trust, certificate(content("t"))).credential != resolved(trust, text).credential


def test_nothing_is_kept_but_what_the_policy_names(trust: Trust) -> None:
    text = certificate(content(nam={"fn": "Snowman☃", "fnt": "SNOWMAN"}, dob="1998-02-26"))
    verdict = resolved(trust, text)
    assert verdict.facts == {}
    for secret in ("Snowman", "SNOWMAN", "1998", "10807843F94AEE0EE509", "Austria", "EU/1/20/1528", text[4:40]):
        assert secret not in repr(verdict)
    kept = resolved(keeping(trust, Fact.COUNTRY, Fact.STATEMENT), text)
    assert kept.facts == {"country": "AT", "statement": "vaccination"}
    assert resolved(keeping(trust, Fact.BIRTH_DATE), text).facts == {"birth-date": "1998-02-26"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Li\u202eMing", "Li\ufffdMing"),
        ("\x1b[31mRed", "\ufffd[31mRed"),
        ("a\nb\u2028c", "a\ufffdb\ufffdc"),
        ("<b>Tom & Co</b>", "<b>Tom & Co</b>"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("\u200bx", "\ufffdx"),
        ("名" * 80, "名" * 80),
        ("", "LI"),
    ],
)
def test_what_is_kept_is_harmless_to_read(trust: Trust, name: str, kept: str) -> None:
    text = certificate(content(nam={"fn": name, "fnt": "LI"}))
    assert resolved(keeping(trust, Fact.NAME), text).facts == {"name": kept}


def test_what_is_kept_is_short(trust: Trust) -> None:
    text = certificate(content(nam={"fn": "F" * 80, "gn": "G" * 80, "fnt": "F"}))
    (name,) = resolved(keeping(trust, Fact.NAME), text).facts.values()
    assert len(name) == 80 and name.startswith("GGG")
