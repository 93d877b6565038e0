"""The gate's trust list: whose signatures it believes. The office signs it, `menshen trust import` brings it, and it lies
beside the directory as it came; what the file says is believed only as far as a pinned key of the office has signed it.

Theory of operation. A gate asks for its anchors with every credential. The file's own stamp then says whether another
process has written to it; only then is the list read, and where it is another one, its seal verified and the anchors made
anew. So a key that an import has revoked is revoked with the next scan. A list that lies here and does not verify is as good as none, and is
told; one that is too old is told and goes on being used, as far as the policy says (`gateway.resolve.scheme.by_trust`).

A list never goes back: a lower version than the one held is refused, and so is another list under the same version. The
time in a list is the office's. A gate without a network may think that it is years earlier, so a list from ahead of the
gate's clock is taken; where the clock is trusted, that is told, as one of the two clocks must be wrong.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.core.moment import Moment
from gateway.credentials.anchors import Anchors
from gateway.directory import Directory, KeptList, Stamp
from gateway.errors import DirectoryError, TrustError
from sync.contract.sealed import SealError
from sync.contract.trust import DAY_S, TrustList, day, unseal_trust

AHEAD_S: Final = DAY_S  # a list from this much ahead of a trusted clock is told
Tell = Callable[[str, str], None]


def import_trust(directory: Directory, sealed: bytes, keys: Sequence[Ed25519PublicKey], now_s: int) -> TrustList | None:
    """Keep a list that one of `keys` has signed and that is newer than the one held; `now_s`: when it came (Unix seconds).
    Returns the list, or None when it is the one held already.

    Raises TrustError when it is not to be believed, or older, or another one of the same version; DirectoryError when the
    file cannot be written."""
    if not keys:
        raise TrustError("no key of the office is pinned here: put it into [trust] office_keys of the gate's file")
    try:
        content = unseal_trust(sealed, keys)
    except SealError as error:
        raise TrustError(f"is not to be believed: {error}") from None
    taken = False

    def choose(held: KeptList | None) -> KeptList | None:
        nonlocal taken
        taken = _is_news(content, held, keys)
        return KeptList(content.version, content.issued_s, now_s, sealed) if taken else None

    directory.keep_trust(choose)
    return content if taken else None


def _is_news(content: TrustList, held: KeptList | None, keys: Sequence[Ed25519PublicKey]) -> bool:
    """Whether the list is to take the place of the one held. Raises TrustError where it must not."""
    try:
        before = None if held is None else unseal_trust(held.sealed, keys)
    except SealError:
        return True  # what cannot be believed has no version either
    if before is None or content.version > before.version:
        return True
    if content == before:
        return False
    if content.version < before.version:
        raise TrustError(f"is version {content.version}, and this gate has {before.version}: a list never goes back")
    raise TrustError(f"is another list than the one held under the same version {content.version}: make a higher one")


class TrustStore:
    """The list as the gate uses it. Called from the resolve workers and the upkeep.

    `tell(state, detail)` hears `ok`, `stale` (too old, or from ahead of the clock) or `lost` (does not verify) when that
    changes; it must only hand on. Nothing is told of a gate that never had a list."""

    def __init__(
        self,
        directory: Directory,
        keys: Sequence[Ed25519PublicKey],
        *,
        max_age_days: int,
        now: Callable[[], Moment],
        tell: Tell = lambda _state, _detail: None,
    ) -> None:
        self._directory = directory
        self._keys = keys
        self._max_age_days = max_age_days
        self._now = now
        self._tell = tell
        self._lock = threading.Lock()
        self._read = False
        self._stamp: Stamp | None = None
        self._kept: KeptList | None = None
        self._anchors = Anchors()
        self._broken = ""  # what is wrong with the list that lies here
        self._told = "ok"

    def anchors(self) -> Anchors:
        """Whose signatures are believed now. Raises DirectoryError when that could never be read; once it was, it holds
        while the file is out of reach."""
        with self._lock:
            stamp = self._directory.stamp()
            if not self._read or stamp is None or stamp != self._stamp:
                self._refresh(stamp)
            return self._anchors

    def look(self) -> None:
        """Read it whatever the stamp says, and tell what is wrong, also when nobody scans anything. Never raises."""
        with self._lock, suppress(DirectoryError):  # the directory has told it
            self._refresh(self._directory.stamp())
            self._note()

    def _refresh(self, stamp: Stamp | None) -> None:
        try:
            kept = self._directory.trust_list()
        except DirectoryError:
            if self._read:
                return
            raise
        if not self._read or kept != self._kept:
            self._anchors, self._broken = self._verified(kept)
            self._read, self._kept = True, kept
            self._note()
        self._stamp = stamp

    def _verified(self, kept: KeptList | None) -> tuple[Anchors, str]:
        if kept is None:
            return Anchors(), ""
        try:
            return Anchors.of(unseal_trust(kept.sealed, self._keys)), ""
        except (SealError, ValueError) as error:  # ValueError: signed, and nothing that this version can use
            return Anchors(), f"cannot be believed: {error}; import one that the office has signed"

    def _note(self) -> None:
        state, detail = ("lost", self._broken) if self._broken else self._age(self._now())
        if state != self._told:
            self._told = state
            self._tell(state, detail)

    def _age(self, now: Moment) -> tuple[str, str]:
        anchors, now_s = self._anchors, now.at_ms // 1000
        if anchors.older_than(self._max_age_days, now_s):
            days = (now_s - anchors.issued_s) // DAY_S
            return (
                "stale",
                f"version {anchors.version} is {days} days old, {self._max_age_days} are allowed: import a newer one",
            )
        if now.trusted and anchors.issued_s > now_s + AHEAD_S:
            issued = day(anchors.issued_s)
            return (
                "stale",
                f"version {anchors.version} was issued on {issued}, ahead of the clock here: one of them is wrong",
            )
        return "ok", ""
