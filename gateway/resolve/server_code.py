"""Health codes of a service: which texts are its codes, how it is asked about one, and what its answer means. Pure."""

import json
import string
from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import urlencode

from gateway.config.settings import RequestFormat, ResolverConfig
from sync.contract.colours import HealthCode

_ORDINARY: Final = frozenset(string.ascii_letters + string.digits)
_COLOURS: Final[Mapping[str, HealthCode]] = {colour.value: colour for colour in HealthCode}
_WORDS: Final[Mapping[str, str]] = {"expired": "expired", "not_found": "code-not-found", "failed": "check-failed"}
"""What else a service says about a code, and our words for it."""

NOT_UNDERSTOOD: Final = "answer-not-understood"


class ServerCodes:
    """The codes of one service."""

    def __init__(self, config: ResolverConfig) -> None:
        self._before, self._behind = config.around
        self._allowed = _ORDINARY | set(config.code_characters)
        self._shortest, self._longest = config.code_min_length, config.code_max_length
        self._format, self._field, self._request = config.request_format, config.request_field, config.request
        self._path = config.answer_field.split(".")
        self._meanings = _meanings(config)

    def code(self, text: str) -> str | None:
        """The part of a scanned text that is sent, or None when it is no code of this service."""
        length = len(text) - len(self._before) - len(self._behind)
        if not self._shortest <= length <= self._longest:
            return None
        if not (text.startswith(self._before) and text.endswith(self._behind)):
            return None
        code = text[len(self._before) : len(self._before) + length]
        return code if self._allowed.issuperset(code) else None

    def question(self, code: str) -> bytes:
        """The body that asks about a code."""
        fields = {**self._request, self._field: code}
        if self._format is RequestFormat.FORM:
            return urlencode({name: _text(value) for name, value in fields.items()}).encode("ascii")
        return json.dumps(fields, ensure_ascii=True).encode("ascii")

    def meaning(self, answer: bytes) -> HealthCode | str:
        """What an answer means: a colour, or a word: `expired`, `code-not-found`, `check-failed`, `answer-not-understood`."""
        try:
            value = _at(_parse(answer.decode("utf-8")), self._path)
        except (ValueError, RecursionError, LookupError, TypeError):
            return NOT_UNDERSTOOD
        if not isinstance(value, str | int):
            return NOT_UNDERSTOOD
        return self._meanings.get(_text(value), NOT_UNDERSTOOD)


def _meanings(config: ResolverConfig) -> Mapping[str, HealthCode | str]:
    known: dict[str, HealthCode | str] = {}
    for name, meaning in {**_COLOURS, **_WORDS}.items():
        for value in getattr(config, name):
            known[value] = meaning
    return known


def _text(value: object) -> str:
    """A value as its JSON would show it, without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parse(text: str) -> object:
    """Strict JSON: an answer that can be read in two ways is none. Raises ValueError, RecursionError."""
    found: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    return found


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("no JSON number")


def _at(value: object, path: list[str]) -> object:
    """What stands at a path. Raises LookupError, TypeError, ValueError when nothing does."""
    for name in path:
        inner = _parse(value) if isinstance(value, str) else value
        if isinstance(inner, list):
            if not name.isdecimal():
                raise LookupError
            value = inner[int(name)]
        elif isinstance(inner, dict):
            value = inner[name]
        else:
            raise TypeError
    return value
