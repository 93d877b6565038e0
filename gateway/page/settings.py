"""What the page's process is told of the gate's file."""

from gateway.config import GateConfig
from gateway.core.policy import PortalKind
from gateway.page.messages import Setup


def setup_of(config: GateConfig) -> Setup:
    """How to serve. Raises ValueError for a gate without a page."""
    page = config.page
    if page is None:
        raise ValueError("this gate has no page")
    certificate, key = page.certificate(config.broker)
    return Setup(
        gate=config.gate.id,
        name=config.gate.name or config.gate.id,
        languages=tuple(language.value for language in config.gate.languages),
        timezone=config.policy.timezone,
        host=page.host,
        port=page.port,
        names=page.names,
        certificate="" if certificate is None else str(certificate),
        key="" if key is None else str(key),
        locks=config.policy.portal.kind is not PortalKind.OPEN,
    )
