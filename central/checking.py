"""What `menshen office check` looks at once the tables are there."""

import stat
from datetime import timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.x509 import Certificate
from django.conf import settings
from django.db import connection
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.authority.certificates import common_name
from central.authority.folder import BROKER, COMMAND, OFFICE, POST, TAIL, Authority, authority_dir
from central.home import office_dir
from central.registry.models import Gate
from central.visitors.issuing import key_path
from central.visitors.models import CLOSED, VisitorPolicy

SOON: Final = timedelta(days=30)  # before a certificate is over
_RENEW: Final = {
    BROKER: "menshen office broker-certificate HOST… --out DIR, and bring it to the broker",
    OFFICE: "menshen office authority renew-office",
    TAIL: "menshen office tail-certificate --out DIR",
    COMMAND: "menshen office command-certificate --out DIR",
    POST: "menshen office post-certificate --out DIR, and bring it to the post",
}


def problems() -> list[str]:
    """What is wrong, each with what to do about it."""
    found = [
        _folder(),
        _key(),
        _pass_key(),
        _server(),
        _zone(),
        _admission(),
        _rest(),
        _users(),
        _pending(),
        *_certificates(),
    ]
    return [problem for problem in found if problem]


def _folder() -> str:
    folder = office_dir()
    mode = stat.S_IMODE(folder.stat().st_mode)
    return f"{folder} is open to others (mode {mode:04o}): chmod 700 {folder}" if mode & 0o077 else ""


def _key() -> str:
    path = office_dir() / "secret-key"
    return _private(path) if path.exists() else ""  # made, for its owner alone, when it is first used


def _pass_key() -> str:
    """Without it nobody who registers by phone can be let in."""
    if key_path().exists():
        return _private(key_path())
    wanted = VisitorPolicy.objects.exclude(decides=CLOSED).exists()
    return (
        "visitors register by phone, and there is no key for their passes: menshen office visitors key"
        if wanted
        else ""
    )


def _private(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{path} can be read by others (mode {mode:04o}): chmod 600 {path}" if mode & 0o077 else ""


def _certificates() -> list[str]:
    """Those that are over, or soon; nothing where there is no authority."""
    folder = authority_dir()
    if not (folder / "authority.pem").exists():
        return []
    open_to_others = [_private(path) for path in sorted(folder.glob("*.key"))]
    found = [_ending(each) for each in Authority(folder).standing()]
    return [problem for problem in (*open_to_others, *found) if problem]


def _ending(certificate: Certificate) -> str:
    ends = certificate.not_valid_after_utc
    if ends - office_now() > SOON:
        return ""
    name = common_name(certificate)
    what = _RENEW.get(name, f"menshen office gate-bundle {name} …, and bring it to the gate")
    return f"the certificate of {name} ends on {ends:%Y-%m-%d}: {what}"


def _server() -> str:
    """Whether a server that holds the records loses them in a power cut."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'")
        off = [name for (name,) in cursor.fetchall()]
    if not off:
        return ""
    lost = "a power cut can lose records that gates were told are kept, or the whole database"
    return f"the PostgreSQL server runs with {' and '.join(off)} off: {lost}; set it to on in postgresql.conf"


def _zone() -> str:
    try:
        ZoneInfo(settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return f"MENSHEN_OFFICE_TZ: {settings.TIME_ZONE!r} is no time zone; Asia/Shanghai, say"
    return ""


def _admission() -> str:
    known = settings.ADMIT_GATES in {"manual", "auto"}
    return "" if known else f"MENSHEN_OFFICE_ADMIT: {settings.ADMIT_GATES!r} is neither manual nor auto"


def _rest() -> str:
    known = str(settings.GUARDS_REST_H) == settings.GUARDS_REST
    return (
        ""
        if known
        else f"MENSHEN_OFFICE_REST_H: {settings.GUARDS_REST!r} is no whole number of hours from 0 to 24; 11 counts"
    )


def _users() -> str:
    return "" if User.objects.filter(is_active=True).exists() else "nobody can log in: menshen office user add NAME"


def _pending() -> str:
    waiting = list(Gate.objects.filter(admitted=False).values_list("pk", flat=True)[:10])
    return f"gates wait to be admitted: {', '.join(waiting)}: menshen office gate admit ID" if waiting else ""
