"""How old the directory is: told when it is too old to be relied on, and asked with every credential."""

from collections.abc import Callable

from gateway.core.moment import Moment
from gateway.core.policy import DirectoryPolicy
from gateway.directory import Directory
from gateway.errors import DirectoryError
from sync.contract.trust import DAY_S, day


class DirectoryAge:
    """When the office last said that the directory is the newest. `tell(state, detail)` hears `stale` and `ok` when that changes;
    it must only hand on. `look` is one thread's at a time; `issued_s` may be asked by any."""

    def __init__(
        self, directory: Directory, policy: DirectoryPolicy, now: Callable[[], Moment], tell: Callable[[str, str], None]
    ) -> None:
        self._directory = directory
        self._policy = policy
        self._now = now
        self._tell = tell
        self._issued_s = 0
        self._old = False

    def adopt(self, policy: DirectoryPolicy) -> None:
        """Go by this from the next look on."""
        self._policy = policy

    def issued_s(self) -> int:
        """Unix seconds as of the last look; 0: the office never said."""
        return self._issued_s

    def look(self) -> None:
        """Look how old it is. A directory that is out of reach tells that itself."""
        try:
            edition = self._directory.edition()
        except DirectoryError:
            return
        self._issued_s = edition.issued_s if edition is not None else 0
        age_s = self._now().at_ms // 1000 - self._issued_s
        old = bool(self._issued_s) and age_s > self._policy.max_age_days * DAY_S
        if old is not self._old:
            self._old = old
            self._tell("stale" if old else "ok", f"of {day(self._issued_s)}" if old else "")
