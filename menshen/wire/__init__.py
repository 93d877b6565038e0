"""`menshen wire`: what passes between gates and office, decoded (docs/journal.md)."""

from menshen.wire.command import wire

__all__ = ["wire"]
