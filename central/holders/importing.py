"""Registers from spreadsheets: text read however a spreadsheet writes it, looked at line by line, then taken whole or not at all.

Nothing is written before everything was looked at. A line that cannot be taken is named with its number and why, and while there
is one nothing is taken.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from central.holders.models import Card, Holder, HolderStatus, Kept, RevokedPass
from central.holders.publishing import save_all

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_LINES: Final = 200_000
MAX_CELL: Final = 500  # characters
MOST_TOLD: Final = 200  # lines that are refused, told one by one
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_YES: Final = {"yes": True, "true": True, "1": True, "y": True, "是": True, "no": False, "false": False, "0": False, "n": False, "否": False, "": None}  # fmt: skip
_KINDS: Final = {
    "居民": "resident",
    "业主": "resident",
    "租户": "tenant",
    "返回人员": "returnee",
    "返乡": "returnee",
    "访客": "visitor",
}
_NAMES: Final[Mapping[str, str]] = {
    "编号": "reference", "人员编号": "reference", "holder": "reference", "持有人": "reference", "姓名": "name", "类型": "pass_type", "kind": "pass_type",
    "生效日期": "valid_from", "失效日期": "valid_until", "有效期至": "valid_until", "已登记": "registered", "延时": "extended", "场所": "sites",
    "卡号": "uid", "挂失": "lost", "证号": "pass_id", "备注": "note", "截止日期": "until",
}  # fmt: skip


class NotTaken(Exception):
    """The file as a whole: what is wrong, and what to do."""


class Refused(NamedTuple):
    """A line that cannot be taken, and why."""

    line: int
    why: str


@dataclass
class Plan:
    """What taking it would do. `fields`: of the model, that the file has columns for."""

    kind: str
    site: str
    fields: Sequence[str] = ()
    new: list[Kept] = field(default_factory=list)
    changed: list[Kept] = field(default_factory=list)
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)
    more_refused: int = 0

    def refuse(self, line: int, why: str) -> None:
        """One more; the first ones are told one by one."""
        if len(self.refused) < MOST_TOLD:
            self.refused.append(Refused(line, why))
        else:
            self.more_refused += 1


class _Kind(NamedTuple):
    """A register that can be read in. `key`: its column in the file, and `find`: the object of the site by it."""

    model: type[Kept]
    key: str
    columns: frozenset[str]


KINDS: Final[Mapping[str, _Kind]] = {
    "holders": _Kind(Holder, "reference", frozenset({"reference", "name", "pass_type", "valid_from", "valid_until", "registered", "extended", "sites"})),
    "cards": _Kind(Card, "uid", frozenset({"uid", "reference", "lost"})),
    "revoked": _Kind(RevokedPass, "pass_id", frozenset({"pass_id", "note"})),
    "statuses": _Kind(HolderStatus, "reference", frozenset({"reference", "until"})),
}  # fmt: skip


def plan(kind: str, site: str, data: bytes, progress: Callable[[int], None] = lambda _line: None) -> Plan:
    """Look at a file. Raises NotTaken for what is no such table."""
    reader = _Reader(kind, site, _lines(data))
    for number, cells in reader.lines:
        if number > MAX_LINES:
            raise NotTaken(_("more than %(most)d lines: divide the file") % {"most": MAX_LINES})
        if any(cell.strip() for cell in cells):
            reader.take(number, cells)
        if number % 1000 == 0:
            progress(number)
    return reader.plan


@transaction.atomic
def take(plan: Plan) -> None:
    """Do what the plan says. Raises NotTaken while a line is refused."""
    if plan.refused:
        raise NotTaken(_("lines are refused: mend them first"))
    save_all(plan.new, plan.changed, plan.fields)


def _lines(data: bytes) -> Iterator[list[str]]:
    if len(data) > MAX_BYTES:
        raise NotTaken(_("larger than %(most)d MB: divide the file") % {"most": MAX_BYTES // 1024 // 1024})
    if data[:4] == b"PK\x03\x04":
        raise NotTaken(_("this is a workbook: save it as CSV (UTF-8) and take that"))
    text = _decoded(data)
    if "\0" in text:
        raise NotTaken(_("holds NUL characters: this is no text"))
    first = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    csv.field_size_limit(MAX_BYTES)
    return iter(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def _decoded(data: bytes) -> str:
    """UTF-8, or what a Chinese spreadsheet writes otherwise."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotTaken(_("is neither UTF-8 nor GB18030: save it as CSV (UTF-8)"))


class _Reader:
    def __init__(self, kind: str, site: str, rows: Iterator[list[str]]) -> None:
        self._kind = KINDS[kind]
        self.plan = Plan(kind, site)
        self._columns = self._header(next(rows, []))
        self.plan.fields = [name for name in self._model_fields() if name != self._kind.key]
        self.lines = self._numbered(rows)
        self._seen: dict[str, int] = {}
        self._holders = {each.reference: each for each in Holder.objects.filter(site=site)}
        self._there = {self._key_of(each): each for each in self._kind.model._default_manager.filter(site=site)}

    def take(self, number: int, cells: Sequence[str]) -> None:
        """One line into the plan."""
        try:
            values = self._values(cells)
            key = str(values[self._kind.key])
            self._once(key, number)
            self._place(key, self._fields(values))
        except ValidationError as error:
            self.plan.refuse(number, "; ".join(error.messages))

    def _once(self, key: str, number: int) -> None:
        if key in self._seen:
            raise ValidationError(_("the same as line %(line)d") % {"line": self._seen[key]})
        self._seen[key] = number

    def _place(self, key: str, values: Mapping[str, object]) -> None:
        there = self._there.get(key)
        each = there or self._kind.model(site=self.plan.site)
        before = None if there is None else there.row.value, getattr(there, "name", None), getattr(there, "note", None)
        for name, value in values.items():
            setattr(each, name, value)
        each.clean_fields(exclude=["holder"])  # it was found, and each would be a query
        each.clean()
        after = each.row.value, getattr(each, "name", None), getattr(each, "note", None)
        if there is None:
            self.plan.new.append(each)
        elif before != after:
            self.plan.changed.append(each)
        else:
            self.plan.unchanged += 1

    def _fields(self, values: Mapping[str, object]) -> dict[str, object]:
        """The same by the model's names: a reference is its holder."""
        if self._kind.model in (Holder, RevokedPass):
            return dict(values)
        found = {name: value for name, value in values.items() if name != "reference"}
        reference = str(values.get("reference", "") or "")
        if reference:
            if reference not in self._holders:
                raise ValidationError(_("there is no holder %(who)s: take the holders first") % {"who": reference})
            found["holder"] = self._holders[reference]
        elif "reference" in values:
            found["holder"] = None
        return found

    def _model_fields(self) -> list[str]:
        renamed = {"reference": "holder"} if self._kind.model in (Card, HolderStatus) else {}
        return [renamed.get(name, name) for name in self._columns.values()]

    def _key_of(self, each: Kept) -> str:
        return each.holder.reference if isinstance(each, HolderStatus) else str(getattr(each, self._kind.key))

    def _header(self, cells: Sequence[str]) -> dict[int, str]:
        """Which column stands where. Raises NotTaken."""
        found: dict[int, str] = {}
        for place, cell in enumerate(cells):
            name = cell.strip().lower().replace(" ", "_")
            name = _NAMES.get(name, name)
            if name in self._kind.columns and name not in found.values():
                found[place] = name
        if self._kind.key not in found.values():
            known = ", ".join(sorted(self._kind.columns))
            raise NotTaken(
                _("the first line names no column %(key)s; known are %(known)s")
                % {"key": self._kind.key, "known": known}
            )
        return found

    @staticmethod
    def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
        number = 1
        while True:
            number += 1
            try:
                yield number, next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise NotTaken(_("line %(line)d: %(why)s") % {"line": number, "why": error}) from error

    def _values(self, cells: Sequence[str]) -> dict[str, object]:
        values: dict[str, object] = {}
        for place, name in self._columns.items():
            text = cells[place].strip() if place < len(cells) else ""
            if len(text) > MAX_CELL or not text.isprintable():
                raise ValidationError(
                    _("%(column)s: at most %(most)d printable characters") % {"column": name, "most": MAX_CELL}
                )
            value = _value(name, text)
            if value is not None or name in {"valid_from", "valid_until", "until"}:
                values[name] = value
        if not values.get(self._kind.key):
            raise ValidationError(_("%(column)s is empty") % {"column": self._kind.key})
        return values


def _value(name: str, text: str) -> object:
    """What a cell says. Raises ValidationError."""
    if name in {"valid_from", "valid_until", "until"}:
        return _day(name, text)
    if name in {"registered", "extended", "lost"}:
        if text.lower() not in _YES:
            raise ValidationError(_("%(column)s: yes or no") % {"column": name})
        return _YES[text.lower()]
    if name == "pass_type":
        return _KINDS.get(text, text.lower()) or None
    if name == "uid":
        return text.upper().replace(" ", "").replace(":", "")
    return text.lower() if name == "pass_id" else text


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    found = _DATE.fullmatch(text) or re.fullmatch("(0)(0)(0)", "000")  # which is no day
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError as error:
        raise ValidationError(_("%(column)s: a day such as 2026-11-27") % {"column": name}) from error
