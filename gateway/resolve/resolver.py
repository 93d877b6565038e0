"""One interface for every credential: text or UID in, `Verdict` out. A new kind is one module and one row in `SCHEMES`."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.config.settings import ResolverConfig
from gateway.core.events import Verdict
from gateway.core.moment import Moment
from gateway.core.policy import Policy
from gateway.errors import DirectoryError
from gateway.resolve import card, eu_certificate, first_look, listed_code, menshen_pass, smart_health_card
from gateway.resolve.scheme import Scheme, Trust, by_age, by_trust, refused

SCHEMES: tuple[Scheme, ...] = (
    menshen_pass.SCHEME,
    eu_certificate.SCHEME,
    smart_health_card.SCHEME,
    listed_code.SCHEME,
)
"""In order; the last row takes whatever no other claims."""


def schemes_with(services: Sequence[ResolverConfig]) -> Sequence[Scheme]:
    """The rows of a gate that asks these services about their codes, before it looks for a code in the directory. Raises
    GatewayError when a file that they need cannot be used."""
    if not services:
        return SCHEMES
    from gateway.resolve import server  # what it takes to ask costs memory

    *first, last = SCHEMES
    return [*first, *server.schemes(services), last]


class Resolver:
    """Resolves texts and cards. Called from the workers, never from the deciding thread.

    What the directory would have to say, and cannot, is for the guard: `directory-unavailable` when it is out of reach,
    `directory-empty` where none was ever loaded. A pass too: whether it was revoked is not known then."""

    def __init__(self, trust: Trust, schemes: Sequence[Scheme] = SCHEMES) -> None:
        self._trust = trust
        self._schemes = schemes
        self._beginnings = [scheme.beginning for scheme in schemes if scheme.beginning]

    def adopt(self, policy: Policy) -> None:
        """Judge by this from now on. From any thread."""
        self._trust = replace(self._trust, policy=policy)

    @property
    def asks_servers(self) -> bool:
        """Whether there is anything that may wait for a server."""
        return any(scheme.asks for scheme in self._schemes)

    def asks(self, text: str) -> bool:
        """Whether the verdict on this text may wait for a server."""
        return self._scheme(text).asks

    def _scheme(self, text: str) -> Scheme:
        return next(scheme for scheme in self._schemes if scheme.claims(text))

    def text(self, text: str, now: Moment) -> Verdict:
        """The verdict on a scanned text. Never raises for any text."""
        fault = first_look.find_fault(text, self._beginnings)
        if fault is not None:
            return refused(fault, "text", self._trust.reference(text))
        scheme = self._scheme(text)
        try:
            trust = self._trust.of_this_moment() if scheme.signed else self._trust
            verdict = scheme.resolve(text, trust, now)
            verdict = by_trust(verdict, trust, now) if scheme.signed else verdict
            return by_age(verdict, trust, now) if scheme.listed else verdict
        except DirectoryError:
            return refused("directory-unavailable", scheme.kind, self._trust.reference(text))

    def card(self, uid: str, now: Moment) -> Verdict:
        """The verdict on a card's UID."""
        try:
            return by_age(card.resolve(uid, self._trust, now), self._trust, now)
        except DirectoryError:
            return refused("directory-unavailable", card.KIND, self._trust.reference(f"card:{uid}"))
