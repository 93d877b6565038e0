"""Cards by UID, looked up in the directory."""

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.resolve.scheme import Trust, refused, steps, unlisted

KIND = "card"


def resolve(uid: str, trust: Trust, now: Moment) -> Verdict:
    """The verdict on a card's UID. Raises DirectoryError."""
    reference = trust.reference(f"card:{uid}")
    known = trust.directory.card(uid)
    if known is None:
        return unlisted(trust, "unknown-card", KIND, reference)
    if known.lost:
        return refused("lost-card", KIND, reference)
    now_s = now.at_ms // 1000
    if now_s < known.valid_from_s:
        return refused("not-yet-valid", KIND, reference)
    if known.valid_until_s and now_s >= known.valid_until_s:
        return refused("expired", KIND, reference)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=KIND,
        credential=reference,
        serves=steps(registered=known.registered),
        holder=known.holder,
        pass_type=known.pass_type,
        extended=known.extended,
        directory_version=trust.directory.version,
    )
