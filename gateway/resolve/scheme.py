"""What every kind of credential has in common: what it is checked against, and how a verdict is made.

A new kind is one module with a `Scheme`, and one row in `resolver.SCHEMES`. It takes a text apart with `gateway.credentials`
or `sync.contract`, which raise CredentialRefused, and asks the directory. Nothing scanned leaves: a verdict refers to a pass
by its id and to everything else by a keyed hash.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory
from sync.contract.records import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a gate checks credentials against: its site and policy, whose signatures it believes now, the directory, and the
    key of its hashes. `anchors` is asked anew for every credential: a key revoked a moment ago is revoked."""

    site: str
    anchors: Callable[[], Anchors]
    directory: Directory
    hash_key: bytes
    policy: Policy = field(default_factory=Policy)

    def reference(self, text: str) -> str:
        """A reference to a text that does not give the text away: 16 hexadecimal digits."""
        return hashlib.blake2s(text.encode("utf-8", "surrogatepass"), key=self.hash_key, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Scheme:
    """One kind of credential: what it is called in records, whether a text is of it, and what resolves it. `asks`: it may
    wait for a server."""

    kind: str
    claims: Callable[[str], bool]
    resolve: Callable[[str, Trust, Moment], Verdict]
    asks: bool = False


OUTCOMES: Mapping[str, Outcome] = {
    "expired": Outcome.EXPIRED,
    "revoked": Outcome.REVOKED,
    "key-revoked": Outcome.REVOKED,
    "lost-card": Outcome.REVOKED,
    "unknown-key": Outcome.UNKNOWN,
    "unknown-code": Outcome.UNKNOWN,
    "unknown-card": Outcome.UNKNOWN,
    "directory-empty": Outcome.UNCHECKED,
    "directory-unavailable": Outcome.UNCHECKED,
    "resolver-failed": Outcome.UNCHECKED,
}
"""What a reason comes down to; every reason that is not listed is `invalid`."""


def refused(reason: str, kind: str, credential: str) -> Verdict:
    """A verdict that serves nothing."""
    return Verdict(outcome=OUTCOMES.get(reason, Outcome.INVALID), reason=reason, kind=kind, credential=credential)


def unlisted(trust: Trust, reason: str, kind: str, credential: str) -> Verdict:
    """The verdict on what the directory does not list; where nothing was ever loaded, that says nothing about it."""
    return refused("directory-empty" if trust.directory.version == 0 else reason, kind, credential)


def steps(*, registered: bool) -> frozenset[Step]:
    """What a card or pass serves: the registration too, when its holder has done that."""
    return frozenset({Step.CREDENTIAL, Step.REGISTRATION} if registered else {Step.CREDENTIAL})
