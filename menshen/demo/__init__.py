"""`menshen demo`: broker, office and one simulated gate on this machine, with no account and no configuration."""

from menshen.demo.command import demo

__all__ = ["demo"]
