"""What is wrong with a roster: nobody on duty, two where one is meant, one in two places, a guard who had too little rest. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from sync.contract.directory import DutyRole

MOST: Final = 50  # findings that are told
LONGEST: Final = timedelta(hours=24)  # that shifts without a pause between them may last together


class Shift(Protocol):
    """Somebody's shift; `gate` "": at all gates of the site."""

    @property
    def role(self) -> str: ...
    @property
    def gate(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def begins_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


class Wrong(StrEnum):
    """What can be wrong."""

    NOBODY = "nobody"  # in the whole time
    GAP = "gap"
    ENDS = "ends"  # nobody after the last one
    OVERLAP = "overlap"  # two in the same duty
    TWICE = "twice"  # one person in two duties at a time
    REST = "rest"  # between a guard's shift and that person's other one


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, from when to when. `names`: whom it is about."""

    wrong: Wrong
    role: str
    gate: str
    begins: datetime
    ends: datetime
    names: tuple[str, ...] = ()


def look(shifts: Sequence[Shift], begins: datetime, ends: datetime, rest: timedelta = timedelta()) -> list[Finding]:
    """What is wrong between these two times, the earliest first; at most `MOST`. `rest`: so much a guard has between two shifts; those
    before `begins` count for that."""
    here = sorted(
        (each for each in shifts if each.begins_at < ends and each.ends_at > begins),
        key=lambda each: (each.begins_at, each.ends_at, each.name),
    )
    found = [finding for role in DutyRole for finding in _of_role(here, role.value, begins, ends)]
    found += _twice(here)
    found += (finding for finding in _short_rests(shifts, rest) if finding.ends > begins and finding.begins < ends)
    return sorted(found, key=lambda each: (each.begins, each.role, each.gate))[:MOST]


def _of_role(shifts: Sequence[Shift], role: str, begins: datetime, ends: datetime) -> Iterator[Finding]:
    mine = [each for each in shifts if each.role == role]
    gates = sorted({each.gate for each in mine if each.gate})
    if not mine:
        yield Finding(Wrong.NOBODY, role, "", begins, ends)
    for gate in gates or ([""] if mine else []):
        there = [each for each in mine if each.gate in ("", gate)]
        yield from _gaps(there, role, gate, begins, ends)
        yield from _overlaps(there, role, gate)


def _gaps(shifts: Sequence[Shift], role: str, gate: str, begins: datetime, ends: datetime) -> Iterator[Finding]:
    upto = begins
    for each in shifts:
        if each.begins_at > upto:
            yield Finding(Wrong.GAP, role, gate, upto, each.begins_at)
        upto = max(upto, each.ends_at)
    if upto < ends:
        yield Finding(Wrong.ENDS, role, gate, upto, ends)


def _overlaps(shifts: Sequence[Shift], role: str, gate: str) -> Iterator[Finding]:
    longest: Shift | None = None  # of those before: it ends last
    for each in shifts:
        if longest is not None and each.begins_at < longest.ends_at:
            ends = min(longest.ends_at, each.ends_at)
            yield Finding(Wrong.OVERLAP, role, gate, each.begins_at, ends, (longest.name, each.name))
        if longest is None or each.ends_at > longest.ends_at:
            longest = each


def _twice(shifts: Iterable[Shift]) -> Iterator[Finding]:
    by_name: dict[str, list[Shift]] = {}
    for each in shifts:
        by_name.setdefault(each.name, []).append(each)
    for name, mine in by_name.items():
        for at, other in enumerate(mine):
            elsewhere = (one for one in mine[:at] if (one.role, one.gate) != (other.role, other.gate))
            one = max(elsewhere, key=lambda each: each.ends_at, default=None)
            if one is not None and other.begins_at < one.ends_at:
                ends = min(one.ends_at, other.ends_at)
                yield Finding(Wrong.TWICE, other.role, other.gate, other.begins_at, ends, (name,))


def _short_rests(shifts: Iterable[Shift], rest: timedelta) -> Iterator[Finding]:
    """Of each person who stands guard. Shifts that touch (at two gates, one after the other) are one stretch, as long as they last no
    longer than `LONGEST` together; each finding lasts from the end of a stretch to the begin of the next one."""
    by_name: dict[str, list[Shift]] = {}
    for each in sorted(shifts, key=lambda each: (each.begins_at, each.ends_at)):
        by_name.setdefault(each.name, []).append(each)
    for name, mine in by_name.items():
        if all(each.role != DutyRole.GUARD for each in mine):
            continue
        began, upto = mine[0].begins_at, mine[0].ends_at
        for each in mine[1:]:
            pause = each.begins_at - upto
            too_long = pause <= timedelta() and each.ends_at - began > LONGEST and each.begins_at > began
            if timedelta() < pause < rest or (rest and too_long):
                yield Finding(Wrong.REST, each.role, each.gate, min(upto, each.begins_at), each.begins_at, (name,))
            if pause > timedelta() or too_long:
                began = each.begins_at
            upto = max(upto, each.ends_at)
