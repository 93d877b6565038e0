"""What every answer of the office carries, and how htmx is told to log in again."""

from collections.abc import Callable
from typing import cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request after django-htmx's middleware."""

    htmx: HtmxDetails


_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentSecurityPolicy:
    """Scripts and styles come from the office's own files only; nothing written in a page runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy."""
        response = self._get_response(request)
        response.headers["Content-Security-Policy"] = _POLICY
        return response


class NeverKept:
    """Names and temperatures are not left in a browser's cache, where the next person finds them after the logout."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, not to be kept."""
        response = self._get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response


class HtmxLoginRedirect:
    """A piece of a page asked for after the session has ended: the whole page goes to the login, not the piece."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; a redirect to the login or the password page becomes one that htmx makes with the whole page."""
        response = self._get_response(request)
        htmx = cast(HtmxRequest, request).htmx
        if not htmx or not isinstance(response, HttpResponseRedirect):
            return response
        target = response.url.partition("?")[0]
        if target == reverse("login"):
            shown = htmx.current_url_abs_path or reverse("entries")
            return HttpResponseClientRedirect(f"{target}?{urlencode({'next': shown})}")
        return HttpResponseClientRedirect(target) if target == reverse("password") else response
