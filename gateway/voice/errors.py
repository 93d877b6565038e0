"""The voice's error."""

from gateway.errors import GatewayError


class VoiceError(GatewayError):
    """Something cannot be spoken: what, and why."""
