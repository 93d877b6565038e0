"""SMART Health Cards at a gate: from the text of a code to a verdict."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.core.events import HEALTH_KINDS, Outcome
from gateway.core.moment import Moment
from gateway.core.policy import CertificatePolicy, CredentialPolicy, Fact, Policy
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory
from gateway.resolve import Resolver, Trust
from gateway.resolve.smart_health_card import KIND
from sync.contract.colours import HealthCode
from sync.contract.records import Step
from sync.contract.trust import TrustList
from tests.health_cards import CLINIC, NOW_S, STRANGER, digits, immunization, mirrored, observation, patient

NOW = Moment(mono_ms=1_000, at_ms=NOW_S * 1000)
ANCHORS = Anchors.of(TrustList(version=1, issued_s=NOW_S, issuers=(CLINIC.issuer,)))
NAME = "Zwetschgenknödel"  # in no word of ours


def ago(days: float) -> str:
    return (datetime.fromtimestamp(NOW_S, UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


VACCINATED = (patient(NAME), immunization(ago(120)), immunization(ago(90)))


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(
        site="demo", anchors=lambda: ANCHORS, directory=Directory(tmp_path / "directory.sqlite"), hash_key=b"k" * 32
    )


def test_a_vaccinated_person_is_green(trust: Trust) -> None:
    verdict = Resolver(trust).text(CLINIC.card(*VACCINATED), NOW)
    assert (verdict.outcome, verdict.reason, verdict.kind) == (Outcome.VALID, "ok", KIND)
    assert verdict.kind in HEALTH_KINDS
    assert verdict.health_code is HealthCode.GREEN
    assert verdict.serves == {Step.HEALTH_CODE}
    assert (verdict.holder, verdict.pass_type) == ("", None)


def test_a_test_that_found_the_virus_is_red_and_valid(trust: Trust) -> None:
    card = CLINIC.card(*VACCINATED, observation(ago(1), snomed="260373001"))
    verdict = Resolver(trust).text(card, NOW)
    assert (verdict.outcome, verdict.health_code) == (Outcome.VALID, HealthCode.RED)


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ([immunization(ago(90))], "vaccination-incomplete"),
        ([immunization(ago(500)), immunization(ago(400))], "vaccination-too-old"),
        ([immunization(ago(40)), immunization(ago(3))], "vaccination-too-fresh"),
        ([immunization(ago(500), "212")], "vaccination-too-old"),
        ([observation(ago(4))], "test-too-old"),
        ([observation(ago(2), "94558-4")], "test-too-old"),
        ([observation(ago(-1))], "test-in-future"),
        ([], "no-statement"),
    ],
)
def test_the_site_has_a_rule(trust: Trust, resources: list[object], reason: str) -> None:
    verdict = Resolver(trust).text(CLINIC.card(patient(NAME), *resources), NOW)
    assert verdict.outcome in {Outcome.INVALID, Outcome.EXPIRED}
    assert (verdict.reason, verdict.health_code, verdict.serves) == (reason, None, frozenset())


@pytest.mark.parametrize(
    "resources", [[immunization(ago(90), "212")], [observation(ago(2))], [observation(ago(0.5), "94558-4")]]
)
def test_one_statement_that_counts_is_enough(trust: Trust, resources: list[object]) -> None:
    assert Resolver(trust).text(CLINIC.card(patient(), *resources), NOW).health_code is HealthCode.GREEN


def test_products_are_accepted_by_their_cvx_code(trust: Trust) -> None:
    policy = Policy(certificates=CertificatePolicy(vaccines=("EU/1/20/1528",)))
    assert Resolver(replace(trust, policy=policy)).text(CLINIC.card(*VACCINATED), NOW).reason == "vaccine-not-accepted"
    policy = Policy(certificates=CertificatePolicy(vaccines=("EU/1/20/1528", "208")))
    assert Resolver(replace(trust, policy=policy)).text(CLINIC.card(*VACCINATED), NOW).reason == "ok"


@pytest.mark.parametrize(
    ("card", "outcome", "reason"),
    [
        (CLINIC.card(*VACCINATED, exp=NOW_S), Outcome.EXPIRED, "expired"),
        (CLINIC.card(*VACCINATED, iss="https://other.example"), Outcome.UNKNOWN, "unknown-issuer"),
        (STRANGER.card(*VACCINATED), Outcome.UNKNOWN, "unknown-key"),
        (CLINIC.card(*VACCINATED)[:-2], Outcome.INVALID, "not-base64url"),
        (CLINIC.card(*VACCINATED).replace("shc:/", "shc:/1/2/"), Outcome.INVALID, "chunked"),
        ("shc:/", Outcome.INVALID, "not-jws"),
    ],
)
def test_refusals(trust: Trust, card: str, outcome: Outcome, reason: str) -> None:
    verdict = Resolver(trust).text(card, NOW)
    assert (verdict.outcome, verdict.reason, verdict.kind) == (outcome, reason, KIND)
    assert (verdict.health_code, verdict.serves) == (None, frozenset())


def test_the_prefix_is_in_small_letters(trust: Trust) -> None:
    """As the framework writes it: capitals are of no code of its."""
    verdict = Resolver(trust).text(CLINIC.card(*VACCINATED).upper(), NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.INVALID, "look-alike")


def test_without_a_trust_list_nothing_is_known_of_an_issuer(trust: Trust) -> None:
    verdict = Resolver(replace(trust, anchors=Anchors)).text(CLINIC.card(*VACCINATED), NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNCHECKED, "trust-empty")


def test_what_is_kept_is_what_the_policy_names(trust: Trust) -> None:
    card = CLINIC.card(patient(NAME, "=cmd()\u202e"), *VACCINATED[1:])
    assert NAME not in repr(Resolver(trust).text(card, NOW))
    policy = Policy(credentials=CredentialPolicy(keep=(Fact.STATEMENT, Fact.NAME, Fact.COUNTRY)))
    facts = Resolver(replace(trust, policy=policy)).text(card, NOW).facts
    assert facts == {"statement": "vaccination", "name": f"=cmd()\N{REPLACEMENT CHARACTER} {NAME}"}


def test_both_signatures_of_one_card_have_one_reference(trust: Trust) -> None:
    jws = CLINIC.jws(*VACCINATED)
    verdicts = [Resolver(trust).text(digits(each), NOW) for each in (jws, mirrored(jws))]
    assert [verdict.reason for verdict in verdicts] == ["ok", "ok"]
    assert verdicts[0].credential == verdicts[1].credential
    assert verdicts[0].credential != Resolver(trust).text(CLINIC.card(patient(), *VACCINATED[1:]), NOW).credential
