"""Days and times as people give and read them."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SHOWN: Final = "%Y-%m-%d %H:%M"
_DAY: Final = "%Y-%m-%d"
_TIMES: Final = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_FIRST_YEAR, _LAST_YEAR = 1971, 2105  # whole ones, in every zone, of the 32 bits that a pass has for a time


class BadTime(ValueError):
    """What was given is no time: what would be one, in words."""


def find_zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises BadTime."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the list, such as "Asia"
        raise BadTime(f"{name!r} is no time zone of the IANA list, such as Asia/Shanghai") from None


def begin(text: str, zone: ZoneInfo) -> int:
    """The Unix second at which something begins: a day begins at 00:00. Raises BadTime."""
    parsed, _ = _parsed(text, zone)
    return int(parsed.timestamp())


def end(text: str, zone: ZoneInfo) -> int:
    """The Unix second at which something ends: a day ends with the day. Raises BadTime."""
    parsed, is_day = _parsed(text, zone)
    return int((parsed + timedelta(days=1) if is_day else parsed).timestamp())


def shown(seconds: int, zone: ZoneInfo) -> str:
    """A time for people."""
    return f"{datetime.fromtimestamp(seconds, zone):{SHOWN}}"


def _parsed(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The time, and whether it is a whole day."""
    for form in (_DAY, *_TIMES):
        try:
            parsed = datetime.strptime(text.strip(), form).replace(tzinfo=zone)
        except ValueError:
            continue
        if not _FIRST_YEAR <= parsed.year <= _LAST_YEAR:
            raise BadTime(f"{text!r} is too far away: passes are for {_FIRST_YEAR} to {_LAST_YEAR}")
        return parsed, form == _DAY
    raise BadTime(f"{text!r} is no time: write a day as 2026-12-31, or a time as 2026-12-31T18:00")
