"""What a site wants of its visitors."""

from django.contrib import admin

from central.holders.admin import KeptAdmin
from central.holders.site import office_admin
from central.visitors.models import VisitorPolicy


@admin.register(VisitorPolicy, site=office_admin)
class VisitorPolicyAdmin(KeptAdmin):
    """One for each site."""

    list_display = ("site", "decides", "hours", "asks_slot", "keep_days")

    def delete_queryset(self, _request: object, queryset: object) -> None:
        """No gate is told of it."""
        queryset.delete()  # type: ignore[attr-defined]
