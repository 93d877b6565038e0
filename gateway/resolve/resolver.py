"""One interface for every credential: text or UID in, `Verdict` out. A new kind is one module and one row in `SCHEMES`."""

from collections.abc import Sequence

from gateway.core.events import Verdict
from gateway.core.moment import Moment
from gateway.errors import DirectoryError
from gateway.resolve import card, listed_code, menshen_pass
from gateway.resolve.scheme import Scheme, Trust, refused

MAX_TEXT = 4296  # characters: the most a QR can hold (ISO/IEC 18004)

SCHEMES: tuple[Scheme, ...] = (menshen_pass.SCHEME, listed_code.SCHEME)
"""In order; the last row takes whatever no other claims."""


class Resolver:
    """Resolves texts and cards. Called from the workers, never from the deciding thread.

    What the directory would have to say, and cannot, is for the guard: `directory-unavailable` when it is out of reach,
    `directory-empty` where none was ever loaded. A pass too: whether it was revoked is not known then."""

    def __init__(self, trust: Trust, schemes: Sequence[Scheme] = SCHEMES) -> None:
        self._trust = trust
        self._schemes = schemes

    def text(self, text: str, now: Moment) -> Verdict:
        """The verdict on a scanned text. Never raises for any text."""
        if not text or len(text) > MAX_TEXT:
            return refused("malformed", "text", self._trust.reference(text))
        scheme = next(scheme for scheme in self._schemes if scheme.claims(text))
        try:
            return scheme.resolve(text, self._trust, now)
        except DirectoryError:
            return refused("directory-unavailable", scheme.kind, self._trust.reference(text))

    def card(self, uid: str, now: Moment) -> Verdict:
        """The verdict on a card's UID."""
        try:
            return card.resolve(uid, self._trust, now)
        except DirectoryError:
            return refused("directory-unavailable", card.KIND, self._trust.reference(f"card:{uid}"))
