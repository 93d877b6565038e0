"""Visitors as clerks and guards see them: who waits, one tap to decide, and the signs to hang up."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from central.holders.site import may, user_of
from central.registry.models import Gate
from central.visitors.deciding import approve, end, refuse
from central.visitors.issuing import has_key
from central.visitors.models import LAPSES_AFTER, WAITING, GateSign, Registration, VisitorPolicy
from central.visitors.signs import address_of, drawn, renew
from central.web.live import Live
from sync.keyfiles import KeyFileError

SHOWN: Final = 50
_DECISIONS: Final = {
    "approve": (approve, gettext_lazy("%(name)s has a pass now.")),
    "refuse": (refuse, gettext_lazy("%(name)s was refused.")),
    "end": (end, gettext_lazy("The pass of %(name)s has ended, at every gate.")),
}
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


def _waiting(_: HttpRequest) -> Mapping[str, Any]:
    now = office_now()
    there = Registration.objects.select_related("gate", "decided_by")
    waiting = there.filter(state=WAITING, made_at__gte=now - LAPSES_AFTER).order_by("made_at")
    decided = there.exclude(state=WAITING).order_by("-decided_at")[:SHOWN]
    return {
        "waiting": list(waiting[:SHOWN]),
        "decided": [(each, each.stands(now)) for each in decided],
        "key": has_key(),
    }


WAITING_PART = Live("visitors-waiting", "visitors/_waiting.html", _waiting)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Who waits, who came, and the signs."""
    gates = Gate.objects.filter(admitted=True, site__in=VisitorPolicy.objects.values("site")).select_related("sign")
    return render(request, "visitors/listing.html", {"part": WAITING_PART, "gates": gates})


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """`approve`, `refuse` or `end`: a registration."""
    answer = next((name for name in _DECISIONS if name in request.POST), "refuse")
    number = request.POST.get(answer, "")
    found = get_object_or_404(Registration, pk=int(number) if number.isdecimal() and len(number) < 16 else 0)
    decision, said = _DECISIONS[answer]
    try:
        done = decision(found.pk, user_of(request), office_now())
    except KeyFileError as error:
        messages.error(request, _("No pass can be made: %(why)s") % {"why": error})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        if done:
            messages.success(request, said % {"name": found.name})
        else:
            messages.error(request, _("This was decided already, or nobody had answered for too long."))
    return redirect("visitors")


@require_safe
def sign(request: HttpRequest, gate_id: str) -> HttpResponse:
    """The sign of a gate, to print and hang up."""
    gate = get_object_or_404(Gate.objects.select_related("sign"), pk=gate_id, admitted=True)
    policy = VisitorPolicy.objects.filter(site=gate.site).first()
    there = getattr(gate, "sign", None)
    opened_by = request.build_absolute_uri("/")
    address = "" if there is None else address_of(there, policy, opened_by)
    context = {
        "gate": gate,
        "policy": policy,
        "sign": there,
        "address": address,
        "qr": drawn(address, level="m") if address else "",
        "only_here": any(f"//{host}" in address for host in _LOOPBACK),
        "may_renew": may(request, GateSign, "change"),
    }
    return render(request, "visitors/sign.html", context)


@require_POST
def renew_sign(request: HttpRequest, gate_id: str) -> HttpResponse:
    """Make the first sign, or another one."""
    if not may(request, GateSign, "change"):
        raise PermissionDenied
    gate = get_object_or_404(Gate, pk=gate_id, admitted=True)
    renew(gate, office_now())
    messages.success(request, _("The sign is new: print it, and take the old one down."))
    return redirect("visitor-sign", gate.pk)
