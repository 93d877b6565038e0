"""Menshen passes: verified offline, then looked up for revocation and for what their holder has still to do."""

from gateway.core.events import Outcome, Verdict
from gateway.core.moment import Moment
from gateway.resolve.scheme import Scheme, Trust, refused, steps
from sync.contract import passes
from sync.errors import CredentialRefused

KIND = "pass"


def _resolve(text: str, trust: Trust, now: Moment) -> Verdict:
    try:
        content = passes.verify_pass(text, trust.anchors().pass_keys)
    except CredentialRefused as error:
        return refused(error.reason, KIND, trust.reference(text))
    credential, now_s = content.pass_id.hex(), now.at_ms // 1000
    if content.site != trust.site:
        return refused("wrong-site", KIND, credential)
    if now_s < content.not_before_s:
        return refused("not-yet-valid", KIND, credential)
    if now_s >= content.expires_s:
        return refused("expired", KIND, credential)
    return _by_directory(content, trust)


def _by_directory(content: passes.Pass, trust: Trust) -> Verdict:
    """The verdict on a pass that is good by itself: whether it was revoked, and what its holder has still to do."""
    credential, version = content.pass_id.hex(), trust.directory.version
    if version == 0:
        return refused("directory-empty", KIND, credential)
    if trust.directory.revoked(content.pass_id):
        return refused("revoked", KIND, credential)
    known = trust.directory.holder(content.holder)
    return Verdict(
        outcome=Outcome.VALID,
        reason="ok",
        kind=KIND,
        credential=credential,
        # a pass is issued upon registration; a holder the directory knows better may still have to do that step
        serves=steps(registered=known is None or known.registered),
        holder=content.holder,
        pass_type=content.pass_type,
        extended=known is not None and known.extended,
        directory_version=version,
    )


SCHEME = Scheme(KIND, lambda text: text.startswith(passes.PREFIX), _resolve)
