"""Django's admin as the office has it: one way in, the office's own."""

from collections.abc import Sequence

from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_permission_codename
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from central.accounts.models import User


class OfficeAdmin(AdminSite):
    """For staff. Logging in, out and changing one's password are the office's pages, with their throttle."""

    site_title = site_header = _("Directory")
    index_title = _("Whom the gates know, and what is wanted of them")
    enable_nav_sidebar = False

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, _extra: object = None) -> HttpResponse:
        """The office's own page; who is logged in and no staff is told."""
        if request.user.is_authenticated and not self.has_permission(request):
            return HttpResponse(
                _("This is for staff: menshen office user add NAME --staff"),
                status=403,
                content_type="text/plain; charset=utf-8",
            )
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))  # which looks where that leads


office_admin = OfficeAdmin(name="admin")


def may(request: HttpRequest, model: type[Model], *actions: str) -> bool:
    """Whether who asks may do all of these (`add`, `change`) with a model's objects."""
    names = [f"{model._meta.app_label}.{get_permission_codename(action, model._meta)}" for action in actions]
    return isinstance(request.user, User) and request.user.has_perms(names)


def user_of(request: HttpRequest) -> User:
    """Who asks."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def log_many(request: HttpRequest, objects: Sequence[Model], what: object) -> None:
    """Write down who did it, beside what the forms write down: in English, as it is no page's text."""
    with override("en"):
        LogEntry.objects.log_actions(user_of(request).pk, objects, CHANGE, change_message=str(what))
