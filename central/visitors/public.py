"""The pages that visitors see on their phones. Nobody is logged in here; see docs/visitors.md for what protects them."""

import hashlib
import logging
import time
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.timezone import localdate
from django.utils.timezone import now as office_now
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure
from django.views.decorators.http import require_http_methods, require_safe

from central.visitors.deciding import approve
from central.visitors.forms import VisitorForm, new_stamp, slot_offers
from central.visitors.limits import Limit
from central.visitors.middleware import BEGIN
from central.visitors.models import APPROVED, AUTO, WAITING, Registration
from central.visitors.signs import Place, drawn, place_of
from sync.keyfiles import KeyFileError

_LOGGER = logging.getLogger("menshen.visitors")
WINDOW_S: Final = 600
PER_ADDRESS: Final = Limit(30, WINDOW_S)  # many phones share the address of their operator
PER_GATE: Final = Limit(120, WINDOW_S)
STRANGE: Final = Limit(60, WINDOW_S)  # addresses of pages that there are not
MOST_WAITING: Final = 300  # at one site
MOST_LET_IN: Final = (
    1_000  # passes at one site that nobody has decided about, and that are good: the directory of every gate holds them
)
_ASKS_EVERY: Final = {"waiting": "3s", "approved": "30s"}  # a pass ends; everything else stays as it is


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, token: str) -> HttpResponse:
    """The form, and sending it."""
    place = place_of(token)
    if place is None:
        return _nothing(request)
    now = office_now()
    offers = slot_offers(place.policy.site, now) if place.policy.asks_slot else []
    if request.method != "POST":
        return _form(request, place, VisitorForm(policy=place.policy, offers=offers))
    form = VisitorForm(request.POST, policy=place.policy, offers=offers)
    if not _may_send(request, place):
        form.add_error(
            None, _("Too many people are registering right now. Please wait some minutes, or go to the guard.")
        )
        return _form(request, place, form, status=429)
    if not form.is_valid():
        return _form(request, place, form)
    try:
        kept = _keep(form, place, now)
    except ValidationError as error:
        form.add_error("slot", error)
        return _form(request, place, form)
    return redirect("registered", kept.token)


@login_not_required
@require_safe
def registered(request: HttpRequest, token: str) -> HttpResponse:
    """What became of it: waiting, the pass, or no."""
    found = _found(token)
    if found is None:
        return _nothing(request)
    return render(request, "visitors/registered.html", {"part": _part(request, found)[0], "title": _("Registration")})


@login_not_required
@require_safe
def registered_part(request: HttpRequest, token: str) -> HttpResponse:
    """The same as the page asks for again and again, until there is an answer."""
    found = _found(token)
    if found is None:
        return _nothing(request)
    part, digest = _part(request, found)
    return HttpResponse(status=204) if request.GET.get("seen") == digest else HttpResponse(part)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was not ours, or a phone that keeps no cookies: told in the words of the page it belongs to."""
    if not request.path_info.startswith(BEGIN):
        return csrf_failure(request, reason)
    said = _("The page had been open for too long. Please scan the sign at the gate once more.")
    return render(request, "visitors/notice.html", {"said": said}, status=403)


def _nothing(request: HttpRequest) -> HttpResponse:
    """The same answer for whatever is not there."""
    many = not STRANGE.allows(_address(request), time.monotonic())
    said = _("This sign is good no longer. Please use the one at the gate, or go to the guard.")
    return render(request, "visitors/notice.html", {"said": said}, status=429 if many else 404)


def _form(request: HttpRequest, place: Place, form: VisitorForm, status: int = 200) -> HttpResponse:
    context = {
        "place": place,
        "form": form,
        "stamp": new_stamp(),
        "named": place.policy.named,
        "today": str(localdate()),
    }
    response = render(request, "visitors/form.html", context, status=status)
    if status == 429:
        response.headers["Retry-After"] = str(WINDOW_S)
    return response


def _may_send(request: HttpRequest, place: Place) -> bool:
    now_s, gate = time.monotonic(), place.gate.pk
    if not PER_ADDRESS.allows(f"{gate} {_address(request)}", now_s):
        return False  # and does not use up what the gate has for others
    waiting = Registration.objects.filter(site=place.policy.site, state=WAITING).count()
    return PER_GATE.allows(gate, now_s) and waiting < MOST_WAITING


def _address(request: HttpRequest) -> str:
    """Where it comes from. Behind a proxy, what the proxy says, which is the last that was added."""
    said = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    return said.rpartition(",")[2].strip()[:64] or str(request.META.get("REMOTE_ADDR", ""))


def _keep(form: VisitorForm, place: Place, now: datetime) -> Registration:
    """Keep it, and decide about it where that is the site's policy. Raises ValidationError where its slot has just become full."""
    number = form.cleaned_data["stamp"]
    there = Registration.objects.filter(form=number, site=place.policy.site).first()
    if there is not None:
        return there  # sent twice
    kept: Registration = form.save(commit=False)
    kept.form, kept.site, kept.gate, kept.made_at = number, place.policy.site, place.gate, now
    try:
        with transaction.atomic():
            kept.save()
            if place.policy.decides == AUTO and _room_for_one(kept.site, now):
                _let_in(kept, now)
    except IntegrityError:
        return Registration.objects.get(form=number)  # both at the same time
    return kept


def _room_for_one(site: str, now: datetime) -> bool:
    """Whether the site's policy alone may still let somebody in; else it waits for a clerk."""
    good = Registration.objects.filter(site=site, state=APPROVED, decided_by=None, ends__gt=now)
    return good.count() < MOST_LET_IN


def _let_in(kept: Registration, now: datetime) -> None:
    """By the site's policy. Without a key to sign with it waits for a clerk, whose page says what is missing."""
    try:
        approve(kept.pk, None, now)
    except KeyFileError as error:
        _LOGGER.error("no visitor can be given a pass: %s", error)


def _found(token: str) -> Registration | None:
    return Registration.objects.filter(token=token).first() if len(token) <= 32 and token.isprintable() else None


def _part(request: HttpRequest, found: Registration) -> tuple[str, str]:
    now = office_now()
    stands = found.stands(now)
    shown = drawn(found.pass_text) if stands == "approved" else ""
    context: dict[str, Any] = {"found": found, "stands": stands, "qr": shown, "every": _ASKS_EVERY.get(stands, "")}
    content = render_to_string("visitors/_answer.html", context, request)
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return render_to_string("visitors/_part.html", {**context, "content": content, "digest": digest}, request), digest
