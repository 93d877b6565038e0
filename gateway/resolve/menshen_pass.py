"""Menshen passes: verified offline, then looked up for revocation and for what their holder has still to do."""

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.resolve.scheme import Scheme, Trust, booked, in_force, refused, steps, unsure
from sync.contract import passes
from sync.errors import CredentialRefused

KIND = "pass"
_NO_COPY = frozenset({"wrong-site", "not-yet-valid", "expired"})
"""Refused as it is, and not because it may be a picture or a copy."""


def _resolve(text: str, trust: Trust, now: Moment) -> Verdict:
    try:
        shown = passes.verify_pass(text, trust.anchors().pass_keys)
    except CredentialRefused as error:
        return refused(error.reason, KIND, trust.reference(text))
    reason = shown.why_not(site=trust.site, at_s=now.at_ms // 1000, clock_trusted=now.trusted)
    if reason:
        pass_id, holder = shown.content.pass_id.hex(), shown.content.holder
        return refused(reason, KIND, pass_id, holder=holder, genuine=reason in _NO_COPY)
    return _by_clock(_by_directory(shown, trust, now), shown, trust, now)


def _by_directory(shown: passes.Shown, trust: Trust, now: Moment) -> Verdict:
    """The verdict on a pass that is good by itself: whether it was revoked, and what its holder has still to do."""
    content, credential = shown.content, shown.content.pass_id.hex()
    standing = trust.directory.standing(content.pass_id, content.holder)
    if standing.version == 0:
        return refused("directory-empty", KIND, credential)
    if standing.revoked:
        return refused("revoked", KIND, credential, holder=content.holder)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=KIND,
        credential=credential,
        serves=steps(registered=standing.registered),
        holder=content.holder,
        pass_type=content.pass_type,
        extended=standing.extended,
        directory_version=standing.version,
        counter=shown.counter,
        stays_home=in_force(standing.home_until_s, now),
        booked=booked(trust, content.holder),
    )


def _by_clock(verdict: Verdict, shown: passes.Shown, trust: Trust, now: Moment) -> Verdict:
    """The same, as far as this gate's clock can be relied on: without it, a screenshot looks like what a phone shows."""
    if now.trusted or not shown.content.phone or verdict.outcome not in {Outcome.VALID, Outcome.UNCHECKED}:
        return verdict
    return unsure("clock-untrusted", trust.policy.credentials.when_clock_untrusted, verdict)


SCHEME = Scheme(
    KIND, lambda text: text.startswith(passes.PREFIX), _resolve, beginning=passes.PREFIX, signed=True, listed=True
)
