"""What is sent to the public pages is small, and is looked at before anything is read of it."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

BEGIN: Final = "/v/"
MOST_BYTES: Final = 16 * 1024
_FORM: Final = "application/x-www-form-urlencoded"


class SmallForms:
    """Refuses larger bodies, and files, for addresses that begin with `BEGIN`. Before whatever reads a form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or refuse."""
        if request.path_info.startswith(BEGIN) and request.method == "POST":
            length = request.META.get("CONTENT_LENGTH") or "0"
            if not length.isdecimal() or int(length) > MOST_BYTES or request.content_type != _FORM:
                return HttpResponse(status=413 if request.content_type == _FORM else 415)
        return self._get_response(request)
