"""What `menshen office check` looks at once the tables are there."""

import stat
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from central.accounts.models import User
from central.home import office_dir
from central.registry.models import Gate


def problems() -> list[str]:
    """What is wrong, each with what to do about it."""
    found = [_folder(), _key(), _zone(), _admission(), _users(), _pending()]
    return [problem for problem in found if problem]


def _folder() -> str:
    folder = office_dir()
    mode = stat.S_IMODE(folder.stat().st_mode)
    return f"{folder} is open to others (mode {mode:04o}): chmod 700 {folder}" if mode & 0o077 else ""


def _key() -> str:
    path = office_dir() / "secret-key"
    if not path.exists():
        return ""  # made, for its owner alone, when it is first used
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{path} can be read by others (mode {mode:04o}): chmod 600 {path}" if mode & 0o077 else ""


def _zone() -> str:
    try:
        ZoneInfo(settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return f"MENSHEN_OFFICE_TZ: {settings.TIME_ZONE!r} is no time zone; Asia/Shanghai, say"
    return ""


def _admission() -> str:
    known = settings.ADMIT_GATES in {"manual", "auto"}
    return "" if known else f"MENSHEN_OFFICE_ADMIT: {settings.ADMIT_GATES!r} is neither manual nor auto"


def _users() -> str:
    return "" if User.objects.filter(is_active=True).exists() else "nobody can log in: menshen office user add NAME"


def _pending() -> str:
    waiting = list(Gate.objects.filter(admitted=False).values_list("pk", flat=True)[:10])
    return f"gates wait to be admitted: {', '.join(waiting)}: menshen office gate admit ID" if waiting else ""
