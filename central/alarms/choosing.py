"""Which alarms: those that somebody still has to look at, the urgent ones first; calls that nobody answered, by gate and night; and
what the address of the page leaves out.

A night has as many calls as people come, so those that nobody answered are counted and not listed: they would hide a forced door.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Self
from urllib.parse import urlencode

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils.timezone import get_current_timezone

from central.alarms.leader import with_instructions, without_instruction
from central.alarms.models import Alarm
from central.days import FIRST_DAY, day_in, ms_of
from central.drills.marking import with_drills
from central.registry.models import Gate
from central.text import harmless
from sync.contract.alarms import CONCERNS, Concern

NOON: Final = 12  # a night goes from one noon to the next
MOST_CALLS: Final = 2000  # that are told apart by night; of more, the newest

UNACKNOWLEDGED: Final = Q(gate_acknowledged=False, office_acknowledged_at=None)
_CALLS: Final = [kind for kind, concern in CONCERNS.items() if concern is Concern.CALL]
_NOTICES: Final = [kind for kind, concern in CONCERNS.items() if concern is Concern.NOTICE]
_UNANSWERED: Final = UNACKNOWLEDGED & Q(settled=False, cleared=True, kind__in=_CALLS)
_GOES_ON: Final = UNACKNOWLEDGED & Q(over_ms=None)
_URGENT_FIRST: Final = Case(
    When(_GOES_ON & ~Q(kind__in=_CALLS + _NOTICES), then=Value(0)),
    When(_GOES_ON & Q(kind__in=_CALLS), then=Value(1)),
    When(UNACKNOWLEDGED & ~Q(kind__in=_NOTICES), then=Value(2)),  # a danger that is over
    When(UNACKNOWLEDGED, then=Value(3)),
    default=Value(4),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alarms: what the address says, with anything that makes no sense left out. `night`: from its noon to the next one;
    `unanswered`: only calls that nobody answered; `uninstructed`: only what came to the leader on shift and has no instruction."""

    gate: str = ""
    night: date | None = None
    unanswered: bool = False
    uninstructed: bool = False

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Read the address, or what a form sends along of it."""
        night = day_in(query.get("night", ""))
        return cls(
            harmless(query.get("gate", ""), 32), night, bool(query.get("unanswered")), bool(query.get("uninstructed"))
        )

    def among(self, alarms: QuerySet[Alarm]) -> QuerySet[Alarm]:
        """Those of them that are wanted."""
        if self.gate:
            alarms = alarms.filter(gate_id=self.gate)
        if self.night is not None:
            alarms = alarms.filter(
                since_ms__gte=ms_of(self.night, NOON), since_ms__lt=ms_of(self.night + timedelta(days=1), NOON)
            )
        if self.unanswered:
            alarms = alarms.filter(_UNANSWERED)
        return without_instruction(alarms) if self.uninstructed else alarms

    def query(self) -> Mapping[str, str]:
        """As the address has it."""
        night = self.night.isoformat() if self.night is not None else ""
        marks = {"unanswered": self.unanswered, "uninstructed": self.uninstructed}
        given = {"gate": self.gate, "night": night} | {name: "1" for name, wanted in marks.items() if wanted}
        return {name: value for name, value in given.items() if value}

    def address(self) -> str:
        """The query of the page with the same filters."""
        return urlencode(self.query())

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return self != Wanted()


@dataclass(frozen=True, slots=True)
class Night:
    """The calls of one night at one gate that nobody answered. Times in Unix milliseconds by the gate's clock."""

    gate: Gate
    begins: date
    count: int
    first_ms: int
    last_ms: int

    @property
    def ends(self) -> date:
        """The day of its morning."""
        return self.begins + timedelta(days=1)

    def address(self) -> str:
        """The query of the page with these alone."""
        return Wanted(self.gate.pk, self.begins, unanswered=True).address()


def standing(wanted: Wanted = Wanted()) -> QuerySet[Alarm]:
    """What somebody still has to look at by itself: first dangers that go on and nobody has acknowledged, then calls, then dangers that
    are over; last what is acknowledged and still open. Newest first."""
    return (
        with_drills(with_instructions(wanted.among(Alarm.objects.filter(settled=False)).exclude(_UNANSWERED)))
        .select_related("gate", "office_acknowledged_by")
        .order_by(_URGENT_FIRST, "-received_at", "-since_ms", "id")
    )


def unanswered(wanted: Wanted = Wanted()) -> QuerySet[Alarm]:
    """Calls that are over, and that nobody answered."""
    return wanted.among(Alarm.objects.filter(_UNANSWERED))


def nights(calls: QuerySet[Alarm]) -> list[Night]:
    """These calls by gate and night, the last night first."""
    found: dict[tuple[date, Gate], list[int]] = {}
    for alarm in calls.select_related("gate").order_by("-since_ms")[:MOST_CALLS]:
        found.setdefault((_night_of(alarm.since_ms), alarm.gate), []).append(alarm.since_ms)
    made = (Night(gate, begins, len(times), min(times), max(times)) for (begins, gate), times in found.items())
    return sorted(made, key=lambda night: (-night.begins.toordinal(), night.gate.pk))


def over(wanted: Wanted, most: int) -> list[str]:
    """The ids of those that are over and that nobody has acknowledged, calls among them; the newest `most`."""
    alarms = wanted.among(Alarm.objects.filter(UNACKNOWLEDGED, settled=False, over_ms__isnull=False))
    return list(alarms.order_by("-received_at", "-since_ms", "id").values_list("pk", flat=True)[:most])


def _night_of(at_ms: int) -> date:
    """On which day the night began: whatever comes before noon is of the night before. What no calendar holds is of the first one."""
    try:
        return (datetime.fromtimestamp(at_ms / 1000, get_current_timezone()) - timedelta(hours=NOON)).date()
    except (ValueError, OverflowError, OSError):
        return FIRST_DAY
