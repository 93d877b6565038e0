"""The devices' errors: local misuse and a misbehaving device differ by type."""


class DriverError(Exception):
    """Root of everything a driver raises itself."""


class DeviceLost(DriverError):
    """The device is not there, or went away: reopen with backoff."""


class BadFrame(DriverError):
    """A complete frame that is malformed: drop a byte and rescan."""


class WrongUse(DriverError):
    """A driver was called in a way that its contract forbids: a fault of ours, not of the device."""
