"""What every kind of health certificate comes to at a gate: the site's rule, and the little that is kept."""

from collections.abc import Callable, Mapping

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import Fact
from gateway.credentials.anchors import Anchors
from gateway.credentials.certificate import Certificate
from gateway.credentials.rules import judge
from gateway.resolve.scheme import Scheme, Trust, refused
from sync.contract.records import Step
from sync.contract.text import harmless
from sync.errors import CredentialRefused

MAX_FACT = 80  # characters


def scheme(kind: str, prefix: str, verify: Callable[[str, Anchors, float], Certificate]) -> Scheme:
    """A kind of certificate: verified offline, then judged by the site's rule. `verify` is given a text, whose signatures are
    believed, and Unix seconds; it raises CredentialRefused."""

    def resolve(text: str, trust: Trust, now: Moment) -> Verdict:
        try:
            certificate = verify(text, trust.anchors(), now.at_ms / 1000)
        except CredentialRefused as error:
            return refused(error.reason, kind, trust.reference(text))
        return judged(certificate, kind, trust, now)

    return Scheme(kind, lambda text: text.startswith(prefix), resolve, beginning=prefix, signed=True)


def judged(certificate: Certificate, kind: str, trust: Trust, now: Moment) -> Verdict:
    """The verdict on a certificate that is genuine. It refers to what the certificate is, not to how it was written down:
    its copies, signed the other way round or packed anew, are one."""
    credential = trust.reference(certificate.identity)
    ruling = judge(certificate.statements, trust.policy.certificates, now.at_ms / 1000)
    if ruling.health_code is None:
        return refused(ruling.reason, kind, credential, genuine=True)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=kind,
        credential=credential,
        serves=frozenset({Step.HEALTH_CODE}),
        health_code=ruling.health_code,
        facts=_kept(certificate.facts, trust.policy.credentials.keep),
    )


def _kept(facts: Mapping[Fact, str], keep: tuple[Fact, ...]) -> Mapping[str, str]:
    """Of what a certificate says, only what the site's policy names, made harmless."""
    return {fact.value: harmless(facts[fact], MAX_FACT) for fact in keep if facts.get(fact)}
