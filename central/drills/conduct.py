"""A drill, held: ordered at its gates, stamped, and given back. Each step is taken once, whoever presses twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now as office_now

from central.accounts.models import User
from central.drills.models import BY_PEOPLE, Drill, DrillGate, GateStage, Stamp
from central.holders.models import ModeOrder
from central.holders.publishing import save_all
from central.registry.models import Gate
from sync.contract.records import DrillStage

STAMPED = frozenset(BY_PEOPLE)


@transaction.atomic
def plan(drill: Drill, gates: Iterable[Gate], by: User) -> Drill:
    """Save what was planned."""
    drill.planned_by, drill.planned_at = by, office_now()
    drill.save()
    DrillGate.objects.bulk_create(DrillGate(drill=drill, gate=gate) for gate in gates)
    return drill


@transaction.atomic
def begin(drill_id: int, by: User) -> bool:
    """Order the mode at its gates, as a drill. False where it was begun before. Raises Drill.DoesNotExist."""
    drill = Drill.objects.select_for_update().get(pk=drill_id)
    if drill.began_at is not None:
        return False
    drill.began_at, drill.began_by = office_now(), by
    drill.save()
    rows = list(drill.gates.select_related("gate").filter(gate__admitted=True, gate__site=drill.site))
    orders = [_order(drill, row, by, drill.mode, at=drill.began_at) for row in rows]
    for row, order in zip(rows, orders, strict=True):
        row.order = order.order
    save_all(orders, (), ())
    DrillGate.objects.bulk_update(rows, ["order"])
    return True


@transaction.atomic
def stamp(drill_id: int, stage: DrillStage, by: User) -> bool:
    """Stamp a stage, now. False where it has its stamp, is none that people stamp, or the drill is not on. Raises
    Drill.DoesNotExist."""
    drill = Drill.objects.select_for_update().get(pk=drill_id)
    if drill.state != "running" or stage not in STAMPED:
        return False
    _made, created = Stamp.objects.get_or_create(drill=drill, stage=stage, defaults={"by": by, "at": office_now()})
    return created


@transaction.atomic
def end(drill_id: int, by: User) -> bool:
    """End it, and order its gates back to normal; but for those that were ordered something else since, or where somebody at
    the gate has ended it: they have the last word. False where it is not on. Raises Drill.DoesNotExist."""
    drill = Drill.objects.select_for_update().get(pk=drill_id)
    if drill.state != "running":
        return False
    drill.ended_at, drill.ended_by = office_now(), by
    drill.save()
    rows = list(drill.gates.select_related("gate").exclude(order=""))
    ours = still_ours(drill, rows)
    save_all([_order(drill, row, by, "normal", at=drill.ended_at) for row in rows if row.pk in ours], (), ())
    for row in rows:
        row.given_back = row.pk in ours
    DrillGate.objects.bulk_update(rows, ["given_back"])
    return True


def still_ours(drill: Drill, rows: Sequence[DrillGate]) -> set[int]:
    """Those of its gates whose last order is the drill's, and who have not left it by themselves."""
    left = set(
        GateStage.objects.filter(stage=DrillStage.ENDED, order__in=[row.order for row in rows]).values_list(
            "order", flat=True
        )
    )
    return {row.pk for row in rows if row.order not in left and _last_order(drill.site, row) == row.order}


def _last_order(site: str, row: DrillGate) -> str:
    orders = ModeOrder.objects.filter(Q(gate="") | Q(gate=row.gate_id), site=site)
    return orders.values_list("order", flat=True).first() or ""


def _order(drill: Drill, row: DrillGate, by: User, mode: str, *, at: datetime) -> ModeOrder:
    made = ModeOrder(site=drill.site, gate=row.gate_id, mode=mode, drill=mode != "normal", by=by, at=at)
    made.give()
    return made
