"""What a value of the policy may be, as far as it can be told without the gate's file and the other values."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any, Final, Literal

import msgspec

_TYPES: Final = {"bool": bool, "int": int, "float": float, "str": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyKey:
    """A key's declaration. `listed`: the value is a list of what the rest says; `least`, `most`: so many of them, or characters;
    `low`, `high`: in `unit`; `choices`: one of these words; `pattern`: as a regular expression; `example`: such as this."""

    kind: Literal["bool", "int", "float", "str"]
    listed: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None
    pattern: str | None = None
    example: str = ""
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()

    def decode(self, value: str) -> object:
        """The value out of its JSON. Raises msgspec.ValidationError for one that a gate refuses, DecodeError for what is no JSON."""
        return msgspec.json.decode(value, type=self._type())

    def _type(self) -> Any:
        length = msgspec.Meta(min_length=self.least, max_length=self.most)
        one: Any = Literal[self.choices] if self.choices else self._one()
        if self.listed:
            return Annotated[tuple[one, ...], length]
        return Annotated[one, length] if self.kind == "str" and not self.choices else one

    def _one(self) -> Any:
        meta = msgspec.Meta(pattern=self.pattern) if self.kind == "str" else msgspec.Meta(ge=self.low, le=self.high)
        return Annotated[_TYPES[self.kind], meta]


def nearest(key: str, known: list[str]) -> str:
    """The known key that somebody may have meant, "" for none: one spelt alike, or the one of this name in some section."""
    ends = [each for each in known if each.rpartition(".")[2] == key.rpartition(".")[2]]
    return next(iter(get_close_matches(key, known, 1, 0.75) or ends), "")
