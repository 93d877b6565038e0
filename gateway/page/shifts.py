"""What the last guard handed over with his shift: a watcher of records."""

from gateway.page.messages import HandOver
from sync.contract.records import Body, Shift, ShiftAction


class LastHandOver:
    """Written by the deciding thread, read by the page's. It stands until the next one: who comes after a shift that just ended is to
    read it, too."""

    def __init__(self) -> None:
        self.last: HandOver | None = None

    def recorded(self, body: Body, at_ms: int) -> None:
        """A record was made, at that time (Unix milliseconds)."""
        match body:
            case Shift(action=ShiftAction.HANDED_OVER) as shift:
                self.last = HandOver(at_ms=at_ms, by=shift.by, to=shift.to, note=shift.note)
