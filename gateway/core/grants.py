"""Grants that wait for their record to be on disk: write before you open.

Theory of operation. Each grant waits under a token of its own. The journal answers, or the time is up: whichever comes
first settles it, and an answer that comes later finds nothing to open.
"""

from dataclasses import dataclass

from gateway.core.tables import earliest, seconds
from sync.contract.colours import PassType


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Whom to let in once it is written. `celsius`: what to say about their temperature, "" for nothing;
    `holder`: whose it is, "" where that is not known; `pass_type`: the colour of their pass, None where it has none."""

    visit: str
    release_ms: int
    celsius: str = ""
    holder: str = ""
    pass_type: PassType | None = None


class Grants:
    """The grants that wait, by token."""

    def __init__(self, commit_limit_s: float) -> None:
        self._limit_ms = seconds(commit_limit_s)
        self._waiting: dict[int, tuple[Grant, int]] = {}
        self._token = 0

    def adopt(self, commit_limit_s: float) -> None:
        """Wait so long from now on."""
        self._limit_ms = seconds(commit_limit_s)

    def token(self) -> int:
        """A token that no other record has."""
        self._token += 1
        return self._token

    def wait(self, grant: Grant, now_ms: int) -> int:
        """Let a grant wait; its token."""
        token = self.token()
        self._waiting[token] = (grant, now_ms + self._limit_ms)
        return token

    def settle(self, token: int) -> Grant | None:
        """The grant of a token that was answered, unless it is settled already."""
        grant, _ = self._waiting.pop(token, (None, 0))
        return grant

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def deadline(self) -> int | None:
        """When the next one has waited long enough."""
        return earliest(*(limit for _, limit in self._waiting.values())) if self._waiting else None

    def due(self, now_ms: int) -> list[Grant]:
        """Those that have waited too long; they wait no more."""
        late = [token for token, (_, limit) in self._waiting.items() if limit <= now_ms]
        return [self._waiting.pop(token)[0] for token in late]
