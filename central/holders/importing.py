"""Registers from spreadsheets: text read however a spreadsheet writes it, looked at line by line, then taken whole or not at all.

Nothing is written before everything was looked at. A line that cannot be taken is named with its number and why, and while there
is one nothing is taken.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Field
from django.utils.timezone import get_default_timezone, localtime
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _

from central.bookings.models import Booking
from central.bookings.places import Booked, Ledger, ledger
from central.directory.models import Directory
from central.directory.store import hold
from central.duty.models import DutyShift
from central.holders.models import Card, Holder, HolderStatus, Kept, RevokedPass
from central.holders.publishing import save_all, whole
from central.registry.models import Gate
from central.text import harmless

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_LINES: Final = 200_000
MAX_CELL: Final = 500  # characters
MOST_TOLD: Final = 200  # lines of each sort, told one by one
_DAYS: Final = frozenset({"valid_from", "valid_until", "until"})
_TIMES: Final = frozenset({"begins", "ends", "begins_at", "ends_at"})
_SWITCHES: Final = frozenset({"registered", "extended", "lost"})
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_CLOCK: Final = re.compile(r"(.+?)[ T]+(\d{1,2})[:：](\d{2})(?:[:：]00)?")
_YES: Final = {"yes": True, "true": True, "1": True, "y": True, "是": True, "no": False, "false": False, "0": False, "n": False, "否": False, "": None}  # fmt: skip
_KINDS: Final = {
    "居民": "resident",
    "业主": "resident",
    "租户": "tenant",
    "返回人员": "returnee",
    "返乡": "returnee",
    "访客": "visitor",
}
_ROLES: Final = {
    "值守人员": "guard",
    "门岗": "guard",
    "值班人员": "duty-room",
    "值班室": "duty-room",
    "带班领导": "leader",
}
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {"pass_type": _KINDS, "role": _ROLES}
_NAMES: Final[Mapping[str, str]] = {
    "编号": "reference", "人员编号": "reference", "holder": "reference", "持有人": "reference", "姓名": "name", "类型": "pass_type", "kind": "pass_type",
    "生效日期": "valid_from", "失效日期": "valid_until", "有效期至": "valid_until", "已登记": "registered", "延时": "extended", "场所": "sites",
    "卡号": "uid", "挂失": "lost", "证号": "pass_id", "备注": "note", "截止日期": "until", "开始": "begins", "开始时间": "begins", "结束": "ends",
    "结束时间": "ends", "岗位": "role", "duty": "role", "电话": "phone", "手机号": "phone", "门岗": "gate",
}  # fmt: skip


class NotTaken(Exception):
    """The file as a whole: what is wrong, and what to do."""


class Told(NamedTuple):
    """A line: whom it is about, and what it would change, or why it cannot be taken."""

    line: int
    who: str
    what: str = ""


@dataclass
class Plan:
    """What taking it would do. `fields`: of the model, that the file has columns for; `columns`: those, as the file names them;
    `passed_over`: the others. Of each sort the first lines are told one by one."""

    kind: str
    site: str
    columns: Sequence[str] = ()
    passed_over: Sequence[str] = ()
    fields: Sequence[str] = ()
    new: list[Kept] = field(default_factory=list)
    changed: list[Kept] = field(default_factory=list)
    unchanged: int = 0
    refused_count: int = 0
    told_new: list[Told] = field(default_factory=list)
    told_changed: list[Told] = field(default_factory=list)
    refused: list[Told] = field(default_factory=list)

    def refuse(self, line: int, who: str, why: str) -> None:
        """One more that cannot be taken."""
        self.refused_count += 1
        _tell(self.refused, Told(line, who, why))

    def add(self, line: int, each: Kept, what: str) -> None:
        """One more that is not there yet."""
        self.new.append(each)
        _tell(self.told_new, Told(line, str(each), what))

    def change(self, line: int, each: Kept, what: str) -> None:
        """One more that differs."""
        self.changed.append(each)
        _tell(self.told_changed, Told(line, str(each), what))


def _tell(told: list[Told], line: Told) -> None:
    if len(told) < MOST_TOLD:
        told.append(line)


class _Kind(NamedTuple):
    """A register that can be read in. `key`: its columns in the file that tell one line from another, the first of which must
    be there."""

    model: type[Kept]
    key: tuple[str, ...]
    columns: frozenset[str]
    names: Mapping[str, str] = MappingProxyType({})  # of columns that mean another thing than in other registers

    def column(self, said: str) -> str:
        """What a file calls so."""
        name = _NAMES.get(said, said)
        return self.names.get(name, name)


KINDS: Final[Mapping[str, _Kind]] = {
    "holders": _Kind(Holder, ("reference",), frozenset({"reference", "name", "pass_type", "valid_from", "valid_until", "registered", "extended", "sites"})),
    "cards": _Kind(Card, ("uid",), frozenset({"uid", "reference", "lost"})),
    "revoked": _Kind(RevokedPass, ("pass_id",), frozenset({"pass_id", "note"})),
    "statuses": _Kind(HolderStatus, ("reference",), frozenset({"reference", "until"})),
    "bookings": _Kind(Booking, ("reference", "begins"), frozenset({"reference", "begins", "ends"}), {"from": "begins", "until": "ends"}),
    "duty": _Kind(
        DutyShift, ("name", "role", "begins_at", "gate"), frozenset({"name", "role", "begins_at", "gate", "ends_at", "phone"}),
        {"from": "begins_at", "begins": "begins_at", "until": "ends_at", "ends": "ends_at"},
    ),
}  # fmt: skip


def is_new(site: str) -> bool:
    """Whether no gate belongs to this site, and nothing has ever been kept for it: it may be a slip of the pen."""
    return not (Gate.objects.filter(site=site).exists() or Directory.objects.filter(site=site).exists())


def sites() -> list[str]:
    """Those that there are."""
    of_gates = Gate.objects.exclude(site="").values_list("site", flat=True)
    return sorted({*of_gates, *Directory.objects.values_list("site", flat=True)})


def columns_of(kind: str) -> str:
    """What its columns may be called."""
    known = KINDS[kind]
    called = [*_NAMES, *(said for said in known.names if said not in _NAMES)]
    names = {
        name: [said for said in called if said != name and known.column(said) == name] for name in sorted(known.columns)
    }
    return "; ".join(" / ".join((name, *said)) for name, said in names.items())


def plan(kind: str, site: str, data: bytes, progress: Callable[[int], None] = lambda _line: None) -> Plan:
    """Look at a file. Raises NotTaken for what is no such table."""
    text = _text(data)
    reader = _Reader(kind, site, _numbered(text))
    number, cells = 1, list[str]()
    for row, (number, cells) in enumerate(reader.lines):
        if number > MAX_LINES + 1:  # the first names the columns
            raise NotTaken(_("more than %(most)d lines: divide the file") % {"most": MAX_LINES})
        if any(cell.strip() for cell in cells):
            reader.take(number, cells)
        if row % 1000 == 0:
            progress(number)
    if any(cell.strip() for cell in cells) and len(cells) < reader.width and not text.endswith(("\n", "\r")):
        # Elsewhere a line may be short: spreadsheets leave out what is empty at the end of some lines.
        said = {"line": number, "n": len(cells), "all": reader.width}
        raise NotTaken(
            _("the file ends within line %(line)d, at column %(n)d of %(all)d: take the whole file, or end the line")
            % said
        )
    return reader.plan


def take(plan: Plan) -> None:
    """Do what the plan says. Raises NotTaken while a line is refused, or where what it goes by is not so any more."""
    if plan.refused:
        raise NotTaken(_("lines are refused: mend them first"))
    try:
        if KINDS[plan.kind].model is Booking:
            _take_bookings(plan)
        else:
            save_all(plan.new, plan.changed, plan.fields)
    except IntegrityError as error:
        raise NotTaken(_("the directory has changed since: look at it again")) from error


@transaction.atomic
def _take_bookings(plan: Plan) -> None:
    hold(plan.site)
    _still_free(plan)
    save_all(plan.new, plan.changed, plan.fields)


def _still_free(plan: Plan) -> None:
    """Raises NotTaken where a place was booked since it was looked at."""
    places = ledger(plan.site, office_now(), without={each.pk for each in plan.changed})
    try:
        for each in (*plan.changed, *plan.new):
            if isinstance(each, Booking):
                places.add(Booked(each.holder_id, each.begins, each.ends))
    except ValidationError as error:
        raise NotTaken("; ".join(error.messages)) from error


def _text(data: bytes) -> str:
    """Raises NotTaken for what is none."""
    if len(data) > MAX_BYTES:
        raise NotTaken(_("larger than %(most)d MB: divide the file") % {"most": MAX_BYTES // 1024 // 1024})
    if data[:4] == b"PK\x03\x04":
        raise NotTaken(_("this is a workbook: save it as CSV (UTF-8) and take that"))
    text = _decoded(data)
    if "\0" in text:
        raise NotTaken(_("holds NUL characters: this is no text"))
    return text


def _decoded(data: bytes) -> str:
    """UTF-8, or what a Chinese spreadsheet writes otherwise."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotTaken(_("is neither UTF-8 nor GB18030: save it as CSV (UTF-8)"))


class _Reader:
    def __init__(self, kind: str, site: str, lines: "_Lines") -> None:
        self._kind = KINDS[kind]
        self.plan = Plan(kind, site)
        header = next(lines, (1, []))[1]
        self.width = len(header)
        self._columns = self._header(header)
        self._named = {"reference": "holder"} if self._kind.model in (Card, HolderStatus, Booking) else {}
        names = [self._named.get(name, name) for name in self._columns.values()]
        first = self._kind.key[0]
        self.plan.fields = [name for name in names if name != self._named.get(first, first)]
        if self._kind.model is Booking:
            self.plan.fields = [*self.plan.fields, "over"]  # which `clean` sees to
        self.lines = lines
        self._seen: dict[str, int] = {}
        self._holders = {each.reference: each for each in Holder.objects.filter(site=site)}
        self._ledger = ledger(site, office_now()) if self._kind.model is Booking else Ledger((), ())
        self._there = {self._key_of(each): each for each in whole(self._kind.model).filter(site=site)}

    def take(self, number: int, cells: Sequence[str]) -> None:
        """One line into the plan, or all that is wrong in it: what cannot be read and what is read and cannot be."""
        wrong: _Wrong = {}
        values = self._values(cells, wrong)
        key = self._key(values, number, wrong)
        each = self._there.get(key) or self._kind.model(site=self.plan.site)
        differs = self._put(each, self._fields(values, wrong), wrong)
        if not wrong and isinstance(each, Booking) and (each.pk is None or differs):
            self._book(each, differs, wrong)
        if wrong:
            self.plan.refuse(number, key or self._called(cells), self._why(wrong))
        elif each.pk is None:
            # said for those that are told: for each of 100,000 it would take longer than reading them
            self.plan.add(number, each, self._said(each) if len(self.plan.told_new) < MOST_TOLD else "")
        elif differs:
            self.plan.change(number, each, "; ".join(self._step(each, name, was) for name, was in differs.items()))
        else:
            self.plan.unchanged += 1

    def _called(self, cells: Sequence[str]) -> str:
        """What a line that is wrong is told by, as far as that can be shown."""
        of = {name: _tidy(cells[place]) for place, name in self._columns.items() if place < len(cells)}
        return _joined(said for name in self._kind.key if (said := of.get(name, "")).isprintable())[:MAX_CELL]

    def _key(self, values: Mapping[str, object], number: int, wrong: "_Wrong") -> str:
        """Whom the line is about, once in a file; "" where that cannot be read."""
        if any(self._field(name) in wrong for name in self._kind.key):
            return ""
        key = _joined(values.get(name) for name in self._kind.key)
        first = self._seen.setdefault(key, number)
        if first != number:
            wrong[NON_FIELD_ERRORS] = [_("the same as line %(line)d: leave one of them out") % {"line": first}]
        return key

    def _put(self, each: Kept, values: Mapping[str, object], wrong: "_Wrong") -> dict[str, object]:
        """Give it these values. Of one that was there, what differs, and as it was."""
        there = each.pk is not None
        differs = {
            name: getattr(each, name) for name, value in values.items() if there and getattr(each, name) != value
        }
        for name, value in values.items():
            setattr(each, name, value)
        # What stood in the place of what cannot be read is not to be held against the rest.
        for name in wrong.keys() - {NON_FIELD_ERRORS, "holder"}:
            setattr(each, name, self._column(name).get_default())
        with _told(wrong):
            each.clean_fields(exclude={"holder", *wrong})  # a holder was found, and each would be a query
        with _told(wrong):
            each.clean()
        return differs

    def _book(self, each: Booking, differs: Mapping[str, object], wrong: "_Wrong") -> None:
        """Take a place for it, and give back the one that it had."""
        if differs:
            was = differs.get("ends", each.ends)
            self._ledger.take_back(Booked(each.holder_id, each.begins, was if isinstance(was, datetime) else each.ends))
        with _told(wrong):
            self._ledger.add(Booked(each.holder_id, each.begins, each.ends))

    def _said(self, each: Kept) -> str:
        """`type: resident; valid until: —`: what the file's columns make of it, its key apart."""
        names = [name for name in self._columns.values() if name not in self._kind.key]
        return "; ".join(f"{self._label(name)}: {self._now(each, self._field(name))}" for name in names)

    def _now(self, each: Kept, name: str) -> str:
        value = getattr(each, name)
        return _shown(dict(self._column(name).flatchoices).get(value, value))

    def _step(self, each: Kept, name: str, was: object) -> str:
        """`valid until: 2026-11-27 → 2027-01-01`."""
        before = dict(self._column(name).flatchoices).get(was, was)
        return f"{self._label(name)}: {_shown(before)} → {self._now(each, name)}"

    def _column(self, name: str) -> "Field[Any, Any]":
        """The model's field: a file names no relation from elsewhere. Raises FieldDoesNotExist."""
        return cast("Field[Any, Any]", self._kind.model._meta.get_field(name))

    def _field(self, name: str) -> str:
        """What the model calls a column."""
        return self._named.get(name, name)

    def _fields(self, values: Mapping[str, object], wrong: "_Wrong") -> dict[str, object]:
        """The same by the model's names: a reference is its holder."""
        if not self._named:
            return dict(values)
        found = {name: value for name, value in values.items() if name != "reference"}
        reference = str(values.get("reference", "") or "")
        if reference in self._holders:
            found["holder"] = self._holders[reference]
        elif reference:
            wrong["holder"] = [_("there is no holder %(who)s: take the holders first") % {"who": reference}]
        elif "reference" in values:
            found["holder"] = None
        return found

    def _key_of(self, each: Kept) -> str:
        holder = getattr(each, "holder", None)  # whom a reference in the file stands for
        return _joined(
            holder.reference if holder and name in self._named else getattr(each, name) for name in self._kind.key
        )

    def _label(self, name: str) -> str:
        """What pages call it."""
        try:
            return str(self._column(self._field(name)).verbose_name)
        except FieldDoesNotExist:
            return name

    def _why(self, wrong: "_Wrong") -> str:
        """With the column where it is one's."""
        return "; ".join(
            ("" if name == NON_FIELD_ERRORS else f"{self._label(name)}: ") + " ".join(said)
            for name, said in wrong.items()
        )

    def _header(self, cells: Sequence[str]) -> dict[int, str]:
        """Which column stands where. Raises NotTaken."""
        found: dict[int, str] = {}
        passed_over = []
        for place, cell in enumerate(cells):
            said = _tidy(cell)
            name = self._kind.column(said.lower().replace(" ", "_"))
            if name in found.values():
                raise NotTaken(_("the first line names column %(name)s twice") % {"name": harmless(said, 40)})
            if name in self._kind.columns:
                found[place] = name
            elif said:
                passed_over.append(harmless(said, 40))
        if self._kind.key[0] not in found.values():
            wanted = {"key": self._kind.key[0], "known": columns_of(self.plan.kind)}
            raise NotTaken(_("the first line names no column %(key)s; known are %(known)s") % wanted)
        self.plan.columns = [_tidy(cells[place]) for place in found]
        self.plan.passed_over = passed_over
        return found

    def _values(self, cells: Sequence[str], wrong: "_Wrong") -> dict[str, object]:
        values: dict[str, object] = {}
        for place, name in self._columns.items():
            text = _tidy(cells[place]) if place < len(cells) else ""
            try:
                value = _value(name, text)
            except ValidationError as error:
                wrong[self._field(name)] = error.messages
                continue
            if value is not None or name in _DAYS:
                values[name] = value
        if not values.get(first := self._kind.key[0]):
            wrong.setdefault(self._field(first), [_("empty, and each line needs one")])
        return values


_Wrong = dict[str, list[str]]  # of one line, by the model's names


@contextmanager
def _told(wrong: _Wrong) -> Iterator[None]:
    """Add what is found to be wrong. Of a column of which something is said already, more would only be what follows from it."""
    try:
        yield
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        for name, said in found.items():
            wrong.setdefault(name, said)


_Lines = Iterator[tuple[int, list[str]]]


def _numbered(text: str) -> _Lines:
    """Each row with the number of its first line. Raises NotTaken."""
    delimiter = max("\t;,", key=text.split("\n", 1)[0].count)
    csv.field_size_limit(MAX_BYTES)
    # strict: a quotation mark that nobody closes would make one cell of all that follows
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = rows.line_num + 1
        try:
            yield number, next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            why = _(
                "line %(line)d: a quotation mark is not closed, or stands in the middle of a cell, or a line ends oddly"
            )
            raise NotTaken(why % {"line": number}) from error


def _tidy(cell: str) -> str:
    """Without spaces around; the wide and the unbreakable space are spaces."""
    return cell.replace("\u3000", " ").replace("\u00a0", " ").strip()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, datetime):
        return f"{localtime(value):%Y-%m-%d %H:%M}"
    return str(value) if value not in (None, "") else "—"


def _joined(values: Iterable[object]) -> str:
    """What tells one line from another, as people read it."""
    return " · ".join(_shown(value) for value in values if value not in (None, ""))


def _value(name: str, text: str) -> object:
    """What a cell says; None: nothing. Raises ValidationError."""
    if len(text) > MAX_CELL or not text.isprintable():
        raise ValidationError(_("at most %(most)d printable characters") % {"most": MAX_CELL})
    if name in _DAYS:
        return _day(text)
    if name in _TIMES:
        return _time(text)
    if name in _SWITCHES:
        if text.lower() not in _YES:
            raise ValidationError(_("yes or no"))
        return _YES[text.lower()]
    if name in _WORDS:
        return _word(_WORDS[name], text)
    if name == "uid":
        return text.upper().replace(" ", "").replace(":", "")
    return text.lower() if name == "pass_id" else text


def _word(words: Mapping[str, str], text: str) -> str | None:
    word = words.get(text, text.lower())
    if word and word not in words.values():
        raise ValidationError(_("one of %(words)s") % {"words": ", ".join(dict.fromkeys((*words.values(), *words)))})
    return word or None


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = _DATE.fullmatch(text)
        if found is not None:
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:  # the 30th of February
        pass
    raise ValidationError(_("a day such as 2026-11-27"))


def _time(text: str) -> datetime:
    """A time of the office's zone. Raises ValidationError."""
    found = _CLOCK.fullmatch(text)
    day = _day(found[1]) if found is not None else None
    if found is None or day is None or int(found[2]) > 23 or int(found[3]) > 59:
        raise ValidationError(_("a time such as 2026-11-27 09:00"))
    return datetime(day.year, day.month, day.day, int(found[2]), int(found[3]), tzinfo=get_default_timezone())
