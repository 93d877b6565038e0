"""From a drill's record to its row. A gate names the office's order where the drill begins; the stages after that are of the
same one until it ends."""

from collections.abc import Sequence

from central.drills.models import GateStage
from central.entries.models import MadeOnce
from central.entries.projection import Shown
from central.text import harmless
from sync.contract.records import Drill, DrillStage


def gate_stage(shown: Shown, body_hash: bytes, drill: Drill) -> GateStage:
    """The row, not saved yet."""
    return GateStage(
        **shown._asdict(),
        body_hash=body_hash,
        stage=drill.stage.value,
        mode=harmless(drill.mode, 16),
        by=harmless(drill.by, 64),
        order=harmless(drill.order, 32),
    )


def tie(rows: Sequence[MadeOnce]) -> None:
    """Name the order on those of these rows that follow one, in the order in which a gate's came."""
    current: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, GateStage):
            continue
        if row.stage != DrillStage.ORDERED and not row.order:
            row.order = current[row.gate_id] if row.gate_id in current else _standing(row.gate_id)
        current[row.gate_id] = "" if row.stage == DrillStage.ENDED else row.order


def _standing(gate: str) -> str:
    """The order of the drill that is on at a gate, as far as the office has heard."""
    last = GateStage.objects.filter(gate=gate).first()
    return "" if last is None or last.stage == DrillStage.ENDED else last.order
