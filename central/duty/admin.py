"""The roster's pages: beside the directory's, and made like them."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.timezone import now as office_now
from django.utils.translation import gettext_lazy as _

from central.duty.models import DutyShift
from central.holders.admin import KeptAdmin
from central.holders.site import office_admin


class Running(admin.SimpleListFilter):
    """Whether they go on now."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        """What can be asked."""
        return [("now", _("now")), ("later", _("not yet")), ("over", _("no longer"))]

    def queryset(self, _request: HttpRequest, queryset: Any) -> Any:
        """Those that are so."""
        now = office_now()
        wanted = {
            "now": {"begins_at__lte": now, "ends_at__gt": now},
            "later": {"begins_at__gt": now},
            "over": {"ends_at__lte": now},
        }
        return queryset.filter(**wanted.get(self.value() or "", {}))


class DutyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own forms are not generic while they run
    """Times are typed as one: the browser's own field for day and time."""

    class Meta:
        model = DutyShift
        fields = ("site", "role", "gate", "name", "phone", "begins_at", "ends_at")
        widgets: ClassVar = {
            name: forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            for name in ("begins_at", "ends_at")
        }
        field_classes: ClassVar = dict.fromkeys(("begins_at", "ends_at"), forms.DateTimeField)


@admin.register(DutyShift, site=office_admin)
class DutyShiftAdmin(KeptAdmin):
    """Shifts."""

    form = DutyForm
    list_display = ("name", "role", "from_when", "until_when", "phone", "gate_or_all", "site")
    list_filter = ("site", "role", Running)
    search_fields = ("name", "phone", "gate")
    date_hierarchy = "begins_at"

    @admin.display(description=_("from"), ordering="begins_at")
    def from_when(self, shift: DutyShift) -> str:
        """By the office's clock."""
        return _shown(shift.begins_at)

    @admin.display(description=_("until"), ordering="ends_at")
    def until_when(self, shift: DutyShift) -> str:
        """By the office's clock."""
        return _shown(shift.ends_at)

    @admin.display(description=_("gate"))
    def gate_or_all(self, shift: DutyShift) -> str:
        """In words."""
        return shift.gate or str(_("all gates"))


def _shown(moment: datetime) -> str:
    return f"{localtime(moment):%Y-%m-%d %H:%M}"
