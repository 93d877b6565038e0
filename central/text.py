"""Text from outside, made harmless before it is stored for search or shown: the same at the gate and in the office."""

from sync.contract.text import harmless

__all__ = ["harmless"]
