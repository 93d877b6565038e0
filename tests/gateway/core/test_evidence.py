"""What a visit's record keeps of a credential: the verdict as it was judged, and what the site's policy lets through."""

import json
import os
import subprocess
import sys

import msgspec

from gateway.core.events import CredentialResolved, Outcome, Verdict
from gateway.core.findings import READINGS, Decision, evidence, replay
from sync.contract.colours import HealthCode
from sync.contract.records import Direction, Step, Visit, VisitOutcome, decode_body, encode_body
from tests.gateway.core.acting import Gate, at, card, policy

FACTS = {"statement": "vaccination", "country": "AT"}


def certificate(**changes: object) -> Verdict:
    values: dict[str, object] = {
        "kind": "eu-certificate", "credential": "c0ffee", "serves": frozenset({Step.HEALTH_CODE}),
        "health_code": HealthCode.GREEN, "facts": FACTS,
    }  # fmt: skip
    return card("", None, **(values | changes))


def read_back(visit: Visit) -> Visit:
    body = decode_body("visit", encode_body(visit))
    assert isinstance(body, Visit)
    return body


def test_every_field_of_a_verdict_comes_back() -> None:
    reading = CredentialResolved(certificate(counter=57_000_000, extended=True), "reader", Direction.ENTRY, 5)
    kept = msgspec.json.decode(msgspec.json.encode(evidence(reading, 5).data), type=READINGS["credential"])
    assert kept == reading


def test_a_verdict_of_an_earlier_version_is_still_read() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.measure()
    visit = read_back(gate.last)
    for kept in visit.evidence:
        if kept.event == "credential":
            del kept.data["verdict"]["counter"], kept.data["verdict"]["facts"]
    assert replay(visit, gate.policy) == Decision(VisitOutcome.GRANTED, ("ok",))


def test_a_visit_of_an_earlier_version_is_still_read() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.leave()
    content = json.loads(encode_body(gate.last))
    assert "facts" not in content and read_back(gate.last).facts == {}


def test_the_facts_are_those_of_the_resolver_and_no_others() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card())
    gate.read(certificate())
    gate.measure()
    assert gate.last.facts == FACTS and read_back(gate.last) == gate.last
    gate.go_through()
    gate.leave()
    gate.arrive()
    gate.read(card())
    gate.read(certificate(facts={}))
    gate.measure()
    assert gate.last.facts == {} and b"vaccination" not in encode_body(gate.last)


def test_a_certificate_that_is_refused_is_a_step_of_the_health_code() -> None:
    gate = Gate(now=at("10:00"))
    gate.arrive()
    gate.read(card())
    gate.read(certificate(outcome=Outcome.EXPIRED, reason="test-too-old", serves=frozenset(), health_code=None))
    assert gate.decided == (VisitOutcome.DENIED, ("test-too-old",))
    (failed,) = (step for step in gate.last.steps if not step.passed)
    assert (failed.step, failed.reason) == (Step.HEALTH_CODE, "test-too-old")
    assert replay(read_back(gate.last), gate.policy) == Decision(VisitOutcome.DENIED, ("test-too-old",))


def test_what_could_not_be_asked_is_for_the_guard_unless_the_site_refuses_it() -> None:
    for outcome, decided in ((Outcome.NEEDS_ONLINE, VisitOutcome.REFERRED), (Outcome.INVALID, VisitOutcome.DENIED)):
        gate = Gate(policy())
        gate.arrive()
        gate.read(certificate(kind="health-code", outcome=outcome, reason="no-answer", serves=frozenset()))
        assert gate.decided == (decided, ("no-answer",))


def test_the_record_says_who_was_sent_to_the_guard() -> None:
    gate = Gate()
    gate.arrive()
    gate.read(card("h-9", None, kind="pass", outcome=Outcome.UNCHECKED, reason="clock-untrusted", serves=frozenset()))
    assert gate.decided == (VisitOutcome.REFERRED, ("clock-untrusted",))
    assert (gate.last.holder, gate.last.credential, gate.last.credential_kind) == (
        "h-9",
        card("h-9").credential,
        "pass",
    )


def test_the_same_reading_is_kept_alike_in_every_process() -> None:
    """Sets of words have another order in each, as Python salts their hashes."""
    script = (
        "from tests.gateway.core.acting import card\n"
        "from gateway.core.events import CredentialResolved\n"
        "from gateway.core.findings import evidence\n"
        "from sync.contract.records import Direction, Step\n"
        "print(evidence(CredentialResolved(card(serves=frozenset(Step)), 'r', Direction.ENTRY, 5), 5))\n"
    )
    kept = {
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(kept) == 1
