"""What is said when a visit ends, and what before any step where not everybody comes in."""

from collections.abc import Mapping

from gateway.core.capacity import FULL, NO_SLOT
from gateway.core.effects import Priority, Say
from gateway.core.events import HEALTH_KINDS, Outcome, Verdict
from gateway.core.findings import (
    CLOSED_MANAGEMENT,
    FIRE,
    GONE,
    HOME_OBSERVATION,
    LOCKDOWN,
    LOCKED_OUT,
    REFERRED,
    SEALED,
    Decision,
    Findings,
)
from gateway.core.mode import ModeMachine, Order
from gateway.core.passback import ALREADY_INSIDE, ALREADY_OUTSIDE
from gateway.core.phrases import Phrase
from gateway.core.policy import Mode, PortalKind
from gateway.core.temperature import ScreeningState
from gateway.core.used import CODE_USED
from sync.contract.records import Step, VisitOutcome

_BY_CIRCUMSTANCE: Mapping[str, Phrase] = {
    FIRE: Phrase.FIRE,
    LOCKED_OUT: Phrase.LOCKED_OUT,
    LOCKDOWN: Phrase.LOCKED_DOWN,
    SEALED: Phrase.LOCKED_DOWN,
    HOME_OBSERVATION: Phrase.STAY_HOME,
    CLOSED_MANAGEMENT: Phrase.CLOSED_MANAGEMENT,
    ALREADY_INSIDE: Phrase.ALREADY_INSIDE,
    ALREADY_OUTSIDE: Phrase.ALREADY_INSIDE,
    NO_SLOT: Phrase.NO_SLOT,
    FULL: Phrase.FULL,
}
_BY_REASON: Mapping[str, Phrase] = {
    CODE_USED: Phrase.SHOW_LIVE_CODE,
    "screenshot": Phrase.SHOW_LIVE_CODE,
    "proof-missing": Phrase.SHOW_LIVE_CODE,
    "phone-clock": Phrase.PHONE_CLOCK,
    "not-registered": Phrase.UNKNOWN_CARD,
}
"""What the person can mend, or what the outcome alone would say badly."""
_BY_KIND: Mapping[str, Phrase] = {
    "health-code": Phrase.HEALTH_CODE_REFUSED,
    "eu-certificate": Phrase.CERTIFICATE_REFUSED,
    "smart-health-card": Phrase.CERTIFICATE_REFUSED,
    "text": Phrase.UNKNOWN_CODE,
}
_BY_OUTCOME: Mapping[Outcome, Phrase] = {
    Outcome.INVALID: Phrase.INVALID_PASS,
    Outcome.EXPIRED: Phrase.EXPIRED_PASS,
    Outcome.REVOKED: Phrase.REVOKED_PASS,
}


def ending(decision: Decision, findings: Findings) -> Say | None:
    """What to say upon a decision; None for a grant, which is told when the door is released, and for who has gone."""
    if decision.outcome is VisitOutcome.DENIED:
        return _said(_refusal(decision, findings.bad), Priority.REFUSAL)
    if decision.outcome is VisitOutcome.REFERRED and GONE.isdisjoint(decision.reasons):
        return _referral(decision, findings)
    return None


def first(mode: ModeMachine, kind: PortalKind) -> Phrase | None:
    """What whoever comes is told instead of being asked for steps: that nobody comes in here, or not everybody."""
    if mode.fire:
        return Phrase.FIRE
    if mode.order is Order.FREE:
        return None
    if mode.order is Order.LOCKDOWN or kind is PortalKind.SEALED:
        return Phrase.LOCKED_DOWN
    return Phrase.CLOSED_NOTICE if mode.mode is Mode.CLOSED else None


NOBODY_COMES_IN = frozenset({Phrase.FIRE, Phrase.LOCKED_DOWN})
"""Where this comes first, nobody is asked for anything."""


def granted(celsius: str) -> Say:
    """Please pass."""
    return (
        Say(Phrase.GRANTED_NORMAL, Priority.PROMPT, {"celsius": celsius})
        if celsius
        else Say(Phrase.GRANTED, Priority.PROMPT)
    )


def withdrawn(reason: str) -> Say:
    """A grant is not carried out after all."""
    return _said(_BY_CIRCUMSTANCE.get(reason, Phrase.GUARD_COMES), Priority.REFUSAL)


def _said(phrase: Phrase, priority: Priority) -> Say:
    """That there is fire is never said as something less."""
    return Say(phrase, Priority.FIRE if phrase is Phrase.FIRE else priority)


def notice(phrase: Phrase) -> Say:
    """What whoever comes is told before any step."""
    return _said(phrase, Priority.CHIME)


def celsius(findings: Findings) -> str:
    """The temperature as it is told, "" when it is not known to be normal."""
    if findings.screening.state is not ScreeningState.NORMAL or findings.screening.object_c is None:
        return ""
    return f"{findings.screening.object_c:.1f}"


def _refusal(decision: Decision, bad: Verdict | None) -> Phrase:
    for reason, phrase in _BY_CIRCUMSTANCE.items():
        if reason in decision.reasons:
            return phrase
    if bad is None:
        return Phrase.HEALTH_CODE_REFUSED
    if bad.outcome in REFERRED:
        return Phrase.NOT_CHECKED
    if bad.outcome is Outcome.EXPIRED and bad.kind in HEALTH_KINDS:
        return Phrase.HEALTH_CODE_EXPIRED
    unknown = Phrase.UNKNOWN_CARD if bad.kind == "card" else Phrase.UNKNOWN_CODE
    return _BY_REASON.get(bad.reason) or _BY_KIND.get(bad.kind) or _BY_OUTCOME.get(bad.outcome, unknown)


def _referral(decision: Decision, findings: Findings) -> Say:
    if "fever" in decision.reasons and findings.screening.object_c is not None:
        return Say(Phrase.FEVER, Priority.REFUSAL, {"celsius": f"{findings.screening.object_c:.1f}"})
    alone = findings.missing == (Step.REGISTRATION,)
    return Say(Phrase.REGISTER if alone else Phrase.GUARD_COMES, Priority.REFUSAL)
