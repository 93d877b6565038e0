"""The road's errors."""


class SyncError(Exception):
    """Root of everything the road raises itself."""


class MessageError(SyncError):
    """A payload from the network that is not a message of ours: what is wrong with it, in words."""


class CredentialRefused(SyncError):
    """Something scanned that is no good. `reason` is one machine word; neither it nor the message holds any of the text."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"credential refused: {reason}")
        self.reason = reason
