"""SMART Health Cards: verified offline, then judged by the site's rule.

`shc:/` is exactly that: the framework writes it as a byte segment in small letters. `SHC:/` comes of a code in alphanumeric
mode, which is none of its codes; it is refused as a look-alike (`first_look`)."""

from gateway.core.events import Verdict
from gateway.core.moment import Moment
from gateway.credentials import smart_health_card
from gateway.resolve.certificate import judged
from gateway.resolve.scheme import Scheme, Trust, refused
from sync.errors import CredentialRefused

KIND = "smart-health-card"


def _resolve(text: str, trust: Trust, now: Moment) -> Verdict:
    try:
        certificate = smart_health_card.verify(text, trust.anchors().issuers, now.at_ms / 1000)
    except CredentialRefused as error:
        return refused(error.reason, KIND, trust.reference(text))
    return judged(certificate, KIND, trust, now)


SCHEME = Scheme(
    KIND,
    lambda text: text.startswith(smart_health_card.PREFIX),
    _resolve,
    beginning=smart_health_card.PREFIX,
    signed=True,
)
