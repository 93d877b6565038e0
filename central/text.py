"""Text from outside, made harmless before it is stored for search or shown: the same at the gate and in the office."""

from sync.contract import text as contract

__all__ = ["harmless"]


def harmless(text: object, limit: int = 200) -> str:
    """`sync.contract.text.harmless`, without a look at each character where all can be printed, as in nearly every text."""
    if isinstance(text, str) and len(text) <= limit and text.isprintable():
        return text
    return contract.harmless(text, limit)
