"""From a TOML table to one of our dataclasses, by the declarations of its fields.

msgspec decides what is right; this module finds the words for what is wrong, and goes on to the next key.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from gateway.config.lines import KeyPath
from gateway.config.problems import Report, dotted
from gateway.core.why import Why

T = TypeVar("T")

UNITS: Final[Mapping[str, str]] = {
    "s": "seconds",
    "ms": "milliseconds",
    "d": "days",
    "min": "minutes",
    "°C": "degrees Celsius",
    "px": "pixels",
    "%": "percent",
    "Bd": "baud",
    "1/s": "times a second",
    "1/min": "words a minute",
}
"""Units of the declarations, in words."""
NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
"""A name that people give to a section."""
_SUFFIX: Final = re.compile(
    r"_(?:s|ms|us|sec|secs|seconds|min|mins|minutes|h|hours|d|days|c|f|celsius|degrees|deg|px|percent|pct|wpm|hz|bd|baud)\Z"
)
_WITH_UNIT: Final = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*([^\W\d]+|%|°\s*[CF]|℃)?\s*\Z")
_BEGINS: Final = re.compile(r"\^(/[\w/]+/)")  # of a pattern: the folder that a path has to be in


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section. `type`: as declared, without its `Meta`."""

    name: str
    type: Any
    meta: Meta
    default: Any
    """MISSING: the key is required."""
    why: str = ""
    """Why the default is what it is, where the declaration says so."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a section may hold: keys, and sections below it."""

    keys: Mapping[str, Key]
    sections: Mapping[str, type[Any]]
    groups: Mapping[str, "Group"]

    @property
    def names(self) -> list[str]:
        """Everything that may stand in it."""
        return [*self.keys, *self.sections, *self.groups]


@dataclass(frozen=True, slots=True)
class Group:
    """Sections with names of one's own, all of one kind, at most `most` of them."""

    kind: type[Any]
    most: int


def declared(section: type[Any]) -> Declared:
    """The declarations of a settings dataclass."""
    keys: dict[str, Key] = {}
    sections: dict[str, type[Any]] = {}
    groups: dict[str, Group] = {}
    hints = get_type_hints(section, include_extras=True)
    for each in fields(section):
        hint = hints[each.name]
        if is_dataclass(hint) and isinstance(hint, type):
            sections[each.name] = hint
        elif get_origin(hint) is Annotated:
            bare, *annotations = get_args(hint)
            meta = next((annotation for annotation in annotations if isinstance(annotation, Meta)), Meta())
            if get_origin(bare) is Mapping and is_dataclass(kind := get_args(bare)[1]) and isinstance(kind, type):
                groups[each.name] = Group(kind, meta.max_length or 0)
                continue
            default = each.default if each.default_factory is MISSING else each.default_factory()
            why = next((annotation.text for annotation in annotations if isinstance(annotation, Why)), "")
            keys[each.name] = Key(each.name, bare, meta, default, why)
    return Declared(keys, sections, groups)


class Reader:
    """Reads tables of one file. Relative paths are taken from `folder`, the file's own. `homes(name)` tells in which
    sections a key of this name is known."""

    def __init__(self, report: Report, folder: Path, homes: Callable[[str], list[str]]) -> None:
        self._report = report
        self._folder = folder
        self._homes = homes

    def section(self, kind: type[T], table: object, path: KeyPath) -> T | None:
        """The section, wrong keys at their defaults so that the rest can be checked; None without a key it requires."""
        if not isinstance(table, Mapping):
            self._report.add(path, _no_section(table, path))
            return None
        known = declared(kind)
        values: dict[str, object] = {}
        for name, value in table.items():
            place = (*path, name)
            if name in known.sections:
                values[name] = self.section(known.sections[name], value, place)
            elif name in known.groups:
                values[name] = self._group(known.groups[name], value, place)
            elif name in known.keys:
                values[name] = self._value(value, known.keys[name], place)
            else:
                self._report.add(place, "" if self._report.full else self._unknown(name, known))
        required = {name for name, key in known.keys.items() if key.default is MISSING}
        for name in sorted(required - set(table)):
            self._report.add((*path, name), f"is missing. {known.keys[name].meta.description}")
        right = {name: value for name, value in values.items() if value is not None}
        return kind(**right) if required <= set(right) else None

    def _group(self, group: Group, table: object, path: KeyPath) -> dict[str, Any] | None:
        """Sections with names of one's own; None when one of them is wrong."""
        if not isinstance(table, Mapping):
            self._report.add(path, f"must be sections of their own: [{dotted(path)}.NAME]")
            return None
        if len(table) > group.most:
            self._report.add(path, f"has {len(table)} sections, at most {group.most}")
            return None
        for name in table:
            if not NAME.fullmatch(name):
                self._report.add((*path, name), f"{shown(name)} is no name: 1 to 32 of a-z, 0-9 and '-'")
        read = {name: self.section(group.kind, below, (*path, name)) for name, below in table.items()}
        return None if None in read.values() else read

    def _value(self, value: object, key: Key, path: KeyPath) -> object:
        """The value as declared, a path made absolute; None when it is wrong."""
        if get_origin(key.type) is tuple and isinstance(value, list):
            each = get_args(key.type)[0]
            entries = [self._convert(entry, each, Meta(), (*path, at)) for at, entry in enumerate(value)]
            if None in entries:
                return None
        right = self._convert(value, key.type, key.meta, path)
        return str(self._folder / right) if isinstance(right, str) and right and _extra(key.meta, "path") else right

    def _convert(self, value: object, kind: Any, meta: Meta, path: KeyPath) -> object:
        try:
            converted: object = msgspec.convert(value, Annotated[_without_none(kind), meta], dec_hook=self._path)
        except msgspec.ValidationError as error:
            words = "" if self._report.full else _explain(value, kind, _own_meta(kind) or meta)
            self._report.add(path, words or str(error))
            return None
        return converted

    def _path(self, kind: type[Any], value: object) -> Path:
        if kind is not Path or not isinstance(value, str) or not value or "\0" in value:
            raise ValueError("must be a path")
        return self._folder / value

    def _unknown(self, name: str, known: Declared) -> str:
        if name == "password":
            return "a password has no place in this file: name a file that holds it in password_file"
        stem = _SUFFIX.sub("", name)
        for other, key in known.keys.items():
            unit = _extra(key.meta, "unit")
            if unit and _SUFFIX.sub("", other) == stem:
                return f"unknown key; here it is {other}, in {UNITS.get(unit, unit)}"
        near = nearest(name, known.names)
        if near:
            return f"unknown key; the nearest known one is {near}"
        homes = self._homes(name)
        if homes:
            return f"unknown here; it belongs into [{homes[0]}]"
        return f"unknown key; known here: {', '.join(known.names)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` was most likely meant to be, or ""."""
    return next(iter(get_close_matches(name, list(known), 1)), "")


def choices(value: object, allowed: Iterable[str]) -> str:
    """In words: the value is none of these, and which it may have meant."""
    allowed = list(allowed)
    near = nearest(value, allowed) if isinstance(value, str) else ""
    return f"{shown(value)} is none of {', '.join(allowed)}" + (f"; did you mean {near}?" if near else "")


def shown(value: object) -> str:
    """A value of the file in a message: about as TOML has it, without control characters, and not long."""
    if isinstance(value, int) and abs(value) > 10**100:
        return "a number of over 100 digits"  # Python refuses to print very long ones
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def range_text(meta: Meta) -> str:
    """The declared range, such as "1 to 60", "at least 0" or ""; without the unit."""
    low, high = meta.ge, meta.le
    if low is not None and high is not None:
        return f"{low:.10g} to {high:.10g}"
    return f"at least {low:.10g}" if low is not None else f"at most {high:.10g}" if high is not None else ""


def bare_type(kind: Any) -> Any:
    """A declared type without `| None` and without its own `Meta`."""
    kind = _without_none(kind)
    return bare_type(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def _without_none(kind: Any) -> Any:
    """TOML has no null: None only stands for a key that is not there."""
    if get_origin(kind) in (Union, UnionType):
        return next(each for each in get_args(kind) if each is not NoneType)
    return kind


def _own_meta(kind: Any) -> Meta | None:
    """The `Meta` of an array's entries."""
    return next((each for each in get_args(kind) if isinstance(each, Meta)), None)


def _extra(meta: Meta, name: str) -> str:
    return str((meta.extra or {}).get(name, ""))


def _no_section(value: object, path: KeyPath) -> str:
    if isinstance(value, list):
        return f"there is one section of this name, with single brackets: [{dotted(path)}]"
    return f"must be a section: [{dotted(path)}]"


def _explain(value: object, kind: Any, meta: Meta) -> str:
    """What is wrong with a value that msgspec has refused; "" when msgspec's own words must do."""
    kind = bare_type(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return choices(value, (each.value for each in kind))
    explain = _EXPLAIN.get(get_origin(kind) or kind)
    return explain(value, meta) if explain is not None else ""


def _explain_list(value: object, meta: Meta) -> str:
    if not isinstance(value, list):
        return f"must be a list in brackets, not {shown(value)}"
    return f"has {len(value)} entries, must have {meta.min_length or 0} to {meta.max_length}"


def _explain_text(value: object, meta: Meta) -> str:
    if not isinstance(value, str):
        return f"must be text in quotes, not {shown(value)}"
    if meta.min_length and len(value) < meta.min_length:
        return f"is too short: {len(value)} characters, at least {meta.min_length}" if value else "must not be empty"
    if meta.max_length and len(value) > meta.max_length:
        return f"is too long: {len(value)} characters, at most {meta.max_length}"
    begins = _BEGINS.match(meta.pattern or "")
    if begins and not value.startswith(begins[1]):
        return f"{shown(value)} does not begin with {begins[1]}" + (f". {meta.description}" if meta.description else "")
    return f"{shown(value)} is not accepted" + (f". {meta.description}" if meta.description else "")


def _explain_number(value: object, meta: Meta, *, whole: bool) -> str:
    unit = _extra(meta, "unit")
    noun = f"{'whole ' if whole else ''}number" + (f" of {UNITS.get(unit, unit)}" if unit else "")
    if isinstance(value, str):
        written = _WITH_UNIT.match(value)
        number = written and _converted(float(written[1]), written[2] or unit, unit)
        return f"must be a {noun}, without quotes and unit" + (f": {number:g}" if number is not None else "")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a {noun}, not {shown(value)}"
    if whole and isinstance(value, float):
        return f"must be a {noun}, not {shown(value)}"
    limits = f"{range_text(meta)} {unit}".rstrip() + _meant(value, meta, unit)
    return f"{shown(value)} is out of range: {limits}" + (f". {meta.description}" if meta.description else "")


_EXPLAIN: Final[Mapping[Any, Callable[[object, Meta], str]]] = {
    tuple: _explain_list,
    dict: lambda _, meta: (
        'must be a table of texts, whole numbers and true or false, such as { name = "value" }; '
        f"at most {meta.max_length} entries"
    ),
    str: _explain_text,
    bool: lambda value, _: f"must be true or false, without quotes, not {shown(value)}",
    Path: lambda value, _: f"must be a path in quotes, not {shown(value)}",
    int: partial(_explain_number, whole=True),
    float: partial(_explain_number, whole=False),
}

_FACTORS: Final[Mapping[str, Mapping[str, float]]] = {
    "s": dict.fromkeys(("s", "sec", "second", "seconds", "秒"), 1.0)
    | dict.fromkeys(("ms", "milliseconds", "毫秒"), 0.001)
    | dict.fromkeys(("m", "min", "minutes", "分", "分钟"), 60.0)
    | dict.fromkeys(("h", "hours", "小时"), 3600.0),
    "min": dict.fromkeys(("m", "min", "minutes", "分", "分钟"), 1.0) | dict.fromkeys(("h", "hours", "小时"), 60.0),
    "d": dict.fromkeys(("d", "day", "days", "天"), 1.0) | dict.fromkeys(("w", "weeks", "周"), 7.0),
    "°C": dict.fromkeys(("°C", "℃", "C", "度"), 1.0),
}
"""How people write our units and others: by what a number is multiplied to be in ours."""


def _converted(number: float, written: str, unit: str) -> float | None:
    """The number in our unit, or None when the unit it was written in is not known."""
    written = written.replace(" ", "")
    if unit == "°C" and written in ("°F", "F"):
        return round((number - 32) / 1.8, 2)
    factor = _FACTORS.get(unit, {}).get(written, 1 if written == unit else None)
    return None if factor is None else round(number * factor, 6)


def _meant(value: float, meta: Meta, unit: str) -> str:
    """What an out-of-range number may have meant in another unit: milliseconds, degrees Fahrenheit."""
    written = {"s": "ms", "°C": "°F"}.get(unit)
    if written is None or meta.ge is None or meta.le is None or not abs(value) < 1e9:
        return ""
    number = _converted(float(value), written, unit)
    return f" ({value:g} {written} is {number:g} {unit})" if number is not None and meta.ge <= number <= meta.le else ""
