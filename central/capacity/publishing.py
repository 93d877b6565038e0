"""Tells the gates of a site how many came in by the others, as rows of its directory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from django.db import transaction

from central.capacity.counting import elsewhere, is_due
from central.capacity.limits import limits_by_site
from central.directory.models import Directory, Row
from central.directory.store import change, hold
from central.registry.models import Gate
from sync.contract.directory import Elsewhere, Table
from sync.log.keyed import Row as Sent

EVERY_S: Final = 1.0  # it is looked whether anything is to be told
LONGEST_AGAIN_MS: Final = 60_000
_encode = msgspec.json.Encoder(order="deterministic").encode


def publish(now: datetime) -> None:
    """Tell what is to be told. Sites whose policy does not count them as one (`capacity.site_wide`) are told nothing, and what they
    were told before is taken away. Raises what the database raises."""
    limits = {site: each for site, each in limits_by_site().items() if each.together}
    for site in sorted({*limits, *Directory.objects.values_list("pk", flat=True)}):
        again_ms = min(int(limits[site].max_age_s * 1000) // 3, LONGEST_AGAIN_MS) if site in limits else 0
        _publish(site, now, again_ms, told=site in limits)


def _publish(site: str, now: datetime, again_ms: int, *, told: bool) -> None:
    now_ms = int(now.timestamp() * 1000)
    if not _due(site, now_ms, again_ms, told=told)[1]:
        return
    with transaction.atomic():
        hold(site)
        rows, due = _due(site, now_ms, again_ms, told=told)  # another process may have told it meanwhile
        if due:
            change(site, rows, now)


def _due(site: str, now_ms: int, again_ms: int, *, told: bool) -> tuple[list[Sent], bool]:
    wanted = elsewhere(_inside(site)) if told else {}
    standing = _standing(site)
    gone = [Sent(Table.ELSEWHERE.value, gate, None) for gate in standing.keys() - wanted.keys()]
    rows = [
        Sent(Table.ELSEWHERE.value, gate, _encode({"inside": inside, "at_ms": now_ms}))
        for gate, inside in sorted(wanted.items())
    ]
    return [*gone, *rows], is_due(wanted, standing, now_ms, again_ms)


def _inside(site: str) -> Mapping[str, int]:
    """What each gate said last; one that is offline is still counted: who came in by it is inside."""
    return dict(Gate.objects.filter(site=site, admitted=True).values_list("pk", "inside"))


def _standing(site: str) -> dict[str, Elsewhere | None]:
    rows = Row.objects.filter(directory=site, table=Table.ELSEWHERE.value).exclude(value=None)
    return {key: _read(bytes(value)) for key, value in rows.values_list("key", "value") if value is not None}


def _read(value: bytes) -> Elsewhere | None:
    try:
        return msgspec.json.decode(value, type=Elsewhere)
    except msgspec.DecodeError:
        return None
