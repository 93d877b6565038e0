"""Health codes that the office has registered: looked up in the directory by the hash of their text."""

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.resolve.scheme import Scheme, Trust, refused, unlisted
from sync.contract.directory import NOBODY
from sync.contract.records import Step

MAX_TEXT = 512  # characters: longer than any health code that an office registers


def _resolve(text: str, trust: Trust, now: Moment) -> Verdict:
    reference = trust.reference(text)
    if len(text) > MAX_TEXT:
        return refused("too-long", "text", reference)
    code = trust.directory.code(text)
    if code is None:
        return unlisted(trust, "unknown-code", "text", reference)
    if code.valid_until_s and now.at_ms // 1000 >= code.valid_until_s:
        return refused("expired", "health-code", reference)
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


SCHEME = Scheme("text", lambda _text: True, _resolve, listed=True)
