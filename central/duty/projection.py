"""From a shift's record to its row."""

from central.duty.models import ShiftEvent
from central.entries.projection import Shown
from central.text import harmless
from sync.contract.records import Shift


def shift_event(shown: Shown, body_hash: bytes, shift: Shift) -> ShiftEvent:
    """The row, not saved yet."""
    return ShiftEvent(
        **shown._asdict(),
        body_hash=body_hash,
        action=shift.action.value,
        by=harmless(shift.by, 64),
        to=harmless(shift.to, 64),
        note=harmless(shift.note, 500),
    )
