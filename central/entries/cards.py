"""The cards that were seen for the first time, day by day, as a page: somebody goes through them every day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.timezone import get_current_timezone, localdate
from django.views.decorators.http import require_safe

from central.days import day_in
from central.entries.models import SeenCard
from central.registry.models import Gate
from central.web.live import Live

PAGE = 50
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cards: those the office heard of on `day`, so that a list which somebody has been through does not grow when a
    gate has been out of reach."""

    day: date
    gate: str = ""
    before: int = 0  # rows with a smaller id only; 0 = from the newest

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Read the address; without a day that makes sense, today."""
        before = query.get("before", "")
        return cls(
            day=day_in(query.get("day", "")) or localdate(),
            gate=query.get("gate", ""),
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else 0,
        )

    def of_the_day(self) -> QuerySet[SeenCard]:
        """All rows of the day, newest first by arrival."""
        begins, ends = (datetime.combine(day, time(), get_current_timezone()) for day in (self.day, self.day + _DAY))
        rows = SeenCard.objects.select_related("gate", "boot").filter(received_at__gte=begins, received_at__lt=ends)
        return rows.filter(gate_id=self.gate) if self.gate else rows

    def rows(self) -> QuerySet[SeenCard]:
        """The rows of the page and of all older ones."""
        return self.of_the_day().filter(pk__lt=self.before) if self.before else self.of_the_day()

    def address(self, *, days: int = 0, before: int = 0) -> str:
        """The query of the same page, so many days later, from `before` on."""
        query = {"day": (self.day + days * _DAY).isoformat(), "gate": self.gate, "before": before or ""}
        return urlencode({key: value for key, value in query.items() if value})


def _rows(request: HttpRequest) -> Mapping[str, Any]:
    wanted = Wanted.of(request.GET)
    rows = list(wanted.rows()[: PAGE + 1])
    older = rows[PAGE - 1].pk if len(rows) > PAGE else 0
    return {
        "rows": rows[:PAGE],
        "count": wanted.of_the_day().count(),
        "wanted": wanted,
        "older": wanted.address(before=older) if older else "",
        "newest": wanted.address(),
    }


ROWS = Live("card-rows", "cards/_rows.html", _rows, keeps=("day", "gate", "before"))


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The cards newly seen on a day."""
    wanted = Wanted.of(request.GET)
    context = {
        "rows": ROWS,
        "wanted": wanted,
        "gates": Gate.objects.all(),
        "day_before": wanted.address(days=-1),
        "day_after": wanted.address(days=1) if wanted.day < localdate() else "",
    }
    return render(request, "cards/listing.html", context)
