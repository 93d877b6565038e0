"""What every kind of credential has in common: what it is checked against, and how a verdict is made.

A new kind is one module with a `Scheme`, and one row in `resolver.SCHEMES`. It takes a text apart with `gateway.credentials`
or `sync.contract`, which raise CredentialRefused, and asks the directory. Nothing scanned leaves: a verdict refers to a pass
by its id and to everything else by a keyed hash.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import Booked, Policy, Unsure
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory
from sync.contract.records import Step
from sync.contract.trust import DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a gate checks credentials against: its site and policy, whose signatures it believes now, the directory, and the
    key of its hashes. `issued_s`: when the office last said that the directory is the newest (Unix seconds, 0 = it never did).
    `anchors` is asked anew for every credential: a key revoked a moment ago is revoked."""

    site: str
    anchors: Callable[[], Anchors]
    directory: Directory
    hash_key: bytes
    policy: Policy = field(default_factory=Policy)
    issued_s: Callable[[], int] = lambda: 0

    def of_this_moment(self) -> "Trust":
        """The same with the anchors as they are now: one credential is judged by one list. Raises DirectoryError."""
        anchors = self.anchors()
        return replace(self, anchors=lambda: anchors)

    def reference(self, text: str) -> str:
        """A reference to a text that does not give the text away: 16 hexadecimal digits."""
        return hashlib.blake2s(text.encode("utf-8", "surrogatepass"), key=self.hash_key, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of credential: what it is called in records, whether a text is of it, and what resolves it. `asks`: it may
    wait for a server. `beginning`: what its texts begin with, where they are told by that; what only looks like it is
    refused (`first_look`). `signed`: it rests on the trust list (see `by_trust`); `listed`: on the directory
    (see `by_age`)."""

    kind: str
    claims: Callable[[str], bool]
    resolve: Callable[[str, Trust, Moment], Verdict]
    asks: bool = False
    beginning: str = ""
    signed: bool = False
    listed: bool = False


OUTCOMES: Mapping[str, Outcome] = {
    "expired": Outcome.EXPIRED,
    "vaccination-too-old": Outcome.EXPIRED,
    "test-too-old": Outcome.EXPIRED,
    "recovery-too-old": Outcome.EXPIRED,
    "revoked": Outcome.REVOKED,
    "key-revoked": Outcome.REVOKED,
    "lost-card": Outcome.REVOKED,
    "unknown-key": Outcome.UNKNOWN,
    "unknown-issuer": Outcome.UNKNOWN,
    "unknown-code": Outcome.UNKNOWN,
    "unknown-card": Outcome.UNKNOWN,
    "trust-empty": Outcome.UNCHECKED,
    "trust-old": Outcome.UNCHECKED,
    "clock-untrusted": Outcome.UNCHECKED,
    "directory-empty": Outcome.UNCHECKED,
    "directory-old": Outcome.UNCHECKED,
    "directory-unavailable": Outcome.UNCHECKED,
    "resolver-failed": Outcome.UNCHECKED,
    "too-many": Outcome.UNCHECKED,
    "code-not-found": Outcome.UNKNOWN,
    "check-failed": Outcome.NEEDS_ONLINE,
    "no-answer": Outcome.NEEDS_ONLINE,
    "server-unreachable": Outcome.NEEDS_ONLINE,
    "server-certificate": Outcome.NEEDS_ONLINE,
    "server-insecure": Outcome.NEEDS_ONLINE,
    "server-refused": Outcome.NEEDS_ONLINE,
    "server-error": Outcome.NEEDS_ONLINE,
    "server-redirects": Outcome.NEEDS_ONLINE,
    "answer-too-large": Outcome.NEEDS_ONLINE,
    "answer-not-understood": Outcome.NEEDS_ONLINE,
}
"""What a reason comes down to; every reason that is not listed is `invalid`."""


def refused(reason: str, kind: str, credential: str, *, holder: str = "", genuine: bool = False) -> Verdict:
    """A verdict that serves nothing. `holder`: whose it is, where that is known all the same; `genuine`: it is what it claims
    to be."""
    outcome = OUTCOMES.get(reason, Outcome.INVALID)
    return Verdict(outcome=outcome, reason=reason, kind=kind, credential=credential, holder=holder, genuine=genuine)


def unsure(reason: str, policy: Unsure, verdict: Verdict) -> Verdict:
    """The verdict on what is good as far as this gate can know, and `reason` why it cannot: as the site's policy wants it."""
    if policy is Unsure.ACCEPT:
        return verdict
    found = refused(reason, verdict.kind, verdict.credential, holder=verdict.holder)
    return replace(found, denied=policy is Unsure.REFUSE)


def unlisted(trust: Trust, reason: str, kind: str, credential: str) -> Verdict:
    """The verdict on what the directory does not list; where nothing was ever loaded, that says nothing about it."""
    return refused("directory-empty" if trust.directory.version == 0 else reason, kind, credential)


def by_trust(verdict: Verdict, trust: Trust, now: Moment) -> Verdict:
    """A verdict that rests on the trust list, as far as the list itself can be relied on: where there is none, a signer that
    is not in it says nothing; what is good by one that is too old is so by the site's policy. Of two doubts the stricter
    policy counts: what is for the guard already can still be denied."""
    policy = trust.policy.credentials
    if verdict.outcome is Outcome.UNKNOWN and trust.anchors().version == 0:
        return refused("trust-empty", verdict.kind, verdict.credential)
    for_guard = verdict.outcome is Outcome.UNCHECKED and policy.when_trust_is_old is Unsure.REFUSE
    if policy.when_trust_is_old is Unsure.ACCEPT or not (verdict.outcome is Outcome.VALID or for_guard):
        return verdict
    if not trust.anchors().older_than(policy.trust_max_age_days, now.at_ms // 1000):
        return verdict
    return unsure("trust-old", policy.when_trust_is_old, verdict)


def by_age(verdict: Verdict, trust: Trust, now: Moment) -> Verdict:
    """A verdict that rests on the directory, as far as one of this age can be relied on: by the site's policy."""
    policy, issued_s = trust.policy.directory, trust.issued_s()
    for_guard = verdict.outcome is Outcome.UNCHECKED and policy.when_old is Unsure.REFUSE
    if policy.when_old is Unsure.ACCEPT or not (verdict.outcome is Outcome.VALID or for_guard):
        return verdict
    if not issued_s or now.at_ms // 1000 - issued_s <= policy.max_age_days * DAY_S:
        return verdict
    return unsure("directory-old", policy.when_old, verdict)


def in_force(until_s: int | None, now: Moment) -> bool:
    """Whether what holds until then (0: for good, None: not at all) holds now."""
    return until_s is not None and (until_s == 0 or now.at_ms // 1000 < until_s)


def steps(*, registered: bool) -> frozenset[Step]:
    """What a card or pass serves: the registration too, when its holder has done that."""
    return frozenset({Step.CREDENTIAL, Step.REGISTRATION} if registered else {Step.CREDENTIAL})


def booked(trust: Trust, holder: str) -> tuple[tuple[int, int], ...]:
    """The time slots of a holder, where the site goes by them. Raises DirectoryError."""
    return () if trust.policy.capacity.booked is Booked.OFF or not holder else trust.directory.booked(holder)
