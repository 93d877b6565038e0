"""One interface for every credential: text or UID in, `Verdict` out. A new type is one module and one row in `SCHEMES`.

Nothing scanned leaves here: a verdict refers to a pass by its id and to everything else by a keyed hash.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.directory import NOBODY, Directory, KnownCard
from gateway.errors import DirectoryError
from sync.contract import passes
from sync.contract.records import Step

MAX_TEXT = 4296  # characters: the most a QR can hold (ISO/IEC 18004)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a gate checks credentials against: its site, the office's pass keys, the directory, and the key of its hashes."""

    site: str
    pass_keys: Sequence[Ed25519PublicKey]
    directory: Directory
    hash_key: bytes

    def reference(self, text: str) -> str:
        """A reference to a text that does not give the text away: 16 hexadecimal digits."""
        return hashlib.blake2s(text.encode("utf-8", "surrogatepass"), key=self.hash_key, digest_size=8).hexdigest()


Scheme = tuple[Callable[[str], bool], Callable[[str, Trust, Moment], Verdict]]
"""Whether a text is of this type, and what resolves it. The last row takes whatever no other claims."""


class Resolver:
    """Resolves texts and cards. Called from the workers, never from the deciding thread.

    What the directory would have to say, and cannot, is for the guard: `directory-unavailable` when it is out of reach,
    `directory-empty` where none was ever loaded. A pass too: whether it was revoked is not known then."""

    def __init__(self, trust: Trust, schemes: Sequence[Scheme] | None = None) -> None:
        self._trust = trust
        self._schemes = SCHEMES if schemes is None else schemes

    def text(self, text: str, now: Moment) -> Verdict:
        """The verdict on a scanned text. Never raises for any text."""
        reference = self._trust.reference(text)
        if not text or len(text) > MAX_TEXT:
            return refused(Outcome.INVALID, "malformed", "text", reference)
        resolve = next(resolve for claims, resolve in self._schemes if claims(text))
        try:
            return resolve(text, self._trust, now)
        except DirectoryError:
            return refused(Outcome.UNCHECKED, "directory-unavailable", "text", reference)

    def card(self, uid: str, now: Moment) -> Verdict:
        """The verdict on a card's UID."""
        reference = self._trust.reference(f"card:{uid}")
        try:
            return self._card(uid, reference, now)
        except DirectoryError:
            return refused(Outcome.UNCHECKED, "directory-unavailable", "card", reference)

    def _card(self, uid: str, reference: str, now: Moment) -> Verdict:
        known = self._trust.directory.card(uid)
        if known is None:
            return unknown(self._trust, "unknown-card", "card", reference)
        if known.lost:
            return refused(Outcome.REVOKED, "lost-card", "card", reference)
        return holder_verdict(known, now, kind="card", credential=reference, version=self._trust.directory.version)


def refused(outcome: Outcome, reason: str, kind: str, credential: str) -> Verdict:
    """A verdict that serves nothing."""
    return Verdict(outcome=outcome, reason=reason, kind=kind, credential=credential)


def unknown(trust: Trust, reason: str, kind: str, credential: str) -> Verdict:
    """The verdict on what the directory does not list; where nothing was ever loaded, that says nothing about it."""
    if trust.directory.version == 0:
        return refused(Outcome.UNCHECKED, "directory-empty", kind, credential)
    return refused(Outcome.UNKNOWN, reason, kind, credential)


def holder_verdict(holder: KnownCard, now: Moment, *, kind: str, credential: str, version: int) -> Verdict:
    """The verdict on a credential whose holder the directory knows: inside its dates it serves."""
    now_s = now.at_ms // 1000
    if now_s < holder.valid_from_s:
        return refused(Outcome.INVALID, "not-yet-valid", kind, credential)
    if holder.valid_until_s and now_s >= holder.valid_until_s:
        return refused(Outcome.EXPIRED, "expired", kind, credential)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=kind,
        credential=credential,
        serves=_steps(registered=holder.registered),
        holder=holder.holder,
        pass_type=holder.pass_type,
        extended=holder.extended,
        directory_version=version,
    )


def _steps(*, registered: bool) -> frozenset[Step]:
    return frozenset({Step.CREDENTIAL, Step.REGISTRATION} if registered else {Step.CREDENTIAL})


def _resolve_pass(text: str, trust: Trust, now: Moment) -> Verdict:
    try:
        content = passes.verify_pass(text, trust.pass_keys)
    except passes.PassError as error:
        return refused(Outcome.INVALID, error.reason, "pass", trust.reference(text))
    credential, now_s = content.pass_id.hex(), now.at_ms // 1000
    if content.site != trust.site:
        return refused(Outcome.INVALID, "wrong-site", "pass", credential)
    if now_s < content.not_before_s:
        return refused(Outcome.INVALID, "not-yet-valid", "pass", credential)
    if now_s >= content.expires_s:
        return refused(Outcome.EXPIRED, "expired", "pass", credential)
    return _pass_by_directory(content, trust)


def _pass_by_directory(content: passes.Pass, trust: Trust) -> Verdict:
    """The verdict on a pass that is good by itself: whether it was revoked, and what its holder has still to do."""
    credential, version = content.pass_id.hex(), trust.directory.version
    if version == 0:
        return refused(Outcome.UNCHECKED, "directory-empty", "pass", credential)
    if trust.directory.revoked(content.pass_id):
        return refused(Outcome.REVOKED, "revoked", "pass", credential)
    known = trust.directory.holder(content.holder)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind="pass",
        credential=credential,
        # a pass is issued upon registration; a holder the directory knows better may still have to do that step
        serves=_steps(registered=known is None or known.registered),
        holder=content.holder,
        pass_type=content.pass_type,
        extended=known is not None and known.extended,
        directory_version=version,
    )


def _resolve_code(text: str, trust: Trust, now: Moment) -> Verdict:
    reference = trust.reference(text)
    code = trust.directory.code(text)
    if code is None:
        return unknown(trust, "unknown-code", "text", reference)
    if code.valid_until_s and now.at_ms // 1000 >= code.valid_until_s:
        return refused(Outcome.EXPIRED, "expired", "health-code", reference)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind="health-code",
        credential=reference,
        serves=frozenset({Step.HEALTH_CODE}),
        holder="" if code.holder == NOBODY else code.holder,
        health_code=code.health_code,
        directory_version=trust.directory.version,
    )


SCHEMES: tuple[Scheme, ...] = (
    (lambda text: text.startswith(passes.PREFIX), _resolve_pass),
    (lambda _text: True, _resolve_code),
)
