"""How many are inside: the page."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now as office_now
from django.views.decorators.http import require_safe

from central.capacity.standing import site_counts
from central.web.live import Live


def _sites(_: HttpRequest) -> Mapping[str, Any]:
    return {"sites": site_counts(office_now())}


SITES = Live("inside-sites", "capacity/_sites.html", _sites)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All sites."""
    return render(request, "capacity/listing.html", {"sites": SITES})
