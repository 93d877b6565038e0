"""The gate's errors."""


class GatewayError(Exception):
    """Root of everything the gate raises itself."""


class DirectoryError(GatewayError):
    """The directory or a file for it is unusable: what, where, and what to do."""


class DirectoryDamaged(DirectoryError):
    """The directory's file is no directory of ours, or not a whole one."""


class TrustError(GatewayError):
    """A trust list is not taken: why, and what to do."""
