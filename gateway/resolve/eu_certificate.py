"""EU Digital COVID Certificates: verified offline, then judged by the site's rule."""

from gateway.core.events import Verdict
from gateway.core.moment import Moment
from gateway.credentials import eu_certificate
from gateway.resolve.certificate import judged
from gateway.resolve.scheme import Scheme, Trust, refused
from sync.errors import CredentialRefused

KIND = "eu-certificate"


def _resolve(text: str, trust: Trust, now: Moment) -> Verdict:
    try:
        certificate = eu_certificate.verify(text, trust.anchors().signers, now.at_ms / 1000)
    except CredentialRefused as error:
        return refused(error.reason, KIND, trust.reference(text))
    return judged(certificate, KIND, trust, now)


SCHEME = Scheme(
    KIND,
    lambda text: text.startswith(eu_certificate.PREFIX),
    _resolve,
    beginning=eu_certificate.PREFIX,
    signed=True,
)
