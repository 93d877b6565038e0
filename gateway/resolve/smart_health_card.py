"""SMART Health Cards.

`shc:/` is exactly that: the framework writes it as a byte segment in small letters. `SHC:/` comes of a code in alphanumeric
mode, which is none of its codes; it is refused as a look-alike (`first_look`)."""

from gateway.credentials import smart_health_card
from gateway.resolve.certificate import scheme

KIND = "smart-health-card"
SCHEME = scheme(
    KIND, smart_health_card.PREFIX, lambda text, anchors, now_s: smart_health_card.verify(text, anchors.issuers, now_s)
)
