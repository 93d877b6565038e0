"""What happened while a gate was at a drill is marked so, wherever it is shown."""

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from central.alarms.models import Alarm
from central.drills.models import GateStage
from sync.contract.records import DrillStage


def with_drills(alarms: QuerySet[Alarm]) -> QuerySet[Alarm]:
    """Each with `drill_stage`: the stage that its gate's drill had reached when it was raised, `ended` where there was none.
    Both times are by the gate's own clock."""
    before = GateStage.objects.filter(gate=OuterRef("gate"), at__lte=OuterRef("since_ms")).order_by("-at", "-pk")
    return alarms.annotate(drill_stage=Coalesce(Subquery(before.values("stage")[:1]), Value(DrillStage.ENDED.value)))
