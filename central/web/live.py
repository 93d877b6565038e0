"""Parts of a page that keep themselves up to date.

The part carries a digest of what it shows; every 2 s htmx asks with it, and is answered 204 ("no content", nothing is
touched: neither focus nor selection) until there is something else to show.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

_SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Live:
    """One such part. `name` is its element's id and its URL's name; `context` is called with the request, of whose
    query the parameters in `keeps` go on being sent; `parts`: of the page's own address, those that its URL has too.

    Its template must not hold a form: the token in it is another one each time. Buttons name a form outside by `form=`."""

    name: str
    template: str
    context: Callable[[HttpRequest], Mapping[str, Any]]
    keeps: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def element(self, request: HttpRequest) -> SafeString:
        """The part as it is now, ready to stand in a page."""
        content, digest = self._content(request)
        return self._wrap(request, content, digest)

    def view(self, request: HttpRequest, **_parts: object) -> HttpResponse:
        """What htmx asks for."""
        content, digest = self._content(request)
        if request.GET.get(_SEEN) == digest:
            return HttpResponse(status=204)
        return HttpResponse(self._wrap(request, content, digest))

    def _content(self, request: HttpRequest) -> tuple[str, str]:
        content = render_to_string(self.template, dict(self.context(request)), request)
        return content, hashlib.sha256(content.encode()).hexdigest()[:16]

    def _wrap(self, request: HttpRequest, content: str, digest: str) -> SafeString:
        query = {name: request.GET[name] for name in self.keeps if request.GET.get(name)} | {_SEEN: digest}
        values = {
            "name": self.name,
            "url": f"{self._address(request)}?{urlencode(query)}",
            "content": mark_safe(content),  # noqa: S308  made by a template, which has escaped it
        }
        return render_to_string("live.html", values)

    def _address(self, request: HttpRequest) -> str:
        given = request.resolver_match.kwargs if request.resolver_match is not None else {}
        return reverse(self.name, kwargs={part: given[part] for part in self.parts})
