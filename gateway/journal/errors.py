"""The journal's error."""

from gateway.errors import GatewayError


class JournalError(GatewayError):
    """The journal cannot be opened, read or written: what, where, and what to do."""
