"""Why a default is what it is: stands beside the key's declaration, and is told in docs/policy.md."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Why:
    """`text`: a source, or the reason; what nobody else has said is named as our choice."""

    text: str
