"""EU Digital COVID Certificates."""

from gateway.credentials import eu_certificate
from gateway.resolve.certificate import scheme

KIND = "eu-certificate"
SCHEME = scheme(
    KIND, eu_certificate.PREFIX, lambda text, anchors, now_s: eu_certificate.verify(text, anchors.signers, now_s)
)
