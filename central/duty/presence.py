"""Who was really there: what gates recorded in the time of a guard's shift. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from sync.contract.records import ShiftAction

EARLY: Final = timedelta(hours=1)  # before its time a shift may be begun


class Happened(Protocol):
    """What a gate recorded."""

    @property
    def action(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def to(self) -> str: ...
    @property
    def about_time(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Presence:
    """`names`: who began a shift or took one over; presence checks that were `answered`, and those that were `missed`."""

    names: tuple[str, ...] = ()
    answered: int = 0
    missed: int = 0

    @property
    def state(self) -> str:
        """In one machine word."""
        if self.missed:
            return "missed"
        return "there" if self.names or self.answered else "nobody"


def presence(events: Iterable[Happened], begins: datetime, ends: datetime) -> Presence:
    """What of these tells who was there between these two times."""
    mine = [each for each in events if begins - EARLY <= each.about_time < ends]
    names = [each.to if each.action == ShiftAction.HANDED_OVER else each.by for each in mine if _took(each)]
    return Presence(
        names=tuple(dict.fromkeys(name for name in names if name)),
        answered=sum(each.action == ShiftAction.PRESENT for each in mine if each.about_time >= begins),
        missed=sum(each.action == ShiftAction.ABSENT for each in mine if each.about_time >= begins),
    )


def _took(event: Happened) -> bool:
    return event.action in (ShiftAction.BEGUN, ShiftAction.HANDED_OVER)
