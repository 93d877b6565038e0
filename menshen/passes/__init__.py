"""`menshen pass`: make, show and verify passes (docs/passes.md)."""

from menshen.passes.command import passes

__all__ = ["passes"]
