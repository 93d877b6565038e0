"""Days as people write them into an address or a form, and when they are."""

from datetime import date, datetime, time
from typing import Final

from django.utils.timezone import get_current_timezone

FIRST_DAY: Final = date(2000, 1, 1)  # what lies before is a slip, and may not be in Unix seconds
LAST_DAY: Final = date(2999, 12, 31)  # past it the calendar's end is near


def day_in(text: str) -> date | None:
    """The day that a text such as 2026-11-28 names; None for any other text, and for a day that is a slip."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY < day < LAST_DAY else None


def ms_of(day: date, hour: int = 0) -> int:
    """When it is that hour of the day, in the office's zone, in Unix milliseconds."""
    return int(datetime.combine(day, time(hour), get_current_timezone()).timestamp() * 1000)
