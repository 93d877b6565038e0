"""`menshen trust`: make, sign, bring to a gate and show trust lists (docs/trust.md)."""

from menshen.trust.command import trust

__all__ = ["trust"]
