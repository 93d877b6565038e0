"""The road's errors."""


class SyncError(Exception):
    """Root of everything the road raises itself."""


class MessageError(SyncError):
    """A payload from the network that is not a message of ours: what is wrong with it, in words."""
