"""What is said to somebody who is refused: what they can do, where they can do anything."""

import pytest

from gateway.core.events import HEALTH_KINDS, Outcome
from gateway.core.phrases import Phrase
from tests.gateway.core.acting import Gate, bad, said


@pytest.mark.parametrize(
    ("kind", "outcome", "reason", "phrase"),
    [
        ("card", Outcome.UNKNOWN, "unknown-card", Phrase.UNKNOWN_CARD),
        ("card", Outcome.INVALID, "not-registered", Phrase.UNKNOWN_CARD),
        ("card", Outcome.INVALID, "wrong-site", Phrase.INVALID_PASS),
        ("card", Outcome.REVOKED, "lost-card", Phrase.REVOKED_PASS),
        ("pass", Outcome.INVALID, "bad-signature", Phrase.INVALID_PASS),
        ("pass", Outcome.EXPIRED, "expired", Phrase.EXPIRED_PASS),
        ("pass", Outcome.INVALID, "screenshot", Phrase.SHOW_LIVE_CODE),
        ("pass", Outcome.INVALID, "proof-missing", Phrase.SHOW_LIVE_CODE),
        ("pass", Outcome.INVALID, "phone-clock", Phrase.PHONE_CLOCK),
        ("pass", Outcome.UNCHECKED, "clock-untrusted", Phrase.GUARD_COMES),
        ("text", Outcome.UNKNOWN, "unknown-code", Phrase.UNKNOWN_CODE),
        ("text", Outcome.INVALID, "look-alike", Phrase.UNKNOWN_CODE),
        ("health-code", Outcome.EXPIRED, "expired", Phrase.HEALTH_CODE_EXPIRED),
        ("health-code", Outcome.NEEDS_ONLINE, "no-answer", Phrase.GUARD_COMES),
        ("eu-certificate", Outcome.EXPIRED, "expired", Phrase.HEALTH_CODE_EXPIRED),
        ("smart-health-card", Outcome.UNKNOWN, "unknown-issuer", Phrase.CERTIFICATE_REFUSED),
    ],
)
def test_what_is_said(kind: str, outcome: Outcome, reason: str, phrase: Phrase) -> None:
    gate = Gate()
    gate.arrive()
    assert said(gate.read(bad(outcome, reason, kind=kind))) == [phrase]


@pytest.mark.parametrize("kind", sorted(HEALTH_KINDS))
@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.VALID])
def test_a_bad_health_code_is_never_told_as_a_bad_pass(kind: str, outcome: Outcome) -> None:
    gate = Gate()
    gate.arrive()
    (phrase,) = said(gate.read(bad(outcome, "a-reason", kind=kind)))
    assert not phrase.endswith("-pass")
