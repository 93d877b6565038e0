"""Cards by UID, looked up in the directory: one query for a card that it lists."""

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.directory import KnownCard
from gateway.resolve.scheme import Trust, booked, in_force, refused, steps, unlisted

KIND = "card"


def resolve(uid: str, trust: Trust, now: Moment) -> Verdict:
    """The verdict on a card's UID. Raises DirectoryError."""
    reference = trust.reference(f"card:{uid}")
    known = trust.directory.card(uid)
    if known is None:
        return unlisted(trust, "unknown-card", KIND, reference)
    reason = _against(known, trust.site, now.at_ms // 1000)
    if reason:
        return refused(reason, KIND, reference, holder=known.holder, genuine=True)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=KIND,
        credential=reference,
        serves=steps(registered=known.registered),
        holder=known.holder,
        pass_type=known.pass_type,
        extended=known.extended,
        directory_version=known.version,
        stays_home=in_force(known.home_until_s, now),
        booked=booked(trust, known.holder),
    )


def _against(known: KnownCard, site: str, now_s: int) -> str:
    """What speaks against a card that the directory lists; "" for nothing."""
    if known.lost:
        return "lost-card"
    if not known.holder:
        return "not-registered"
    if known.sites and site not in known.sites:
        return "wrong-site"
    if now_s < known.valid_from_s:
        return "not-yet-valid"
    return "expired" if known.valid_until_s and now_s >= known.valid_until_s else ""
