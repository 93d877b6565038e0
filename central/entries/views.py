"""The entry log as a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from central.days import day_in, ms_of
from central.entries.models import Entry
from central.registry.models import Gate
from central.web.live import Live
from central.web.words import OUTCOMES, machine_words, word

PAGE = 50
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: what the address says, with anything that makes no sense left out."""

    text: str = ""
    gate: str = ""
    outcome: str = ""
    day: date | None = None
    before: int = 0  # rows with a smaller id only; 0 = from the newest

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """Read the address."""
        before = query.get("before", "")
        return cls(
            text=query.get("q", "").strip()[:100],
            gate=query.get("gate", ""),
            outcome=query.get("outcome", ""),
            day=day_in(query.get("day", "")),
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else 0,
        )

    def rows(self) -> QuerySet[Entry]:
        """The rows, newest first by arrival."""
        rows = Entry.objects.select_related("gate", "boot")
        if self.before:
            rows = rows.filter(pk__lt=self.before)
        if self.gate:
            rows = rows.filter(gate_id=self.gate)
        if self.outcome:
            rows = rows.filter(outcome=self.outcome)
        if self.day:
            rows = rows.filter(_on(self.day))
        return rows.filter(self._matches()) if self.text else rows

    def address(self, before: int = 0) -> str:
        """The query of the page with the same filters."""
        day = self.day.isoformat() if self.day else ""
        query = {"q": self.text, "gate": self.gate, "outcome": self.outcome, "day": day, "before": before or ""}
        return urlencode({key: value for key, value in query.items() if value})

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.gate or self.outcome or self.day)

    def _matches(self) -> Q:
        found = Q(holder__icontains=self.text) | Q(credential__icontains=self.text)
        found |= Q(reasons__icontains=self.text)
        for machine in machine_words("reason", self.text):
            # a whole word of the list: "ok" must not find "ok-ish"
            found |= Q(reasons=machine) | Q(reasons__startswith=f"{machine} ")
            found |= Q(reasons__endswith=f" {machine}") | Q(reasons__contains=f" {machine} ")
        return found


def _on(day: date) -> Q:
    """The rows of a day: those known to be of it, and those that may be, which are marked."""
    begins, ends = ms_of(day), ms_of(day + _DAY)
    not_over = Q(boot__least=None) | Q(boot__least__lt=ends - F("mono"))
    begun = Q(boot__most=None) | Q(boot__most__gte=begins - F("mono"))
    came = Q(received_at__gte=datetime.fromtimestamp(begins / 1000, UTC))  # nothing was written after it came in
    return Q(shown_at__gte=begins, shown_at__lt=ends) | Q(shown_at=None) & not_over & begun & came


def _rows(request: HttpRequest) -> Mapping[str, Any]:
    wanted = Wanted.of(request.GET)
    rows = list(wanted.rows()[: PAGE + 1])
    older = rows[PAGE - 1].pk if len(rows) > PAGE else 0
    return {
        "rows": [(row, row.reasons.split()) for row in rows[:PAGE]],
        "wanted": wanted,
        "older": wanted.address(older) if older else "",
        "newest": wanted.address(),
    }


ROWS = Live("entry-rows", "entries/_rows.html", _rows, keeps=("q", "gate", "outcome", "day", "before"))


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """The entry log: live from the newest on, or a page of older rows."""
    context = {
        "rows": ROWS,
        "wanted": Wanted.of(request.GET),
        "gates": Gate.objects.all(),
        "outcomes": [(machine, word("outcome", machine)) for machine in OUTCOMES],
    }
    return render(request, "entries/listing.html", context)
