"""The page's words in each language, and what to do about each alarm: data of `config/guard-page/`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from gateway.words import word

FOLDER: Final = Path(__file__).resolve().parents[2] / "config" / "guard-page"
LANGUAGES: Final = ("zh", "en")
TAGS: Final[Mapping[str, str]] = {"zh": "zh-Hans", "en": "en"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """What to do about a kind of alarm. `call`: the role of whom to call, "" for nobody; `text`: by language."""

    call: str
    text: Mapping[str, str]


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((FOLDER / "words.toml").read_text("utf-8"))


@cache
def instructions() -> Mapping[str, Instruction]:
    """By kind of alarm, or by kind and part of the gate, as `device-lost.policy`."""
    table = tomllib.loads((FOLDER / "instructions.toml").read_text("utf-8"))
    return {kind: Instruction(row["call"], {lang: row[lang] for lang in LANGUAGES}) for kind, row in table.items()}


def instruction(kind: str, detail: str) -> Instruction | None:
    """What to do about an alarm: what there is for this part of the gate, else for the kind."""
    return instructions().get(f"{kind}.{detail}") or instructions().get(kind)


class Words:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = _words()[language]

    def __call__(self, key: str) -> str:
        """A word of the page. Raises KeyError for one that there is not."""
        return self._words[key]

    def has(self, key: str) -> bool:
        """Whether there is such a word."""
        return key in self._words

    def machine(self, machine: str) -> str:
        """A machine word for people, such as a reason."""
        text = word(self.language, machine)
        return text[:1].upper() + text[1:]

    def said(self, reason: str) -> str:
        """Why something was not done."""
        return self._words.get(f"said-{reason}") or f"{self._words['not-done']}: {self.machine(reason)}"

    def to_do(self, kind: str, detail: str = "") -> str:
        """What to do about an alarm."""
        found = instruction(kind, detail)
        return found.text[self.language] if found is not None else ""
