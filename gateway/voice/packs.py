"""Phrase packs: the words of every phrase, one file a language, as data.

A pack is TOML: phrase id = "text", with `{celsius}` where the core gives a value (`gateway.core.phrases.VALUES`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Final

from gateway.config.problems import ConfigError, Problem, Report
from gateway.config.settings import Language
from gateway.config.source import read_source
from gateway.config.tables import nearest, shown
from gateway.core.phrases import SLOGAN, VALUES, Phrase
from gateway.voice.errors import VoiceError
from gateway.voice.hanzi import numbers_in_hanzi

SHIPPED: Final = Path(__file__).resolve().parents[2] / "config" / "phrases"
LONGEST: Final = 160  # characters; more is not heard to its end by anybody


@dataclass(frozen=True, slots=True)
class Book:
    """What a pack has to hold: `phrases`, the values that each may carry, and whether slogans may stand beside them. `file`: a
    pack's name."""

    phrases: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: str = "{lang}.toml"
    slogans: bool = False

    def fixed(self) -> list[str]:
        """The phrases that always sound the same."""
        return [phrase for phrase in self.phrases if phrase not in self.values]


GATE_BOOK: Final = Book(
    tuple(phrase.value for phrase in Phrase),
    {phrase.value: values for phrase, values in VALUES.items()},
    slogans=True,
)


class Packs:
    """The words of each phrase, by language."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]], book: Book = GATE_BOOK) -> None:
        self._texts = texts
        self.book = book

    def words(self, phrase: str, values: Mapping[str, str], lang: str) -> str:
        """What to read. Raises VoiceError for a phrase, language or value that is not there."""
        try:
            return self._texts[lang][phrase].format_map(values)
        except KeyError as error:
            raise VoiceError(f"phrase {phrase!r} in {lang!r}: there is no {error}") from error

    def reworded(self, wordings: Mapping[tuple[str, str], str]) -> "Packs":
        """The same with other words for some phrases, by (language, phrase). Raises VoiceError, for the first that cannot be."""
        texts = {lang: dict(words) for lang, words in self._texts.items()}
        for (lang, phrase), text in wordings.items():
            wrong = "unknown language" if lang not in set(Language) else _wrong(phrase, text, self.book)
            if wrong:
                raise VoiceError(f"phrase {lang}/{phrase}: {wrong}")
            if lang in texts:  # else it is not spoken here
                texts[lang][phrase] = text
        return Packs(texts, self.book)

    def slogans(self, lang: str) -> list[str]:
        """The slogans of a language, in the order of its pack."""
        return [name for name in self._texts[lang] if name.startswith(SLOGAN)]

    def spoken(self, phrase: str, values: Mapping[str, str], lang: str) -> str:
        """What to say: the same, written so that the voice reads it right. Raises VoiceError."""
        text = self.words(phrase, values, lang)
        return numbers_in_hanzi(text) if lang == Language.ZH else text


def load_packs(folder: Path, languages: Sequence[str] = tuple(Language), book: Book = GATE_BOOK) -> Packs:
    """The packs of these languages, `<folder>/<language>.toml` for a gate's. Raises ConfigError with everything that is wrong."""
    texts: dict[str, Mapping[str, str]] = {}
    problems: list[Problem] = []
    for lang in languages:
        try:
            texts[str(lang)] = _load(folder / book.file.format(lang=lang), book)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return Packs(texts, book)


@cache
def shipped() -> Packs:
    """The packs that come with Menshen."""
    return load_packs(SHIPPED)


def words(phrase: str, values: Mapping[str, str], lang: str) -> str:
    """What the shipped pack says, to be read by people. Raises VoiceError."""
    return shipped().words(phrase, values, lang)


def _load(path: Path, book: Book) -> Mapping[str, str]:
    source = read_source(path)
    report = Report(source.file, source.lines)
    for name, text in source.table.items():
        wrong = _wrong(name, text, book)
        if wrong:
            report.add((name,), wrong)
    for phrase in book.phrases:
        if phrase not in source.table:
            report.add((phrase,), "is missing")
    if report.problems():
        raise ConfigError(report.problems())
    return source.table


def _wrong(name: str, text: object, book: Book) -> str:
    """What is wrong with a line of a pack, or ""."""
    if name not in book.phrases and not (book.slogans and name.startswith(SLOGAN)):
        near = nearest(name, book.phrases)
        return "unknown phrase" + (f"; the nearest known one is {near}" if near else "")
    if not isinstance(text, str):
        return f"must be text in quotes, not {shown(text)}"
    if not text.strip() or len(text) > LONGEST or not text.isprintable():
        return f"must be one line of 1 to {LONGEST} characters"
    try:
        placeholders = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        return f"{error}; braces hold a value's name, and {{{{ stands for a brace"
    known = book.values.get(name, ())
    for placeholder, spec, conversion in placeholders:
        if placeholder not in known or spec or conversion:
            can = f"can hold {', '.join(f'{{{each}}}' for each in known)}" if known else "holds no values"
            return f"unknown placeholder {{{placeholder}}}; this phrase {can}"
    return ""
