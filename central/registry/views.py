"""The gates: what each said last, and how complete its records are."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from central.ingest.models import ForkEvent, Log, MissingRange
from central.registry.models import Gate
from central.web.live import Live

_GOES_ON: Final = "rewound"  # opened by a gate that had the log before, and so knew how far that went


@dataclass(frozen=True, slots=True)
class LogCard:
    """One log of a gate."""

    log: Log
    current: bool
    missing: list[MissingRange]
    forks: list[ForkEvent]
    waiting: int  # records that the gate has written and the office does not have yet
    unwritten: int  # that the office holds, and that are not in the entry log yet
    lost: bool  # the gate writes another log and had not this one: nobody knows how far it went

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing or contradictory."""
        return not self.missing and not self.forks


@dataclass(frozen=True, slots=True)
class GateCard:
    """A gate and its logs: the one that it writes, then the newest first."""

    gate: Gate
    online: str  # online, offline, pending
    logs: list[LogCard]

    @property
    def devices_well(self) -> int:
        """How many of its devices work."""
        return sum(device["state"] == "ok" for device in self.gate.devices)


def _gates(_: HttpRequest) -> Mapping[str, Any]:
    now = office_now()
    gates = Gate.objects.prefetch_related("logs__missing", "logs__forks").order_by("admitted", "id")
    return {"cards": [_card(gate, online=gate.is_online(now)) for gate in gates]}


def _card(gate: Gate, *, online: bool) -> GateCard:
    state = "online" if online else "offline"
    logs = gate.logs.all()
    known = {log.predecessor for log in logs if log.opened_because == _GOES_ON}
    if gate.log_id not in {log.log_id for log in logs}:  # no state has come yet since it began one
        known |= {log.log_id for log in logs[:1]}
    cards = sorted((_log(gate, log, known) for log in logs), key=lambda card: not card.current)
    return GateCard(gate, state if gate.admitted else "pending", cards)


def _log(gate: Gate, log: Log, known: Set[str]) -> LogCard:
    """`known`: the logs that go on, and those of which it is known how far they went."""
    current = log.log_id == gate.log_id
    waiting = max(0, gate.head - log.seq) if current else 0
    return LogCard(
        log, current, list(log.missing.all()), list(log.forks.all()), waiting, log.seq - log.written,
        lost=not current and log.log_id not in known,
    )  # fmt: skip


GATES = Live("gate-cards", "gates/_cards.html", _gates)


def _devices(request: HttpRequest) -> Mapping[str, Any]:
    match = request.resolver_match
    gate = get_object_or_404(Gate, pk=match.kwargs["gate_id"] if match is not None else "")
    return {"gate": gate, "online": "online" if gate.is_online(office_now()) else "offline"}


DEVICES = Live("gate-devices-rows", "gates/_devices.html", _devices, parts=("gate_id",))


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All gates."""
    return render(request, "gates/listing.html", {"cards": GATES})


@require_safe
def devices(request: HttpRequest, gate_id: str) -> HttpResponse:
    """How each device of a gate is."""
    return render(request, "gates/devices.html", {"gate": get_object_or_404(Gate, pk=gate_id), "part": DEVICES})


@require_POST
def admit(request: HttpRequest, gate_id: str) -> HttpResponse:
    """From now on this gate's records are taken."""
    gate = get_object_or_404(Gate, pk=gate_id)
    gate.admitted = True
    gate.save(update_fields=["admitted"])
    messages.success(request, _("Gate %(gate)s is admitted: its records are taken from now on.") % {"gate": gate})
    return redirect("gates")
