"""Which gates are whose, where several ingest processes share them: rows in the database, lent until a moment of its clock.

    a process  renews its row every quarter of the time it is lent for; when it ends, it deletes the row
    a lease    is a row that says which process takes a gate's messages; it ends with the process's row
    discovery  is one lease more: whoever has it looks for gates that nobody knows yet

A lease only spares work. That nothing is taken twice rests on the cursor, which moves in the transaction that takes the
records, whoever holds what: a process that was frozen and wakes up again, without its leases, can do no harm.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models.functions import Now

from central.ingest import LENT_S
from central.ingest.models import IngestProcess, Lease
from central.registry.models import Gate

_LOGGER = logging.getLogger("menshen.ingest")
DISCOVERY: Final = "+"  # beside the gates' ids, none of which is this


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds: gates, and whether it looks for new ones; and which gates are known at all."""

    gates: frozenset[str] = frozenset()
    discovers: bool = False
    known: frozenset[str] = frozenset()


def divide(
    me: str, holders: Mapping[str, str], wanted: Set[str], processes: Sequence[str]
) -> tuple[Set[str], Set[str]]:
    """What `me` is to take and what to give back, so that all of `wanted` is held, by each about the same number.

    `holders`: what is lent to whom; `processes`: all there are, with `me`, in an order that all agree on."""
    each, left = divmod(len(wanted), len(processes))
    share = each + (processes.index(me) < left)
    mine = {name for name, holder in holders.items() if holder == me}
    kept = set(sorted(mine & wanted)[:share])
    free = sorted(wanted - holders.keys())
    return set(free[: share - len(kept)]), mine - kept


class Leases:
    """One process's leases. `turn` and `release` raise what the database raises."""

    def __init__(self, lent_s: float = LENT_S) -> None:
        self.name = secrets.token_hex(4)
        self._lent = timedelta(seconds=lent_s)
        self._registered = False

    def turn(self) -> Held:
        """Renew, take over what a dead process has left, and come to an even share. What is held from now on."""
        with transaction.atomic():
            # one at a time: what is decided here rests on all the rows
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {connection.ops.quote_name(Lease._meta.db_table)} IN EXCLUSIVE MODE")
            for dead in IngestProcess.objects.filter(until__lt=Now()).exclude(pk=self.name):
                _LOGGER.warning("ingest process %s is silent: its gates are taken over", dead.pk)
                dead.delete()
            self._renew()
            held = self._share()
        self._registered = True
        return held

    def release(self) -> None:
        """Give everything back."""
        IngestProcess.objects.filter(pk=self.name).delete()
        self._registered = False

    def _renew(self) -> None:
        until = Now() + self._lent
        if not IngestProcess.objects.filter(pk=self.name).update(until=until):
            if self._registered:
                _LOGGER.warning("this process was silent for too long: others have its gates")
            IngestProcess.objects.create(pk=self.name, until=until)

    def _share(self) -> Held:
        known = frozenset(Gate.objects.values_list("pk", flat=True))
        processes = list(IngestProcess.objects.order_by("pk").values_list("pk", flat=True))
        holders = dict(Lease.objects.values_list("name", "holder_id"))
        take, give = divide(self.name, holders, known | {DISCOVERY}, processes)
        if give:
            Lease.objects.filter(name__in=give, holder=self.name).delete()
        Lease.objects.bulk_create(Lease(name=name, holder_id=self.name) for name in sorted(take))
        mine = {name for name, holder in holders.items() if holder == self.name} - give | take
        return Held(frozenset(mine - {DISCOVERY}), DISCOVERY in mine, known)
