"""`menshen devices`: what is connected, what it is, what it says, and devices that are not there (docs/devices.md)."""

from menshen.devices.command import devices

__all__ = ["devices"]
