"""Django's admin as the office has it: one way in, the office's own."""

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _


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
