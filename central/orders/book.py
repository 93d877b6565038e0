"""What is written down of commands: before they are sent, when they are answered, and when their record comes."""

from datetime import datetime

from central.orders.models import Order, Outcome
from central.registry.models import Gate
from central.text import harmless
from sync.contract.records import CommandRecord

_OPEN = (Outcome.SENT, Outcome.NOT_DELIVERED)


def settle(order: Order, outcome: Outcome, reason: str, now: datetime) -> None:
    """Write down what became of a command, unless that is known already; `order` then says what is known."""
    _settle(order.gate_id, order.pk, outcome, reason, now)
    order.refresh_from_db()


def hear_record(gate: Gate, body: CommandRecord, now: datetime) -> None:
    """Take a gate's record of what became of a command. A command that the office does not know of is left alone: its record
    is kept as it came."""
    _settle(gate.pk, harmless(body.command, 32), Outcome(body.outcome.value), body.reason, now)


def _settle(gate: str, name: str, outcome: Outcome, reason: str, now: datetime) -> None:
    still_open = Order.objects.filter(pk=name, gate_id=gate, outcome__in=_OPEN)
    still_open.update(outcome=outcome, reason=harmless(reason, 64), answered_at=now)
